//! A what-if foretells what the gateway says after the commands were really sent, and leaves nothing behind.

use std::collections::BTreeMap;

use harness::Http;
use hyper::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{CALLS, Key, Scene, What, written};
use crate::history::Tenant;
use crate::kill::dice::Dice;

const PATH: &str = "/v1/authz/what-if";

/// A command, as it is proposed and as it is sent.
struct Step {
    proposal: Value,
    method: Method,
    path: String,
    body: Value,
}

impl Step {
    fn of(proposal: Value, method: Method, path: String, body: Value) -> Self {
        Self { proposal, method, path, body }
    }
}

/// What each key is told about each call.
type Told = BTreeMap<(String, Option<&'static str>), Option<String>>;

impl Scene {
    async fn told(&self) -> Told {
        let mut told = Told::new();
        for key in &self.keys {
            for what in CALLS {
                told.insert((key.id.clone(), what.tool()), self.call(key, what).await);
            }
        }
        told
    }

    async fn what_if(&self, proposals: &[&Value]) -> Value {
        let question = json!({ "organization": self.world.organization, "commands": proposals });
        self.world.admin().post(PATH, &question).await.good()
    }

    fn instance_path(&self, rest: &str) -> String {
        self.world.path(&format!("/instances/{}{rest}", self.instance.id))
    }

    /// Commands that can be sent in any order, some of which undo others.
    fn reversible(&self) -> Vec<Step> {
        let (bob, instance) = (&self.bob, &self.instance.id);
        let mut steps = Vec::new();
        for role in ["viewer", "auditor", "member", "owner"] {
            let path = self.world.path(&format!("/members/{bob}"));
            let proposal = json!({ "command": "change_role", "user": bob, "role": role });
            steps.push(Step::of(proposal, Method::PUT, path, json!({ "role": role })));
        }
        for (command, rest, body) in
            [("suspend_user", "suspend", json!({ "reason": "A test" })), ("resume_user", "resume", json!({}))]
        {
            let path = format!("/v1/deployment/users/{bob}/{rest}");
            steps.push(Step::of(json!({ "command": command, "user": bob }), Method::POST, path, body));
        }
        for tools in [json!(["echo"]), json!([]), json!("all")] {
            let proposal = json!({ "command": "change_tools", "instance": instance, "tools": tools });
            let body = json!({ "tools": tools });
            steps.push(Step::of(proposal, Method::PUT, self.instance_path("/tools"), body));
        }
        for (command, rest) in [("stop_instance", "/stop"), ("start_instance", "/start")] {
            let proposal = json!({ "command": command, "instance": instance });
            steps.push(Step::of(proposal, Method::POST, self.instance_path(rest), json!({})));
        }
        for method in ["oauth", "both"] {
            let proposal =
                json!({ "command": "change_authentication", "instance": instance, "authentication": method });
            let body = json!({ "authentication": method });
            steps.push(Step::of(proposal, Method::PUT, self.instance_path("/authentication"), body));
        }
        for (command, method) in [("start_maintenance", Method::POST), ("end_maintenance", Method::DELETE)] {
            let path = "/v1/deployment/maintenance".to_owned();
            steps.push(Step::of(json!({ "command": command }), method, path, json!({})));
        }
        steps
    }

    /// Commands that nothing undoes.
    fn last(&self) -> Vec<Step> {
        let (bob, key) = (&self.bob, &self.keys[0].id);
        let delete = |proposal, path| Step::of(proposal, Method::DELETE, path, json!({}));
        let at = |rest: String| self.world.path(&rest);
        let connection = &self.instance.connection;
        vec![
            delete(json!({ "command": "revoke_api_key", "api_key": key }), at(format!("/api-keys/{key}"))),
            delete(
                json!({ "command": "remove_connection", "connection": connection }),
                at(format!("/connections/{connection}")),
            ),
            delete(json!({ "command": "remove_member", "user": bob }), at(format!("/members/{bob}"))),
            delete(
                json!({ "command": "delete_instance", "instance": self.instance.id }),
                self.instance_path(""),
            ),
        ]
    }
}

/// What each call would be told after the commands: what it is told now, and what turns.
fn foretold(now: &Told, answer: &Value) -> Told {
    let mut then = now.clone();
    for change in answer["changes"].as_array().unwrap() {
        let credential = change["credential"].as_str().unwrap();
        let is = |key: &str, tool: Option<&str>| key == credential && tool == change["tool"].as_str();
        let told = now.iter().find(|((key, tool), _)| is(key, *tool));
        let (_, told) = told.unwrap_or_else(|| panic!("no call was {change}"));
        assert_eq!(told.as_deref(), change["reason_now"].as_str(), "{change}");
        let place = then.iter_mut().find(|((key, tool), _)| is(key, *tool)).unwrap().1;
        *place = change["reason_with_commands"].as_str().map(str::to_owned);
    }
    then
}

#[tokio::test]
async fn what_it_foretells_is_what_the_gateway_says_after_the_commands_were_sent() {
    let scene = Scene::start().await;
    let mut now = scene.told().await;
    let mut number = 0;
    for what in CALLS {
        for key in &scene.keys {
            let reason = now[&(key.id.clone(), what.tool())].clone();
            let mut entries = Vec::new();
            for _ in 0..3 {
                number += 1;
                entries.push(scene.record(number, key, what, reason.as_deref(), 1));
            }
            scene.keep(&entries).await;
        }
    }
    let mut dice = Dice::thrown_for("what-if");
    let mut steps = Vec::new();
    for _ in 0..24 {
        let reversible = scene.reversible();
        let drawn = dice.below(reversible.len());
        steps.extend(reversible.into_iter().nth(drawn));
    }
    // Whatever stands in the way is cleared, so that the last steps have something to end.
    let clearing = ["resume_user", "start_instance", "end_maintenance"];
    let clear = scene.reversible().into_iter().filter(|step| {
        let is = |name: &str, value: &str| step.proposal[name] == value;
        clearing.contains(&step.proposal["command"].as_str().unwrap())
            || is("role", "member")
            || is("tools", "all")
            || is("authentication", "both")
    });
    steps.extend(clear);
    steps.extend(scene.last());
    let (mut turned, mut compared) = (0, 0);
    for step in steps {
        let before = written(&scene.world).await;
        let answer = scene.what_if(&[&step.proposal]).await;
        assert_eq!(written(&scene.world).await, before, "something was written");
        assert_eq!(answer["position"], before[0]);
        assert!(answer["calls"].as_i64().unwrap() >= number, "{answer}");
        let judged = ["allowed_as_before", "denied_as_before", "newly_denied", "newly_allowed"];
        let not_judged = answer["not_judged"].as_object().unwrap().values();
        let parts = judged.iter().map(|name| &answer[*name]).chain(not_judged);
        let sum: i64 = parts.map(|part| part.as_i64().unwrap()).sum();
        assert_eq!(answer["calls"], sum, "{answer}");
        let told = foretold(&now, &answer);
        scene.world.admin().json(step.method, &step.path, &step.body).await.good();
        now = scene.told().await;
        // Of a call that is denied both ways the reason may be another one.
        for ((call, said), then) in now.iter().zip(told.values()) {
            assert_eq!(said.is_none(), then.is_none(), "{call:?} after {}: {said:?} {then:?}", step.proposal);
            compared += 1;
        }
        for change in answer["changes"].as_array().unwrap() {
            let call = (change["credential"].as_str().unwrap().to_owned(), change["tool"].as_str());
            let said = now.iter().find(|(other, _)| **other == call).unwrap().1;
            assert_eq!(said.as_deref(), change["reason_with_commands"].as_str(), "{change}");
            assert!(change["calls"].as_i64().unwrap() >= 1, "{change}");
            turned += 1;
        }
    }
    println!("what-if: {compared} verdicts foretold, {turned} of them other than before");
    assert!(turned > 10, "{turned}");
}

#[tokio::test]
async fn commands_are_decided_one_after_the_other_and_blame_nothing_that_is_denied_anyhow() {
    let scene = Scene::start().await;
    let key = &scene.keys[0];
    let echo = CALLS[1];
    scene
        .keep(&[scene.record(1, key, echo, None, 1), scene.record(2, &scene.keys[3], echo, Some("x"), 1)])
        .await;
    let stop = json!({ "command": "stop_instance", "instance": scene.instance.id });
    let start = json!({ "command": "start_instance", "instance": scene.instance.id });
    let revoke = json!({ "command": "revoke_api_key", "api_key": key.id });
    let both = scene.what_if(&[&stop, &start]).await;
    assert_eq!((&both["allowed_as_before"], &both["denied_as_before"]), (&json!(1), &json!(1)), "{both}");
    assert_eq!(both["events"].as_array().unwrap().len(), 2);
    assert_eq!(both["changes"], json!([]));
    let revoked = scene.what_if(&[&stop, &revoke]).await;
    assert_eq!(revoked["newly_denied"], 1, "{revoked}");
    let change = &revoked["changes"][0];
    assert_eq!(change["reason_with_commands"], "key-revoked");
    assert_eq!((&change["key_id"], &change["principal"]), (&json!(key.public_part), &json!(scene.bob)));
    assert_eq!((&change["tool"], &change["instance"]), (&json!("echo"), &json!(scene.instance.id)));
    scene.manage(Method::DELETE, &format!("/api-keys/{}", key.id), &json!({})).await;
    let after = scene.what_if(&[&stop]).await;
    assert_eq!((&after["newly_denied"], &after["denied_as_before"]), (&json!(0), &json!(2)), "{after}");
}

#[tokio::test]
async fn an_impossible_command_is_refused_as_when_it_is_sent() {
    let scene = Scene::start().await;
    let admin = scene.world.admin();
    let founder = &scene.world.founder;
    let nothing = Uuid::new_v4();
    let fine = json!({ "command": "stop_instance", "instance": scene.instance.id });
    let pairs = [
        (
            json!({ "command": "change_role", "user": founder, "role": "viewer" }),
            Method::PUT,
            scene.world.path(&format!("/members/{founder}")),
            json!({ "role": "viewer" }),
        ),
        (
            json!({ "command": "revoke_api_key", "api_key": nothing }),
            Method::DELETE,
            scene.world.path(&format!("/api-keys/{nothing}")),
            json!({}),
        ),
        (
            json!({ "command": "remove_member", "user": nothing }),
            Method::DELETE,
            scene.world.path(&format!("/members/{nothing}")),
            json!({}),
        ),
        (
            json!({ "command": "suspend_user", "user": nothing }),
            Method::POST,
            format!("/v1/deployment/users/{nothing}/suspend"),
            json!({ "reason": "A test" }),
        ),
    ];
    for (proposal, method, path, body) in pairs {
        let sent = admin.json(method, &path, &body).await;
        let question = json!({ "organization": scene.world.organization, "commands": [fine, proposal] });
        let asked = admin.post(PATH, &question).await;
        assert_eq!(asked.status, sent.status, "{proposal}");
        let (asked, sent): (Value, Value) = (asked.body(), sent.body());
        assert_eq!((&asked["type"], &asked["detail"]), (&sent["type"], &sent["detail"]), "{proposal}");
        assert_eq!(asked["command"], 2);
    }
}

#[tokio::test]
async fn a_question_that_is_none_is_refused() {
    let scene = Scene::start().await;
    let admin = scene.world.admin();
    let ask = async |body: Value| admin.post(PATH, &body).await;
    let stop = json!([{ "command": "stop_instance", "instance": scene.instance.id }]);
    ask(json!({})).await.refused(400, "wrong-shape");
    ask(json!({ "commands": [{ "command": "be_nice" }] })).await.refused(400, "wrong-shape");
    ask(json!({ "commands": [{ "command": "end_maintenance", "now": true }] }))
        .await
        .refused(400, "wrong-shape");
    ask(json!({ "commands": [] })).await.refused(400, "bad-question");
    ask(json!({ "commands": stop, "days": 0 })).await.refused(400, "bad-question");
    ask(json!({ "commands": stop, "days": 93 })).await.refused(400, "bad-question");
    ask(json!({ "commands": stop, "days": 1, "from": "2026-01-01T00:00:00Z" }))
        .await
        .refused(400, "bad-question");
    ask(json!({ "commands": stop, "limit": 0 })).await.refused(400, "bad-limit");
    let without = json!({ "commands": [{ "command": "suspend_organization" }] });
    ask(without).await.refused(422, "invalid");
}

#[tokio::test]
async fn an_auditor_asks_about_their_own_organization_and_sees_no_other() {
    let scene = Scene::start().await;
    let echo = CALLS[1];
    scene.keep(&[scene.record(1, &scene.keys[0], echo, None, 1)]).await;
    let auditor = scene.auditor().await;
    let rival = Tenant::of(&scene.world).await;
    let ask = async |http: &Http, command: Value| http.post(PATH, &json!({ "commands": [command] })).await;
    let Key { id: key, .. } = &scene.keys[0];
    for command in [
        json!({ "command": "stop_instance", "instance": scene.instance.id }),
        json!({ "command": "revoke_api_key", "api_key": key }),
        json!({ "command": "suspend_user", "user": scene.bob }),
        json!({ "command": "retire_server", "server": scene.instance.server }),
        json!({ "command": "remove_connection", "connection": scene.instance.connection }),
    ] {
        let newly = ask(&auditor, command.clone()).await.good()["newly_denied"].clone();
        assert_eq!(newly, 1, "{command}");
        ask(&rival.owner, command).await.refused(404, "not-found");
    }
    let whole = ask(&auditor, json!({ "command": "suspend_organization" })).await.good();
    assert_eq!(whole["changes"][0]["reason_with_commands"], "organization-suspended", "{whole}");
    let theirs = ask(&rival.owner, json!({ "command": "suspend_organization" })).await.good();
    assert_eq!((&theirs["calls"], &theirs["organization"]), (&json!(0), &json!(rival.organization)));
    ask(&auditor, json!({ "command": "start_maintenance" })).await.refused(403, "forbidden");
    let elsewhere = json!({ "organization": scene.world.organization, "commands": [{ "command": "suspend_organization" }] });
    rival.owner.post(PATH, &elsewhere).await.refused(404, "not-found");
}

#[tokio::test]
async fn calls_that_were_never_read_are_not_judged_and_what_limit_leaves_out_is_said() {
    let scene = Scene::start().await;
    let mut unread = scene.record(1, &scene.keys[0], What::List, Some("rate-limited"), 1);
    let projections::calls::Entry::Call(call) = &mut unread else { unreachable!() };
    (call.record.wish, call.record.decision) = (None, projections::calls::Decision::None);
    let mut entries = vec![unread];
    for (number, what) in (2..).zip(CALLS) {
        entries.push(scene.record(number, &scene.keys[0], what, None, 1));
    }
    scene.keep(&entries).await;
    let stop = json!({ "command": "stop_instance", "instance": scene.instance.id });
    let answer =
        scene.world.admin().post(PATH, &json!({ "commands": [stop], "limit": 1, "days": 2 })).await.good();
    assert_eq!(answer["not_judged"], json!({ "not-read": 1 }), "{answer}");
    assert_eq!((&answer["calls"], &answer["newly_denied"]), (&json!(5), &json!(4)));
    assert_eq!((answer["changes"].as_array().unwrap().len(), &answer["changes_left_out"]), (1, &json!(3)));
}

#[tokio::test]
async fn many_calls_that_put_few_questions_are_judged_a_few_times() {
    const COPIES: i64 = 10_000;
    let scene = Scene::start().await;
    let each = scene.keys.iter().flat_map(|key| CALLS.map(|what| (key, what)));
    let entries: Vec<_> =
        (1..).zip(each).map(|(number, (key, what))| scene.record(number, key, what, None, 1)).collect();
    scene.keep(&entries).await;
    let mut connection = scene.world.node.running.pool.acquire().await.unwrap();
    for statement in [
        "create temporary table more as select c.* from calls c, generate_series(1, $1)",
        "alter table more add column i bigint generated always as identity",
        "update more set id = (substr(replace(id::text, '-', ''), 1, 12) || lpad(to_hex(i), 20, '0'))::uuid",
        "alter table more drop column i",
        "insert into calls select * from more",
    ] {
        let statement = statement.replace("$1", &COPIES.to_string());
        sqlx::query(&statement).execute(&mut *connection).await.unwrap();
    }
    drop(connection);
    let calls = (COPIES + 1) * i64::try_from(entries.len()).unwrap();
    let stop = json!({ "command": "stop_instance", "instance": scene.instance.id });
    let started = std::time::Instant::now();
    let answer = scene.what_if(&[&stop]).await;
    let took = started.elapsed();
    assert_eq!(
        (&answer["calls"], &answer["newly_denied"]),
        (&json!(calls), &json!(calls / 16 * 8)),
        "{answer}"
    );
    let started = std::time::Instant::now();
    let key = &scene.keys[0].id;
    let path = format!("/v1/audit/blast-radius?credential={key}");
    let reach = scene.world.admin().get(&path).await.good();
    assert_eq!(reach["calls"], calls / 4);
    println!(
        "{calls} calls: what-if in {took:?}, blast radius of one of four keys in {:?}",
        started.elapsed()
    );
}
