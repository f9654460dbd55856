//! Explanations of the past are what the gateway said then.

use std::process::{Command, Stdio};

use harness::{Http, sekisho};
use hyper::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Tenant, head};
use crate::cast::Cast;

/// What the gateway said at a position, key by key.
struct Said {
    position: u64,
    verdicts: Vec<Option<String>>,
}

/// The cast, and what they were told.
struct Scene {
    cast: Cast,
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
        Self { cast: Cast::of(vec![("echo", false)]).await, said: Vec::new() }
    }

    async fn instance(&self, method: Method, rest: &str, body: &Value) {
        self.manage(method, &format!("/instances/{}{rest}", self.instance.id), body).await;
    }

    async fn deployment(&self, method: Method, rest: &str, body: &Value) {
        self.world.admin().json(method, &format!("/v1/deployment{rest}"), body).await.good();
    }

    /// Every key calls, and what it is told is written down.
    async fn listen(&mut self) {
        let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "echo", "arguments": {} } });
        let mut verdicts = Vec::new();
        for key in &self.keys {
            let http = self.world.node.http().as_key(&key.text);
            let answer = http.post(&self.instance.path(), &call).await;
            let reason = answer.body()["error"]["data"]["reason"].as_str().map(str::to_owned);
            assert_eq!(answer.status == 200, reason.is_none(), "{:?}", answer.bytes);
            verdicts.push(reason);
        }
        self.said.push(Said { position: head(&self.world).await, verdicts });
    }

    /// Grants and revocations, one event each, and what the gateway says after each.
    async fn tell(&mut self) {
        self.listen().await;
        for role in ["viewer", "auditor", "owner"] {
            self.role(role).await;
            self.listen().await;
        }
        let why = json!({ "reason": "A test" });
        let user = format!("/users/{}", self.bob);
        self.deployment(Method::POST, &format!("{user}/suspend"), &why).await;
        self.listen().await;
        self.deployment(Method::POST, &format!("{user}/resume"), &json!({})).await;
        self.listen().await;
        for tools in [json!(["other"]), json!("all")] {
            self.instance(Method::PUT, "/tools", &json!({ "tools": tools })).await;
            self.listen().await;
        }
        for rest in ["/stop", "/start"] {
            self.instance(Method::POST, rest, &json!({})).await;
            self.listen().await;
        }
        for method in ["oauth", "both"] {
            self.instance(Method::PUT, "/authentication", &json!({ "authentication": method })).await;
            self.listen().await;
        }
        self.deployment(Method::POST, "/maintenance", &json!({})).await;
        self.listen().await;
        self.deployment(Method::DELETE, "/maintenance", &json!({})).await;
        self.listen().await;
        let revoked = format!("/api-keys/{}", self.keys[0].id);
        self.manage(Method::DELETE, &revoked, &why).await;
        self.listen().await;
        self.manage(Method::DELETE, &format!("/members/{}", self.bob), &json!({})).await;
        self.listen().await;
        self.role("member").await;
        self.listen().await;
        self.instance(Method::DELETE, "", &json!({})).await;
        self.listen().await;
    }

    fn path(&self, principal: &str, more: &str) -> String {
        format!("/v1/authz/explain?principal={principal}&instance={}&tool=echo{more}", self.instance.id)
    }

    async fn explained(&self, principal: &str, more: &str) -> Value {
        self.world.admin().get(&self.path(principal, more)).await.good()
    }
}

