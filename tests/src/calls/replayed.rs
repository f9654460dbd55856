//! Every recorded decision, taken again at its stamped position, is the one that was recorded.

use std::collections::BTreeSet;

use domain::value::Position;
use harness::{Consent, Http, Scripted};
use hyper::Method;
use projections::LogReader;
use projections::calls::{CallFilter, Decision, page, replay};
use projections::history::History;
use serde_json::{Value, json};
use uuid::Uuid;

use super::tokens::{Client, client};
use super::{Scene, call};

const CHANGES: usize = 60;

/// A generator of small random numbers (SplitMix64): a failure is told by its seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// Bob, his keys, the clients that call in his name and in their own, and whoever changes what they may do while they call.
struct Story {
    scene: Scene,
    bob: String,
    keys: Vec<(String, String)>,
    robot: Client,
    consent: Consent,
    tokens: Vec<String>,
    dice: Dice,
}

/// What somebody calls with.
#[derive(Clone)]
enum Credential {
    Key(String),
    Token(String),
}

impl Credential {
    fn of(&self, http: &Http) -> Http {
        match self {
            Self::Key(key) => http.clone().as_key(key),
            Self::Token(token) => http.clone().with("authorization", &format!("Bearer {token}")),
        }
    }
}

impl Story {
    async fn begin(seed: u64) -> Self {
        let scene = Scene::of(Scripted::Tools(vec![("echo", false), ("look", true)])).await;
        let bob =
            scene.world.admin().post(&scene.world.path("/users"), &json!({ "name": "Bob" })).await.good();
        let bob = bob["id"].as_str().unwrap().to_owned();
        let world = &scene.world;
        let robot = client(world, &["mcp:write"]).await;
        let (here, scopes) = (&scene.instance.id, ["mcp:read", "tool:echo"]);
        let consent = world.consent(&bob, &robot.id, here, &scopes).await;
        let mut story =
            Self { robot, consent, tokens: Vec::new(), keys: Vec::new(), dice: Dice(seed), scene, bob };
        story.manage(Method::PUT, &format!("/members/{}", story.bob), &json!({ "role": "member" })).await;
        let authentication = format!("/instances/{}/authentication", story.scene.instance.id);
        story.manage(Method::PUT, &authentication, &json!({ "authentication": "both" })).await;
        story.get_tokens().await;
        for scopes in [json!(["mcp:write"]), json!(["mcp:read"]), json!(["tool:echo"]), json!(["org:read"])] {
            story.issue(&scopes).await;
        }
        story
    }

    async fn manage(&self, method: Method, rest: &str, body: &Value) -> Value {
        self.scene.world.admin().json(method, &self.scene.world.path(rest), body).await.body()
    }

    async fn issue(&mut self, scopes: &Value) {
        let body = json!({ "name": "Bob's", "scopes": scopes, "principal": self.bob });
        let issued = self.manage(Method::POST, "/api-keys", &body).await;
        if let (Some(id), Some(text)) = (issued["id"].as_str(), issued["api_key"].as_str()) {
            self.keys.push((id.to_owned(), text.to_owned()));
        }
    }

    /// Tokens of the client's own, of Bob's consent with all and with less than that, and one that is for another instance.
    async fn get_tokens(&mut self) {
        let world = &self.scene.world;
        let elsewhere = world.instance_in_front_of(&self.scene.upstream.url).await.id;
        let other = world.consent(&self.bob, &self.robot.id, &elsewhere, &["mcp:write"]).await;
        let here = &self.scene.instance.id;
        self.tokens = vec![
            self.robot.token(world, here, "mcp:write").await,
            self.robot.token(world, here, "mcp:read").await,
            world.token_of(&self.consent, &["mcp:read", "tool:echo"]).await,
            world.token_of(&self.consent, &["tool:echo"]).await,
            world.token_of(&other, &["mcp:write"]).await,
        ];
    }

