//! Every recorded decision, taken again at its stamped position, is the one that was recorded.

use std::collections::BTreeSet;

use domain::value::Position;
use harness::{Http, Scripted};
use hyper::Method;
use projections::LogReader;
use projections::calls::{CallFilter, Decision, page, replay};
use projections::history::History;
use serde_json::{Value, json};
use uuid::Uuid;

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

/// Bob, his keys, and whoever changes what they may do while they call.
struct Story {
    scene: Scene,
    bob: String,
    keys: Vec<(String, String)>,
    dice: Dice,
}

impl Story {
    async fn begin(seed: u64) -> Self {
        let scene = Scene::of(Scripted::Tools(vec![("echo", false), ("look", true)])).await;
        let bob =
            scene.world.admin().post(&scene.world.path("/users"), &json!({ "name": "Bob" })).await.good();
        let bob = bob["id"].as_str().unwrap().to_owned();
        let mut story = Self { scene, bob, keys: Vec::new(), dice: Dice(seed) };
        story.manage(Method::PUT, &format!("/members/{}", story.bob), &json!({ "role": "member" })).await;
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
        let nothing = json!({});
        match self.dice.below(9) {
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
            _ => {
                let method = if self.dice.below(3) == 0 { Method::POST } else { Method::DELETE };
                self.scene.world.admin().json(method, "/v1/deployment/maintenance", &nothing).await;
            }
        }
    }
}

/// Calls with every key, of every kind, until told to stop; answers how many.
async fn keep_calling(http: Http, keys: Vec<String>, path: String, rounds: u64) -> usize {
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
        for key in &keys {
            let message = &messages[usize::try_from(round).unwrap() % messages.len()];
            http.clone().as_key(key).post(&path, message).await;
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
    let mut made = 0;
    for _ in 0..CHANGES {
        let keys = story.keys.iter().rev().take(5).map(|(_, text)| text.clone()).collect();
        let rounds = 1 + story.dice.below(3);
        let (http, path) = (story.scene.world.node.http(), story.scene.instance.path());
        let calling = tokio::spawn(keep_calling(http, keys, path, rounds));
        story.change().await;
        made += calling.await.unwrap();
    }
    // Whatever the dice said, some calls are let through.
    story.open_up().await;
    let (http, path) = (story.scene.world.node.http(), story.scene.instance.path());
    let newest = story.keys.last().map(|(_, text)| text.clone()).into_iter().collect();
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
        reasons.extend(told);
        positions.insert(Position::new(record.position.unsigned_abs()));
    }
    assert_eq!(records.len(), made);
    assert!(
        permits > 20 && reasons.len() > 3 && positions.len() > 10,
        "{permits} {reasons:?} {}",
        positions.len()
    );
    println!(
        "calls replayed: {made} decisions at {} positions, {permits} permits, {reasons:?}",
        positions.len()
    );
}