#[tokio::test]
async fn what_is_not_there_and_what_is_misspelt_is_refused() {
    let scene = Scene::start().await;
    let (key, instance) = (&scene.keys[0].id, &scene.instance.id);
    let nothing = Uuid::new_v4();
    let admin = scene.world.admin();
    let ask = async |query: String| admin.get(&format!("/v1/authz/explain?{query}")).await;
    ask(format!("principal={key}&instance={instance}")).await.refused(400, "bad-query");
    ask(format!("principal={key}&instance={instance}&tool=echo&att=1")).await.refused(400, "bad-query");
    let whole = &scene.keys[0].text;
    for (query, told) in [
        (format!("principal=bob&instance={instance}&tool=echo"), "who calls is"),
        (format!("principal={whole}&instance={instance}&tool=echo"), "its id part is enough"),
        (format!("principal={key}&instance=x&tool=echo"), "instance: "),
        (format!("principal={key}&instance={instance}&tool=echo&at=now"), "at: "),
        (format!("principal={key}&instance={instance}&tool=echo&read_only=1"), "read_only: "),
    ] {
        let refused = ask(query).await;
        refused.refused(400, "bad-question");
        let detail = refused.body()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(told) && !detail.contains(whole), "{detail}");
    }
    ask(format!("principal={key}&instance={instance}&tool=echo&at=1000000")).await.refused(422, "not-yet");
    let future = "2999-01-01T00:00:00Z";
    ask(format!("principal={key}&instance={instance}&tool=echo&at={future}")).await.refused(422, "not-yet");
    ask(format!("principal={key}&instance={nothing}&tool=echo")).await.refused(404, "not-found");
    ask(format!("principal={nothing}&instance={instance}&tool=echo")).await.refused(404, "not-found");
    let unknown = "0000000000000000000000";
    ask(format!("principal={unknown}&instance={instance}&tool=echo")).await.refused(404, "not-found");
}

#[tokio::test]
async fn keys_instances_and_users_of_another_tenant_are_not_found() {
    let scene = Scene::start().await;
    let rival = Tenant::of(&scene.world).await;
    let Cast { world, instance, bob, keys, .. } = &scene.cast;
    let ask = async |http: &Http, principal: &str, instance: &str| {
        let path = format!("/v1/authz/explain?principal={principal}&instance={instance}&tool=echo");
        http.get(&path).await
    };
    let server = json!({
        "name": "Wiki", "visibility": "organization", "credential_fields": [],
        "transport": { "http": { "url": "https://mcp.example.com/mcp" } },
    });
    let made = async |path: &str, body: Value| {
        rival.owner.post(&rival.path(path), &body).await.good()["id"].as_str().unwrap().to_owned()
    };
    let server = made("/servers", server).await;
    let connection = made("/connections", json!({ "server": server, "name": "Wiki" })).await;
    let body =
        json!({ "name": "Desk", "connections": [connection], "tools": "all", "authentication": "api_key" });
    let theirs = made("/instances", body).await;
    let own = made("/api-keys", json!({ "name": "Own", "scopes": ["mcp:write"] })).await;
    let nothing = Uuid::new_v4().to_string();
    for instance in [&instance.id, &nothing] {
        ask(&rival.owner, &own, instance).await.refused(404, "not-found");
    }
    for instance in [&instance.id, &nothing] {
        let path = format!("/v1/authz/who?instance={instance}&tool=echo");
        rival.owner.get(&path).await.refused(404, "not-found");
    }
    for principal in [&keys[0].id, &keys[0].public_part, bob, &nothing] {
        ask(&rival.owner, principal, &theirs).await.refused(404, "not-found");
    }
    let allowed = ask(&rival.owner, &own, &theirs).await.good();
    assert_eq!(allowed["allowed"], true, "{allowed}");
    let crossing = ask(&world.admin(), &keys[0].id, &theirs).await.good();
    assert_eq!(crossing["reason"], "instance-unknown", "what the gateway says to a key of another tenant");
}