    /// All tokens, and the newest keys.
    fn credentials(&self) -> Vec<Credential> {
        let keys = self.keys.iter().rev().take(5).map(|(_, text)| Credential::Key(text.clone()));
        keys.chain(self.tokens.iter().cloned().map(Credential::Token)).collect()
    }

    /// Takes back what shuts callers out, and issues a key that may do everything.
    async fn open_up(&mut self) {
        let instance = format!("/instances/{}", self.scene.instance.id);
        let member = format!("/members/{}", self.bob);
        self.scene.world.admin().json(Method::DELETE, "/v1/deployment/maintenance", &json!({})).await;
        self.manage(Method::PUT, &member, &json!({ "role": "owner" })).await;
        self.manage(Method::POST, &format!("{instance}/start"), &json!({})).await;
        self.manage(Method::PUT, &format!("{instance}/tools"), &json!({ "tools": "all" })).await;
        self.manage(Method::PUT, &format!("{instance}/authentication"), &json!({ "authentication": "both" }))
            .await;
        self.issue(&json!(["mcp:write"])).await;
    }

    async fn change(&mut self) {
        let instance = format!("/instances/{}", self.scene.instance.id);
        let member = format!("/members/{}", self.bob);
        let robot = format!("/clients/{}", self.robot.id);
        let nothing = json!({});
        match self.dice.below(12) {
            0 | 1 => {
                let role =
                    ["owner", "member", "viewer", "auditor"][usize::try_from(self.dice.below(4)).unwrap()];
                self.manage(Method::PUT, &member, &json!({ "role": role })).await;
            }
            2 | 3 => {
                let tools = [json!("all"), json!(["echo"]), json!(["look"]), json!([])];
                let tools = tools[usize::try_from(self.dice.below(4)).unwrap()].clone();
                self.manage(Method::PUT, &format!("{instance}/tools"), &json!({ "tools": tools })).await;
            }
            4 => {
                let rest = ["stop", "start", "start"][usize::try_from(self.dice.below(3)).unwrap()];
                self.manage(Method::POST, &format!("{instance}/{rest}"), &nothing).await;
            }
            5 => {
                let authentication =
                    ["oauth", "both", "api_key"][usize::try_from(self.dice.below(3)).unwrap()];
                let body = json!({ "authentication": authentication });
                self.manage(Method::PUT, &format!("{instance}/authentication"), &body).await;
            }
            6 => {
                let at = usize::try_from(self.dice.below(self.keys.len() as u64)).unwrap();
                let path = format!("/api-keys/{}", self.keys[at].0);
                self.manage(Method::DELETE, &path, &json!({ "reason": "A test" })).await;
                self.issue(&json!(["mcp:read", "tool:echo"])).await;
            }
            7 => {
                let gone = self.dice.below(2) == 0;
                let method = if gone { Method::DELETE } else { Method::PUT };
                let body = if gone { json!({}) } else { json!({ "role": "member" }) };
                self.manage(method, &member, &body).await;
            }
            8 => {
                self.manage(Method::POST, &format!("{robot}/disable"), &json!({ "reason": "A test" })).await;
            }
            9 => {
                self.manage(Method::POST, &format!("{robot}/enable"), &nothing).await;
            }
            10 => {
                let scopes = [json!(["mcp:write"]), json!(["mcp:read"]), json!(["tool:echo"])];
                let scopes = &scopes[usize::try_from(self.dice.below(3)).unwrap()];
                let body = json!({ "name": "Robot", "redirect_uris": [], "scopes": scopes });
                self.manage(Method::PUT, &robot, &body).await;
            }
            _ => {
                let method = if self.dice.below(3) == 0 { Method::POST } else { Method::DELETE };
                self.scene.world.admin().json(method, "/v1/deployment/maintenance", &nothing).await;
            }
        }
    }
}

