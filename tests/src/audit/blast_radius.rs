//! What a key could do is what explanations say at every position, and what it did is what was done with it.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::Duration;

use api::adapters::system::SystemClock;
use domain::value::Clock as _;
use harness::{Http, sekisho};
use hyper::Method;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use super::{CALLS, Key, Scene};
use crate::history::{Tenant, head};

fn path(key: &str, more: &str) -> String {
    format!("/v1/audit/blast-radius?credential={key}{more}")
}

impl Scene {
    async fn instance_is(&self, method: Method, rest: &str, body: &Value) {
        self.manage(method, &format!("/instances/{}{rest}", self.instance.id), body).await;
    }

    async fn deployment(&self, method: Method, rest: &str, body: &Value) {
        self.world.admin().json(method, &format!("/v1/deployment{rest}"), body).await.good();
    }

    /// Grants and revocations, one event each.
    async fn tell(&self) {
        for role in ["viewer", "auditor", "owner"] {
            self.role(role).await;
        }
        let why = json!({ "reason": "A test" });
        let user = format!("/users/{}", self.bob);
        self.deployment(Method::POST, &format!("{user}/suspend"), &why).await;
        self.deployment(Method::POST, &format!("{user}/resume"), &json!({})).await;
        for tools in [json!(["look", "other"]), json!(["echo"]), json!("all")] {
            self.instance_is(Method::PUT, "/tools", &json!({ "tools": tools })).await;
        }
        for rest in ["/stop", "/start"] {
            self.instance_is(Method::POST, rest, &json!({})).await;
        }
        for method in ["oauth", "both"] {
            self.instance_is(Method::PUT, "/authentication", &json!({ "authentication": method })).await;
        }
        self.deployment(Method::POST, "/maintenance", &json!({})).await;
        self.deployment(Method::DELETE, "/maintenance", &json!({})).await;
        self.manage(Method::DELETE, &format!("/api-keys/{}", self.keys[0].id), &why).await;
        self.manage(Method::DELETE, &format!("/members/{}", self.bob), &json!({})).await;
        self.role("member").await;
        self.instance_is(Method::DELETE, "", &json!({})).await;
    }

    async fn reach(&self, key: &str, more: &str) -> Value {
        self.world.admin().get(&path(key, more)).await.good()
    }

    async fn explained(&self, key: &str, tool: &str, read_only: bool, at: u64) -> bool {
        let instance = &self.instance.id;
        let path = format!(
            "/v1/authz/explain?principal={key}&instance={instance}&tool={tool}&read_only={read_only}&at={at}"
        );
        self.world.admin().get(&path).await.good()["allowed"].as_bool().unwrap()
    }

    /// Whether an answer says that a tool of the instance could be called at a position.
    fn could(&self, reach: &Value, tool: &str, read_only: bool, at: u64) -> bool {
        reach["could"].as_array().unwrap().iter().any(|could| {
            let is = could["what"] == "call"
                && could["instance"] == self.instance.id
                && (could["tool"] == tool || could["tool"] == "*")
                && (read_only || could["read_only"] == false);
            is && holds(could, at)
        })
    }

    /// Compares an answer with explanations at all positions of its span.
    async fn compare(&self, key: &str, reach: &Value) -> usize {
        let position = |name: &str| reach[name].as_u64().unwrap();
        let mut compared = 0;
        for at in position("from_position")..=position("to_position") {
            for tool in ["echo", "look", "absent"] {
                for read_only in [false, true] {
                    let explained = self.explained(key, tool, read_only, at).await;
                    let could = self.could(reach, tool, read_only, at);
                    assert_eq!(could, explained, "{key} {tool} {read_only} at {at}: {reach:#}");
                    compared += 1;
                }
            }
        }
        compared
    }
}

pub(super) fn holds(could: &Value, at: u64) -> bool {
    could["from"]["position"].as_u64().unwrap() <= at
        && could["to"]["position"].as_u64().is_none_or(|end| at < end)
}

#[tokio::test]
async fn what_is_not_there_and_what_is_misspelt_is_refused() {
    let scene = Scene::start().await;
    let Key { id, public_part, .. } = &scene.keys[0];
    let rival = Tenant::of(&scene.world).await;
    let ask = async |http: &Http, key: &str, more: &str| http.get(&path(key, more)).await;
    let admin = scene.world.admin();
    let nothing = Uuid::new_v4().to_string();
    for unknown in [&nothing, "0000000000000000000000"] {
        ask(&admin, unknown, "").await.refused(404, "not-found");
    }
    for foreign in [id, public_part] {
        let refused = ask(&rival.owner, foreign, "").await;
        refused.refused(404, "not-found");
        assert_eq!(refused.bytes, ask(&rival.owner, &nothing, "").await.bytes);
    }
    ask(&admin, id, "&till=1").await.refused(400, "bad-query");
    ask(&admin, "ann", "").await.refused(400, "bad-question");
    ask(&admin, &format!("user:{}", scene.bob), "").await.refused(400, "bad-question");
    ask(&admin, id, "&from=now").await.refused(400, "bad-question");
    ask(&admin, id, "&from=9&to=8").await.refused(400, "bad-question");
    ask(&admin, id, "&to=1000000").await.refused(422, "not-yet");
    let auditor = scene.auditor().await;
    assert_eq!(ask(&auditor, public_part, "").await.good()["credential"], *id);
}

