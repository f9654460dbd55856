//! The past of grants and of clients in their own name: explain, who and blast radius say what the gateway said to their tokens.

use std::collections::BTreeSet;

use hyper::Method;
use serde_json::{Value, json};

use crate::calls::tokens::{Client, client};
use crate::cast::Cast;
use crate::history::{all_pages, head};

/// What the gateway said to a token of each at a position: to the robot itself, and to it in Bob's name.
struct Said {
    position: u64,
    verdicts: [Option<String>; 2],
}

/// Bob, a robot that acts for itself and for him, and what it was told.
struct Scene {
    cast: Cast,
    robot: Client,
    grant: String,
    tokens: [String; 2],
    said: Vec<Said>,
}

impl std::ops::Deref for Scene {
    type Target = Cast;

    fn deref(&self) -> &Cast {
        &self.cast
    }
}

impl Scene {
    async fn start() -> Self {
        let cast = Cast::of(vec![("echo", false)]).await;
        let taken = json!({ "authentication": "both" });
        cast.manage(Method::PUT, &format!("/instances/{}/authentication", cast.instance.id), &taken).await;
        let robot = client(&cast.world, &["mcp:write"]).await;
        let consent = cast.world.consent(&cast.bob, &robot.id, &cast.instance.id, &["mcp:write"]).await;
        let tokens = [
            robot.token(&cast.world, &cast.instance.id, "mcp:write").await,
            cast.world.token_of(&consent, &["mcp:write"]).await,
        ];
        Self { grant: consent.id.to_string(), cast, robot, tokens, said: Vec::new() }
    }

    /// The robot calls with both tokens, and what it is told is written down.
    async fn listen(&mut self) {
        let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "echo", "arguments": {} } });
        let mut verdicts = [None, None];
        for (token, verdict) in self.tokens.iter().zip(&mut verdicts) {
            let http = self.world.node.http().with("authorization", &format!("Bearer {token}"));
            let answer = http.post(&self.instance.path(), &call).await;
            *verdict = answer.body()["error"]["data"]["reason"].as_str().map(str::to_owned);
            assert_eq!(answer.status == 200, verdict.is_none(), "{:?}", answer.bytes);
        }
        self.said.push(Said { position: head(&self.world).await, verdicts });
    }

    /// Grants and revocations, one event each, and what the gateway says after each.
    async fn tell(&mut self) {
        self.listen().await;
        let why = json!({ "reason": "A test" });
        let (instance, robot) =
            (format!("/instances/{}", self.instance.id), format!("/clients/{}", self.robot.id));
        for role in ["viewer", "auditor", "member"] {
            self.role(role).await;
            self.listen().await;
        }
        let changes = [
            (Method::PUT, format!("{instance}/tools"), json!({ "tools": ["other"] })),
            (Method::PUT, format!("{instance}/tools"), json!({ "tools": "all" })),
            (Method::PUT, format!("{instance}/authentication"), json!({ "authentication": "api_key" })),
            (Method::PUT, format!("{instance}/authentication"), json!({ "authentication": "oauth" })),
            (Method::POST, format!("{instance}/stop"), json!({})),
            (Method::POST, format!("{instance}/start"), json!({})),
            (Method::POST, format!("{robot}/disable"), why.clone()),
            (Method::POST, format!("{robot}/enable"), json!({})),
            (Method::DELETE, format!("/members/{}", self.bob), json!({})),
        ];
        for (method, path, body) in changes {
            self.manage(method, &path, &body).await;
            self.listen().await;
        }
        self.role("member").await;
        self.listen().await;
        for rest in ["suspend", "resume"] {
            let path = format!("/v1/deployment/users/{}/{rest}", self.bob);
            let body = if rest == "suspend" { why.clone() } else { json!({}) };
            self.world.admin().json(Method::POST, &path, &body).await.good();
            self.listen().await;
        }
        self.manage(Method::DELETE, &format!("/grants/{}", self.grant), &json!({})).await;
        self.listen().await;
        self.manage(Method::DELETE, &robot, &json!({})).await;
        self.listen().await;
    }

    /// The robot itself, and the robot in Bob's name.
    fn principals(&self) -> [String; 2] {
        [format!("client:{}", self.robot.id), format!("grant:{}", self.grant)]
    }

    async fn explained(&self, principal: &str, at: u64) -> Value {
        let instance = &self.instance.id;
        let path = format!("/v1/authz/explain?principal={principal}&instance={instance}&tool=echo&at={at}");
        self.world.admin().get(&path).await.good()
    }

    async fn reach(&self, credential: &str) -> Value {
        self.world.admin().get(&format!("/v1/audit/blast-radius?credential={credential}")).await.good()
    }

    /// Whether an answer says that the tool could be called at a position.
    fn could(&self, reach: &Value, at: u64) -> bool {
        reach["could"].as_array().unwrap().iter().any(|could| {
            could["what"] == "call"
                && could["instance"] == self.instance.id
                && (could["tool"] == "echo" || could["tool"] == "*")
                && could["read_only"] == false
                && super::blast_radius::holds(could, at)
        })
    }
}

#[tokio::test]
async fn what_is_no_credential_of_the_organization_is_not_found() {
    let scene = Scene::start().await;
    let rival = crate::history::Tenant::of(&scene.world).await;
    for principal in scene.principals() {
        let path = format!("/v1/audit/blast-radius?credential={principal}");
        rival.owner.get(&path).await.refused(404, "not-found");
        let path =
            format!("/v1/authz/explain?principal={principal}&instance={}&tool=echo", scene.instance.id);
        rival.owner.get(&path).await.refused(404, "not-found");
    }
    let path = format!("/v1/audit/blast-radius?credential=user:{}", scene.bob);
    scene.world.admin().get(&path).await.refused(400, "bad-question");
}