/// Calls with every credential, of every kind, until told to stop; answers how many.
async fn keep_calling(http: Http, credentials: Vec<Credential>, path: String, rounds: u64) -> usize {
    let messages = [
        call(1, "echo", &json!({ "a": 1 })),
        call(2, "look", &json!({})),
        call(3, "hidden", &json!({})),
        json!({ "jsonrpc": "2.0", "id": 4, "method": "tools/list" }),
        json!({ "jsonrpc": "2.0", "id": 5, "method": "resources/list" }),
        json!({ "jsonrpc": "2.0", "id": 6, "method": "vendor/other" }),
        json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }),
    ];
    let mut made = 0;
    for round in 0..rounds {
        for credential in &credentials {
            let message = &messages[usize::try_from(round).unwrap() % messages.len()];
            credential.of(&http).post(&path, message).await;
            made += 1;
        }
    }
    made
}

#[tokio::test]
async fn every_recorded_verdict_is_the_one_at_its_position() {
    let seed = Uuid::new_v4().as_u64_pair().0;
    println!("calls replayed: seed {seed}");
    let mut story = Story::begin(seed).await;
    // Before anything is taken from anybody, each is let through once.
    let (http, path) = (story.scene.world.node.http(), story.scene.instance.path());
    let mut made = keep_calling(http, story.credentials(), path, 7).await;
    for _ in 0..CHANGES {
        let credentials = story.credentials();
        let rounds = 1 + story.dice.below(3);
        let (http, path) = (story.scene.world.node.http(), story.scene.instance.path());
        let calling = tokio::spawn(keep_calling(http, credentials, path, rounds));
        story.change().await;
        made += calling.await.unwrap();
    }
    // Whatever the dice said, some calls are let through.
    story.open_up().await;
    let (http, path) = (story.scene.world.node.http(), story.scene.instance.path());
    let newest = story.credentials().into_iter().take(1).collect();
    made += keep_calling(http, newest, path, 35).await;
    let pool = &story.scene.world.node.running.pool;
    let stored = "select count(*) from calls";
    let wanted = i64::try_from(made).unwrap();
    super::until("all are recorded", async || {
        sqlx::query_scalar::<_, i64>(stored).fetch_one(pool).await.unwrap() == wanted
    })
    .await;
    let history = History::new(LogReader::new(pool.clone()));
    let records = page(pool, &CallFilter::default(), None, u32::MAX >> 1).await.unwrap();
    let (mut reasons, mut permits, mut positions) = (BTreeSet::new(), 0, BTreeSet::new());
    let mut of_tokens = (0, BTreeSet::new());
    for record in &records {
        assert_ne!(record.decision, Decision::None, "{record:?}");
        let verdict = replay(&history, record).await.unwrap().expect("a decision was recorded");
        let told = verdict.as_ref().err().map(domain::policy::Denial::code);
        match record.decision {
            Decision::Permit => assert_eq!(told, None, "seed {seed}: {record:?}"),
            Decision::Denial | Decision::None => {
                assert_eq!(told, record.reason.as_deref(), "seed {seed}: {record:?}");
            }
        }
        permits += usize::from(told.is_none());
        if record.token.is_some() {
            of_tokens.0 += usize::from(told.is_none());
            of_tokens.1.extend(told);
        }
        reasons.extend(told);
        positions.insert(Position::new(record.position.unsigned_abs()));
    }
    assert_eq!(records.len(), made);
    assert!(
        permits > 20 && reasons.len() > 3 && positions.len() > 10,
        "{permits} {reasons:?} {}",
        positions.len()
    );
    assert!(of_tokens.0 > 0 && of_tokens.1.len() > 2, "{of_tokens:?}");
    println!("calls replayed: with tokens {} permits, {:?}", of_tokens.0, of_tokens.1);
    println!(
        "calls replayed: {made} decisions at {} positions, {permits} permits, {reasons:?}",
        positions.len()
    );
}