#[tokio::test]
async fn at_every_position_it_is_what_the_gateway_said() {
    let mut scene = Scene::start().await;
    let before = head(&scene.world).await;
    scene.tell().await;
    let (mut compared, mut reasons) = (0, std::collections::BTreeSet::new());
    for position in before..=head(&scene.world).await {
        let said = scene.said.iter().rfind(|said| said.position <= position).unwrap();
        for (key, verdict) in scene.keys.iter().zip(&said.verdicts) {
            let explained = scene.explained(&key.id, &format!("&at={position}")).await;
            assert_eq!(explained["reason"].as_str(), verdict.as_deref(), "at {position}: {explained}");
            assert_eq!(explained["allowed"], verdict.is_none());
            assert_eq!(explained["position"], position);
            reasons.extend(verdict.clone());
            compared += 1;
        }
        let any = said.verdicts.iter().any(Option::is_none);
        let user = scene.explained(&format!("user:{}", scene.bob), &format!("&at={position}")).await;
        assert_eq!(user["allowed"], any, "at {position}: {user}");
        assert_eq!(user["credentials"].as_array().unwrap().len(), scene.keys.len());
    }
    let who = async |query: &str| {
        let path = format!("/v1/authz/who?instance={}&tool=echo{query}", scene.instance.id);
        super::all_pages(&scene.world.admin(), &path, 2).await.0
    };
    for Said { position, verdicts } in &scene.said {
        let callers = who(&format!("&at={position}")).await;
        for (key, verdict) in scene.keys.iter().zip(verdicts) {
            let listed = callers.iter().find(|caller| caller["credential"] == key.id);
            assert_eq!(listed.is_some(), verdict.is_none(), "at {position}: {callers:?}");
            if let Some(listed) = listed {
                assert_eq!(
                    (&listed["user"], &listed["key_id"]),
                    (&json!(scene.bob), &json!(key.public_part))
                );
            }
        }
    }
    assert_eq!(who("").await, Vec::<Value>::new(), "the instance is gone");
    println!("explain: {compared} decisions of the gateway compared, refused for {reasons:?}");
    assert!(compared > 60 && reasons.len() > 9, "{compared} {reasons:?}");
}

#[tokio::test]
async fn each_fact_names_the_event_that_set_it() {
    let scene = Scene::start().await;
    let (key, from) = (&scene.keys[0], head(&scene.world).await);
    scene.role("viewer").await;
    let denied = scene.explained(&key.public_part, "").await;
    assert_eq!(denied["reason"], "role-too-low");
    let fact = |explained: &Value, name: &str| {
        let facts = explained["facts"].as_array().unwrap();
        facts
            .iter()
            .find(|fact| fact["fact"] == name)
            .unwrap_or_else(|| panic!("{name} in {explained}"))
            .clone()
    };
    let role = fact(&denied, "role");
    assert_eq!(role["value"], "viewer");
    assert_eq!(role["decisive"], true);
    assert_eq!(role["set_by"]["position"], from + 1);
    assert_eq!(role["set_by"]["type"], "role_changed");
    assert_eq!(role["set_by"]["actor"], format!("user:{}", scene.world.founder));
    assert_eq!(fact(&denied, "tools")["decisive"], false);
    let sentence = denied["sentence"].as_str().unwrap();
    assert!(sentence.contains(&format!("role is viewer since #{}", from + 1)), "{sentence}");

    let allowed = scene.explained(&key.public_part, &format!("&at={from}")).await;
    let issued = fact(&allowed, "key_scopes");
    assert_eq!(issued["value"], json!(["mcp:write"]));
    assert_eq!((&issued["set_by"]["type"], &issued["set_by"]["id"]), (&json!("issued"), &json!(key.id)));
    let member = fact(&allowed, "role")["set_by"].clone();
    assert_eq!(member["type"], "member_added");
    assert!(
        member["position"].as_u64() < issued["set_by"]["position"].as_u64(),
        "a member before the key came"
    );
    let sentence = allowed["sentence"].as_str().unwrap();
    assert!(sentence.contains("member since #") && sentence.contains("carries mcp:write"), "{sentence}");

    let read_only = scene.explained(&key.public_part, "&read_only=true").await;
    assert_eq!(read_only["allowed"], true, "a viewer calls what only reads: {read_only}");
}

