//! What a key may do within what an instance exposes: its scopes, and the role of whoever stands behind it.

use harness::{Answer, Scripted, ScriptedUpstream};
use hyper::Method;
use serde_json::{Value, json};

use super::people::Member;
use super::scene::{Scene, call, list, names, notification, patience, request};

async fn scene() -> Scene {
    Scene::of(Scripted::Tools(vec![("look", true), ("write", false)])).await
}

fn asks_for(answer: &Answer, scope: &str) -> bool {
    let challenge = answer.header("www-authenticate").unwrap_or_default();
    challenge.contains("error=\"insufficient_scope\"") && challenge.contains(&format!("scope=\"{scope}\""))
}

#[tokio::test]
async fn a_key_of_the_management_api_opens_no_endpoint() {
    let scene = scene().await;
    let key = scene.world.key(&["org:write", "keys:write", "audit:read"], None).await;
    for message in
        [list(1), call(1, "look"), request(1, "initialize", &json!({})), request(1, "ping", &json!({}))]
    {
        scene.call_as(&key, &message).await.refused_call(403, "insufficient-scope", &json!(1));
    }
    assert!(scene.upstream.seen().is_empty());
}

#[tokio::test]
async fn a_key_for_one_tool_sees_and_calls_that_one() {
    let scene = scene().await;
    let key = scene.world.key(&["tool:write"], None).await;
    let refused = scene.call_as(&key, &call(1, "look")).await;
    refused.refused_call(403, "insufficient-scope", &json!(1));
    assert!(asks_for(&refused, "tool:look"), "{:?}", refused.headers);
    let nowhere = scene.call_as(&key, &call(1, "nowhere")).await;
    nowhere.refused_call(403, "insufficient-scope", &json!(1));
    assert_eq!(scene.call_as(&key, &call(2, "write")).await.good()["result"]["content"][0]["text"], "write");
    assert_eq!(names(&scene.call_as(&key, &list(3)).await.good()), ["write"]);
    scene.call_as(&key, &request(4, "resources/list", &json!({}))).await.refused_call(
        403,
        "insufficient-scope",
        &json!(4),
    );
}

#[tokio::test]
async fn a_reading_key_calls_a_read_only_tool_without_having_listed_it_first() {
    let scene = scene().await;
    let key = scene.world.key(&["mcp:read"], None).await;
    assert_eq!(scene.call_as(&key, &call(1, "look")).await.good()["result"]["content"][0]["text"], "look");
    let asked: Vec<Value> =
        scene.upstream.take_seen().iter().map(|seen| seen.message()["method"].clone()).collect();
    assert_eq!(asked, ["tools/list", "tools/call"], "the upstream was asked what the tool is");
    scene.call_as(&key, &call(2, "look")).await.good();
    assert_eq!(scene.upstream.take_seen().len(), 1, "and is asked once");
}

#[tokio::test]
async fn a_reading_key_calls_no_tool_that_writes_or_says_nothing() {
    let scene = scene().await;
    let key = scene.world.key(&["mcp:read"], None).await;
    for (tool, scope) in [("write", "tool:write"), ("nowhere", "tool:nowhere")] {
        let refused = scene.call_as(&key, &call(1, tool)).await;
        refused.refused_call(403, "insufficient-scope", &json!(1));
        assert!(asks_for(&refused, scope), "{:?}", refused.headers);
    }
    let silent = scene.call_as(&key, &notification("tools/call", &json!({ "name": "write" }))).await;
    silent.refused_call(403, "insufficient-scope", &Value::Null);
    assert_eq!(names(&scene.call_as(&key, &list(2)).await.good()), ["look"]);
    assert!(scene.upstream.seen().iter().all(|seen| seen.message()["method"] == "tools/list"));
}

#[tokio::test]
async fn a_tool_that_begins_to_write_is_no_longer_read_only_once_a_list_says_so() {
    let scene = scene().await;
    let key = scene.world.key(&["mcp:read"], None).await;
    scene.call_as(&key, &call(1, "look")).await.good();
    scene.upstream.now(Scripted::Tools(vec![("look", false)]));
    assert!(names(&scene.call_as(&key, &list(2)).await.good()).is_empty());
    scene.call_as(&key, &call(3, "look")).await.refused_call(403, "insufficient-scope", &json!(3));
}