#[tokio::test]
async fn a_client_that_gets_no_tokens_of_its_own_is_told_so() {
    let scene = Scene::start().await;
    let body = json!({ "name": "App", "kind": "public", "redirect_uris": ["https://app.example.com/back"], "scopes": ["mcp:read"] });
    let app = scene.manage(Method::POST, "/clients", &body).await;
    let explained = scene.explained(app["id"].as_str().unwrap(), head(&scene.world).await).await;
    assert_eq!((&explained["allowed"], &explained["reason"]), (&json!(false), &json!("unauthorized-client")));
    assert_eq!(explained["credential"]["kind"], "client", "an id alone is enough: {explained}");
    let facts = explained["facts"].as_array().unwrap();
    let decisive: Vec<&Value> = facts.iter().filter(|fact| fact["decisive"] == true).collect();
    assert_eq!(decisive.len(), 1, "{explained}");
    assert_eq!(decisive[0]["fact"], "client_grant_types");
    assert_eq!(decisive[0]["value"], json!(["authorization_code", "refresh_token"]));
}

#[tokio::test]
async fn at_every_position_grants_and_clients_could_what_the_gateway_said() {
    let mut scene = Scene::start().await;
    let before = head(&scene.world).await;
    scene.tell().await;
    let principals = scene.principals();
    let reaches = [scene.reach(&principals[0]).await, scene.reach(&principals[1]).await];
    let (mut compared, mut reasons) = (0, BTreeSet::new());
    for position in before..=head(&scene.world).await {
        let said = scene.said.iter().rfind(|said| said.position <= position).unwrap();
        for ((principal, reach), verdict) in principals.iter().zip(&reaches).zip(&said.verdicts) {
            let explained = scene.explained(principal, position).await;
            assert_eq!(
                explained["reason"].as_str(),
                verdict.as_deref(),
                "{principal} at {position}: {explained}"
            );
            assert_eq!(
                scene.could(reach, position),
                verdict.is_none(),
                "{principal} at {position}: {reach:#}"
            );
            let decisive = explained["facts"].as_array().unwrap().iter().any(|fact| fact["decisive"] == true);
            assert!(decisive, "something decided {principal} at {position}: {explained}");
            reasons.extend(verdict.clone());
            compared += 1;
        }
        let user = scene.explained(&format!("user:{}", scene.bob), position).await;
        let credentials = user["credentials"].as_array().unwrap();
        let granted = credentials.iter().find(|one| one["kind"] == "grant").unwrap();
        assert_eq!((&granted["id"], &granted["client"]), (&json!(scene.grant), &json!(scene.robot.id)));
        assert_eq!(granted["reason"].as_str(), said.verdicts[1].as_deref(), "at {position}: {user}");
        if said.verdicts[1].is_none() {
            assert_eq!(user["allowed"], true, "what one of theirs may, Bob may: {user}");
        }
    }
    for Said { position, verdicts } in &scene.said {
        let path = format!("/v1/authz/who?instance={}&tool=echo&at={position}", scene.instance.id);
        let callers = all_pages(&scene.world.admin(), &path, 2).await.0;
        for (id, verdict) in [&scene.robot.id, &scene.grant].into_iter().zip(verdicts) {
            let listed = callers.iter().find(|caller| caller["credential"] == **id);
            assert_eq!(listed.is_some(), verdict.is_none(), "{id} at {position}: {callers:?}");
            if let Some(listed) = listed {
                assert_eq!(listed["client"], json!(scene.robot.id), "{listed}");
            }
        }
    }
    println!("tokens of the past: {compared} decisions of the gateway compared, refused for {reasons:?}");
    assert!(compared > 30 && reasons.len() > 7, "{compared} {reasons:?}");
}

#[tokio::test]
async fn a_blast_radius_names_the_grants_of_a_client_and_the_calls_with_its_tokens() {
    let mut scene = Scene::start().await;
    scene.listen().await;
    crate::calls::records(&scene.world.admin(), &scene.world.path("/calls"), 2).await;
    let [own, granted] = scene.principals();
    let own = scene.reach(&own).await;
    assert_eq!(
        own["grants"],
        json!([{ "id": scene.grant, "user": scene.bob, "instance": scene.instance.id }])
    );
    assert_eq!((&own["kind"], &own["calls"]), (&json!("client"), &json!(1)), "{own:#}");
    assert_eq!((&own["principal"], &own["key_id"]), (&Value::Null, &Value::Null));
    let granted = scene.reach(&granted).await;
    assert_eq!((&granted["kind"], &granted["calls"]), (&json!("grant"), &json!(1)), "{granted:#}");
    assert_eq!((&granted["principal"], &granted["client"]), (&json!(scene.bob), &json!(scene.robot.id)));
    assert_eq!(
        (&granted["instance"], &granted["scopes"]),
        (&json!(scene.instance.id), &json!(["mcp:write"]))
    );
    let managed = |reach: &Value| {
        reach["could"]
            .as_array()
            .unwrap()
            .iter()
            .any(|could| could["what"] == "manage" || could["what"] == "administer")
    };
    assert!(!managed(&own) && !managed(&granted), "a token opens no management API");
}