#[tokio::test]
async fn what_it_could_is_what_explanations_say_at_every_position() {
    let scene = Scene::start().await;
    scene.tell().await;
    let mut compared = 0;
    for key in &scene.keys {
        let reach = scene.reach(&key.id, "").await;
        compared += scene.compare(&key.id, &reach).await;
        for could in reach["could"].as_array().unwrap() {
            assert_eq!(could["from"]["set_by"]["position"], could["from"]["position"], "{could}");
        }
    }
    let (middle, end) = (head(&scene.world).await - 8, head(&scene.world).await - 3);
    let key = &scene.keys[1];
    let part = scene.reach(&key.public_part, &format!("&from={middle}&to={end}")).await;
    compared += scene.compare(&key.id, &part).await;
    for could in part["could"].as_array().unwrap() {
        assert!(could["from"]["position"].as_u64().unwrap() <= end, "{could}");
        assert!(could["to"]["position"].as_u64().is_none_or(|to| middle < to && to <= end), "{could}");
    }
    println!("blast radius: {compared} explanations compared");
    let revoked = scene.reach(&scene.keys[0].id, "").await;
    let last = revoked["could"].as_array().unwrap().iter().filter_map(|could| could["to"]["reason"].as_str());
    assert!(last.clone().any(|reason| reason == "key-revoked"), "{revoked:#}");
    assert!(revoked["could"].as_array().unwrap().iter().all(|could| !could["to"].is_null()), "{revoked:#}");
    let scopes = |reach: &Value| {
        let could = reach["could"].as_array().unwrap().iter();
        could.filter_map(|could| could["scope"].as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    assert!(scopes(&revoked).is_empty());
    let reads = scene.reach(&key.id, "").await;
    assert!(
        !scopes(&reads).is_empty() && scopes(&reads).iter().all(|scope| scope == "org:read"),
        "{reads:#}"
    );
}

#[tokio::test]
async fn the_command_line_says_the_same() {
    let scene = Scene::start().await;
    let (key, end) = (&scene.keys[1].public_part, head(&scene.world).await.to_string());
    let run = async |arguments: &[&str]| {
        let mut command = Command::new(sekisho());
        command.arg("blast-radius").args(arguments).stdin(Stdio::null());
        command.env("DATABASE_URL", &scene.world.database.url);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    assert_eq!(run(&["--credential", &Uuid::new_v4().to_string()]).await.0, Some(2));
    assert_eq!(run(&["--credential", key, "--to", "1000000"]).await.0, Some(2));
    let (code, told) = run(&["--credential", key, "--to", &end]).await;
    assert_eq!(code, Some(0), "{told}");
    let mut told: Value = serde_json::from_str(&told).unwrap();
    let mut reach = scene.reach(key, &format!("&to={end}")).await;
    for answer in [&mut told, &mut reach] {
        answer["incomplete"] = Value::Null; // which grows with the time
    }
    assert_eq!(told, reach);
}

#[tokio::test]
async fn a_key_that_ends_by_itself_ends_its_reach_without_an_event() {
    let scene = Scene::start().await;
    let end = SystemClock.now().get() + Duration::from_secs(3);
    let end = end.replace_nanosecond(0).unwrap().format(&Rfc3339).unwrap();
    let body = json!({ "name": "Short", "scopes": ["mcp:write"], "expires_at": end });
    let key = scene.manage(Method::POST, "/api-keys", &body).await["id"].clone();
    let key = key.as_str().unwrap();
    let open = scene.reach(key, &format!("&to={}", head(&scene.world).await)).await;
    assert!(open["could"].as_array().unwrap().iter().all(|could| could["to"].is_null()), "{open:#}");
    scene.role("viewer").await;
    loop {
        let reach = scene.reach(key, "").await;
        if reach["could"].as_array().unwrap().iter().all(|could| !could["to"].is_null()) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    scene.role("member").await;
    let reach = scene.reach(key, "").await;
    assert_eq!(reach["expires_at"], end);
    let at_end = head(&scene.world).await;
    for could in reach["could"].as_array().unwrap() {
        assert_eq!((&could["to"]["reason"], &could["to"]["time"]), (&json!("key-expired"), &json!(end)));
        assert_eq!(
            (&could["to"]["set_by"], &could["to"]["position"]),
            (&Value::Null, &json!(at_end)),
            "{could}"
        );
    }
    assert!(scene.compare(key, &reach).await > 0);
    let after = scene.reach(key, &format!("&from={end}")).await;
    assert_eq!(after["could"], json!([]), "nothing is left at its end");
}

#[tokio::test]
async fn what_it_wrote_is_every_event_that_names_it() {
    let scene = Scene::start().await;
    let body = json!({ "name": "Builder", "scopes": ["org:write", "keys:write", "mcp:read"] });
    let issued = scene.manage(Method::POST, "/api-keys", &body).await;
    let (key, text) = (issued["id"].as_str().unwrap(), issued["api_key"].as_str().unwrap());
    let http = scene.world.node.http().as_key(text);
    let keys = scene.world.path("/api-keys");
    let mut made = Vec::new();
    for name in ["One", "Two"] {
        let made_one = http.post(&keys, &json!({ "name": name, "scopes": ["org:read"] })).await.good();
        made.push(made_one["id"].clone());
    }
    let renamed = format!("{keys}/{}", made[0].as_str().unwrap());
    http.json(Method::PATCH, &renamed, &json!({ "name": "Three" })).await.good();
    http.post(&scene.world.path(&format!("/instances/{}/stop", scene.instance.id)), &json!({})).await.good();
    let reach = scene.reach(key, "").await;
    let events = crate::history::all_pages(&scene.world.admin(), "/v1/events", 100).await.0;
    let mut expected: BTreeMap<(String, String), i64> = BTreeMap::new();
    for event in events {
        if event["metadata"]["credential"] == format!("api_key:{key}") {
            let name = |member: &str| event[member].as_str().unwrap().to_owned();
            *expected.entry((name("aggregate"), name("type"))).or_default() += 1;
        }
    }
    let wrote: BTreeMap<(String, String), i64> = reach["wrote"]
        .as_array()
        .unwrap()
        .iter()
        .map(|wrote| {
            let name = |member: &str| wrote[member].as_str().unwrap().to_owned();
            ((name("aggregate"), name("type")), wrote["events"].as_i64().unwrap())
        })
        .collect();
    assert_eq!(wrote, expected, "{reach:#}");
    assert_eq!(wrote.values().sum::<i64>(), 4);
    let issued: Vec<&Value> =
        reach["issued"].as_array().unwrap().iter().map(|key| &key["credential"]).collect();
    assert_eq!(issued, made.iter().collect::<Vec<_>>());
    let listed_at = reach["wrote"][0]["listed_at"].as_str().unwrap();
    let listed = scene.world.admin().get(listed_at).await.good();
    assert_eq!(listed["items"].as_array().unwrap().len(), 2, "{listed_at}");
    let before = issued_before(&reach);
    let none = scene.reach(key, &format!("&to={before}")).await;
    assert_eq!((&none["wrote"], &none["issued"]), (&json!([]), &json!([])));
    assert_eq!((&reach["calls"], &reach["called"]), (&json!(0), &json!([])), "it never called");
}

fn issued_before(reach: &Value) -> u64 {
    reach["wrote"][0]["first"].as_u64().unwrap() - 1
}

#[tokio::test]
async fn what_it_called_is_what_its_records_say() {
    let scene = Scene::start().await;
    let (key, other) = (&scene.keys[0], &scene.keys[1]);
    let mut entries = Vec::new();
    for (number, what) in (1..).zip(CALLS.into_iter().chain(CALLS)) {
        let reason = (what.tool() == Some("absent")).then_some("tool-not-exposed");
        entries.push(scene.record(2 * number, key, what, reason, 5));
        entries.push(scene.record(2 * number - 1, other, what, None, 5));
    }
    entries.push(scene.record(17, key, CALLS[1], Some("role-too-low"), 7));
    scene.keep(&entries).await;
    let reach = scene.reach(&key.id, "").await;
    assert_eq!(reach["calls"], 9, "{reach:#}");
    let called = reach["called"].as_array().unwrap();
    let group = |tool: Value, decision: &str, reason: Value| {
        let found = called.iter().find(|group| {
            group["tool"] == tool && group["decision"] == decision && group["reason"] == reason
        });
        found.unwrap_or_else(|| panic!("{tool} {decision} in {reach:#}"))
    };
    let echo = group(json!("echo"), "permit", Value::Null);
    assert_eq!(
        (&echo["calls"], &echo["bytes_in"], &echo["bytes_out"]),
        (&json!(2), &json!(200), &json!(400))
    );
    assert_eq!(echo["upstreams"], json!(["http://127.0.0.1:9"]));
    assert_eq!(echo["instance"], scene.instance.id);
    let absent = group(json!("absent"), "denial", json!("tool-not-exposed"));
    assert_eq!((&absent["calls"], &absent["upstreams"]), (&json!(2), &json!([])));
    assert_eq!(group(json!("echo"), "denial", json!("role-too-low"))["calls"], 1);
    assert_eq!(group(Value::Null, "permit", Value::Null)["method"], "tools/list");
    let issued = reach["from_position"].as_u64().unwrap();
    let end = head(&scene.world).await;
    scene.role("viewer").await;
    let seven = scene.reach(&key.id, &format!("&from={}&to={}", end, end + 1)).await;
    assert_eq!(seven["calls"], 0, "decided at positions before {end}, issued at {issued}");
}