#[tokio::test]
async fn a_viewer_reads_whatever_the_scopes_of_the_key_say() {
    let scene = scene().await;
    let viewer = Member::join(&scene.world, "viewer").await;
    let key = viewer.key(&scene.world, &["mcp:write"]).await;
    scene.call_as(&key, &call(1, "write")).await.refused_call(403, "role-too-low", &json!(1));
    scene.call_as(&key, &request(2, "vendor/anything", &json!({}))).await.refused_call(
        403,
        "role-too-low",
        &json!(2),
    );
    assert_eq!(names(&scene.call_as(&key, &list(3)).await.good()), ["look"]);
    scene.call_as(&key, &call(4, "look")).await.good();
}

#[tokio::test]
async fn an_auditor_calls_nothing() {
    let scene = scene().await;
    let auditor = Member::join(&scene.world, "auditor").await;
    let key = auditor.key(&scene.world, &["mcp:write"]).await;
    for message in [list(1), call(1, "look"), request(1, "initialize", &json!({}))] {
        scene.call_as(&key, &message).await.refused_call(403, "role-too-low", &json!(1));
    }
    assert!(scene.upstream.seen().is_empty());
}

#[tokio::test]
async fn a_method_that_nobody_knows_wants_the_right_to_write() {
    let scene = scene().await;
    let reading = scene.world.key(&["mcp:read"], None).await;
    let refused = scene.call_as(&reading, &request(1, "vendor/anything", &json!({}))).await;
    refused.refused_call(403, "insufficient-scope", &json!(1));
    assert!(asks_for(&refused, "mcp:write"), "{:?}", refused.headers);
    assert!(scene.upstream.seen().is_empty());
    scene.call(&request(2, "vendor/anything", &json!({}))).await.good();
}

#[tokio::test]
async fn a_reading_key_discovers_lists_and_reads() {
    let scene = scene().await;
    let key = scene.world.key(&["mcp:read"], None).await;
    for method in [
        "initialize",
        "server/discover",
        "ping",
        "logging/setLevel",
        "resources/list",
        "resources/templates/list",
        "prompts/list",
        "completion/complete",
        "subscriptions/listen",
    ] {
        scene.call_as(&key, &request(1, method, &json!({}))).await.good();
    }
    scene.call_as(&key, &request(2, "resources/read", &json!({ "uri": "test://a" }))).await.good();
    scene.call_as(&key, &request(3, "prompts/get", &json!({ "name": "a" }))).await.good();
    let answered = json!({ "jsonrpc": "2.0", "id": "asked-by-the-server", "result": {} });
    assert!(scene.call_as(&key, &answered).await.status.is_success());
    let notified = notification("notifications/cancelled", &json!({ "requestId": 1 }));
    assert!(scene.call_as(&key, &notified).await.status.is_success());
}

#[tokio::test]
async fn what_one_upstream_calls_read_only_says_nothing_of_the_next() {
    let scene = scene().await;
    let key = scene.world.key(&["mcp:read"], None).await;
    scene.call_as(&key, &call(1, "look")).await.good();
    let another = ScriptedUpstream::start(Scripted::Tools(vec![("look", false)])).await;
    let server = json!({
        "name": "Another", "visibility": "organization", "transport": { "http": { "url": another.url } }, "credential_fields": [],
    });
    scene.manage(Method::PUT, &format!("/servers/{}", scene.instance.server), &server).await;
    scene.call_as(&key, &call(2, "look")).await.refused_call(403, "insufficient-scope", &json!(2));
    assert!(another.seen().iter().all(|seen| seen.message()["method"] == "tools/list"));
}

/// The lists that the upstream was asked for.
fn lists_asked(scene: &Scene) -> usize {
    scene.upstream.seen().iter().filter(|seen| seen.message()["method"] == "tools/list").count()
}

#[tokio::test]
async fn many_calls_that_hang_on_one_list_ask_the_upstream_for_it_once() {
    let scene = scene().await;
    let key = scene.world.key(&["mcp:read"], None).await;
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..40 {
        let (client, path) = (scene.anybody().as_key(&key), scene.path());
        calls.spawn(async move { client.post(&path, &call(number, "look")).await });
    }
    for answer in calls.join_all().await {
        answer.good();
    }
    assert_eq!(lists_asked(&scene), 1);
}

#[tokio::test]
async fn a_list_that_could_not_be_had_is_asked_for_again() {
    let scene = scene().await;
    let key = scene.world.key(&["mcp:read"], None).await;
    scene.upstream.now(Scripted::Raw { status: 500, content_type: "text/plain", body: "down".into() });
    scene.call_as(&key, &call(1, "look")).await.refused_call(502, "upstream-bad-answer", &json!(1));
    scene.upstream.now(Scripted::Tools(vec![("look", true)]));
    scene.call_as(&key, &call(2, "look")).await.good();
}