#[tokio::test]
async fn what_nobody_said_of_the_tool_is_told_as_assumed() {
    let scene = Scene::start().await;
    let key = &scene.keys[0].id;
    let who = async |more: &str| {
        let path = format!("/v1/authz/who?instance={}&tool=echo{more}", scene.instance.id);
        scene.world.admin().get(&path).await.good()
    };
    for (more, read_only, said) in
        [("", false, false), ("&read_only=false", false, true), ("&read_only=true", true, true)]
    {
        let assumed =
            json!({ "read_only": read_only, "read_only_said": said, "address_passes_maintenance": false });
        assert_eq!(scene.explained(key, more).await["assumed"], assumed, "{more}");
        assert_eq!(who(more).await["assumed"], assumed, "{more}");
    }
}

#[tokio::test]
async fn a_denial_for_want_of_a_scope_names_each_scope_that_opens_the_tool() {
    let scene = Scene::start().await;
    let body = json!({ "name": "Reader", "scopes": ["mcp:read"] });
    let reader = scene.manage(Method::POST, "/api-keys", &body).await;
    let denied = scene.explained(reader["id"].as_str().unwrap(), "").await;
    assert_eq!(denied["reason"], "insufficient-scope", "{denied}");
    let sentence = denied["sentence"].as_str().unwrap();
    assert!(sentence.contains("tool:echo or mcp:write opens it"), "{sentence}");
}

#[tokio::test]
async fn a_time_stands_for_its_position_and_for_what_had_expired() {
    let scene = Scene::start().await;
    let expires_at = "2990-01-01T00:00:00Z";
    let body = json!({ "name": "Short", "scopes": ["mcp:write"], "expires_at": expires_at });
    let issued = scene.manage(Method::POST, "/api-keys", &body).await;
    let key = issued["id"].as_str().unwrap();
    let then = scene.world.admin().get(&format!("/v1/events?from={}", issued["position"])).await.good();
    let then = then["items"][0]["recorded_at"].as_str().unwrap().to_owned();
    let at = scene.explained(key, &format!("&at={then}")).await;
    assert_eq!(
        (&at["allowed"], &at["position"], &at["time"]),
        (&json!(true), &issued["position"], &json!(then))
    );
    let before = issued["position"].as_u64().unwrap() - 1;
    let before = scene.explained(key, &format!("&at={before}")).await;
    assert_eq!(before["reason"], "key-unknown", "{before}");
    let nobody = scene.explained(&format!("user:{}", scene.world.founder), "&at=1").await;
    assert_eq!(nobody["reason"], "no-credential", "{nobody}");
}

#[tokio::test]
async fn the_command_line_says_the_same_and_its_exit_code_is_the_answer() {
    let scene = Scene::start().await;
    let allowed_at = head(&scene.world).await;
    scene.role("viewer").await;
    let run = async |principal: &str, more: &[&str]| {
        let mut command = Command::new(sekisho());
        command.args([
            "explain",
            "--principal",
            principal,
            "--instance",
            &scene.instance.id,
            "--tool",
            "echo",
        ]);
        command.args(more).stdin(Stdio::null()).env("DATABASE_URL", &scene.world.database.url);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let key = &scene.keys[0];
    let (code, out, told) = run(&key.text, &[]).await;
    assert_eq!(code, Some(2), "{told}");
    assert!(told.contains("its id part is enough") && !format!("{out}{told}").contains(&key.text), "{told}");
    let (code, _, told) = run(&Uuid::new_v4().to_string(), &[]).await;
    assert_eq!(code, Some(2), "{told}");
    let (code, _, told) = run(&key.id, &["--at", "1000000"]).await;
    assert_eq!(code, Some(2), "{told}");
    let (code, told, _) = run(&key.public_part, &[]).await;
    assert_eq!(code, Some(3), "{told}");
    assert!(told.contains("role-too-low") && told.contains("organization.role_changed by user:"), "{told}");
    assert!(told.contains("nothing says that it is read-only; --read-only asks about one that is"), "{told}");
    let (code, told, _) = run(&key.public_part, &["--read-only"]).await;
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("the tool is read-only, as was said"), "{told}");
    let at = allowed_at.to_string();
    let (code, told, _) = run(&key.id, &["--at", &at, "--format", "json"]).await;
    assert_eq!(code, Some(0), "{told}");
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told, scene.explained(&key.id, &format!("&at={at}")).await);
}