#[tokio::test]
async fn a_reading_key_is_told_what_is_wrong_with_an_upstream_that_cannot_say_what_its_tools_are() {
    let scene = Scene::with(Scripted::Silence(std::time::Duration::from_mins(10)), patience(300)).await;
    let key = scene.world.key(&["mcp:read"], None).await;
    scene.call_as(&key, &call(1, "look")).await.refused_call(504, "upstream-timeout", &json!(1));
    for (body, content_type) in [
        ("<html></html>", "text/html"),
        ("not JSON", "application/json"),
        ("data: x\n\n", "text/event-stream"),
    ] {
        scene.upstream.now(Scripted::Raw { status: 200, content_type, body: body.into() });
        scene.call_as(&key, &call(2, "look")).await.refused_call(502, "upstream-bad-answer", &json!(2));
    }
    scene.upstream.now(Scripted::CutStream("data: {\"jsonrpc\"".into()));
    scene.call_as(&key, &call(3, "look")).await.refused_call(502, "upstream-closed", &json!(3));
    scene.upstream.now(Scripted::Raw { status: 401, content_type: "text/plain", body: "who?".into() });
    scene.call_as(&key, &call(4, "look")).await.refused_call(502, "upstream-unauthorized", &json!(4));
    let no_list = r#"{"jsonrpc":"2.0","id":5,"error":{"code":-32601,"message":"no tools here"}}"#;
    scene.upstream.now(Scripted::Raw { status: 200, content_type: "application/json", body: no_list.into() });
    scene.call_as(&key, &call(5, "look")).await.refused_call(403, "insufficient-scope", &json!(5));
    let closed =
        scene.world.instance_in_front_of(&"http://127.0.0.1:1/mcp".parse().expect("an address")).await;
    let client = scene.anybody().as_key(&key);
    client.post(&closed.path(), &call(6, "look")).await.refused_call(502, "upstream-unreachable", &json!(6));
}

#[tokio::test]
async fn a_list_is_read_no_further_than_its_own_event() {
    let list = r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"look","annotations":{"readOnlyHint":true}}]}}"#;
    let note = r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":1}}"#;
    let pieces = vec![format!(": hello\n\ndata: {note}\n\n").into(), format!("data: {list}\n\n").into()];
    let scene = Scene::of(Scripted::Events { pieces, pause: std::time::Duration::ZERO, ends: false }).await;
    let key = scene.world.key(&["mcp:read"], None).await;
    let (client, path) = (scene.anybody().as_key(&key), scene.path());
    let called = tokio::spawn(async move { client.post(&path, &call(1, "look")).await });
    super::scene::until("the tool is called, though the stream of the list is open", async || {
        scene.upstream.seen().iter().any(|seen| seen.message()["method"] == "tools/call")
    })
    .await;
    called.abort();
}

#[tokio::test]
async fn a_list_that_fails_in_one_revision_is_asked_for_in_another() {
    let scene = Scene::with(Scripted::Silence(std::time::Duration::from_mins(10)), patience(1000)).await;
    let key = scene.world.key(&["mcp:read"], None).await;
    let ask = |number: u32, revision: &str| {
        let client = scene.anybody().as_key(&key).with("mcp-protocol-version", revision);
        let path = scene.path();
        tokio::spawn(async move { client.post(&path, &call(number, "look")).await })
    };
    let leader = ask(1, "2025-06-18");
    super::scene::until("the list is asked for", async || lists_asked(&scene) == 1).await;
    scene.upstream.now(Scripted::Tools(vec![("look", true)]));
    let another = ask(2, "2025-11-25");
    leader.await.expect("an answer").refused_call(504, "upstream-timeout", &json!(1));
    another.await.expect("an answer").good();
}

#[tokio::test]
async fn a_caller_that_leaves_while_its_list_is_asked_for_holds_up_nobody() {
    let scene = scene().await;
    let key = scene.world.key(&["mcp:read"], None).await;
    scene.upstream.now(Scripted::Silence(std::time::Duration::from_mins(10)));
    let ask = |number: u32| {
        let (client, path) = (scene.anybody().as_key(&key), scene.path());
        tokio::spawn(async move { client.post(&path, &call(number, "look")).await })
    };
    let leader = ask(1);
    super::scene::until("the list is asked for", async || lists_asked(&scene) == 1).await;
    scene.upstream.now(Scripted::Tools(vec![("look", true)]));
    let followers = [ask(2), ask(3)];
    leader.abort();
    for follower in followers {
        follower.await.expect("an answer").good();
    }
}
