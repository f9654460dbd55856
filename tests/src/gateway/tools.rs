//! The allow-list of an instance: what is not on it is neither shown nor called, and looks like nothing at all.

use std::time::Duration;

use bytes::Bytes;
use harness::Scripted;
use hyper::Method;
use serde_json::{Value, json};

use super::scene::{Scene, call, list, names, notification, request};

fn tools() -> Scripted {
    Scripted::Tools(vec![("echo", true), ("add", false), ("drop", false)])
}

#[tokio::test]
async fn a_hidden_tool_is_refused_exactly_like_one_that_never_was() {
    let scene = Scene::exposing(tools(), &["echo"]).await;
    let hidden = scene.call(&call(1, "drop")).await;
    hidden.refused_call(403, "tool-not-exposed", &json!(1));
    for tool in ["nowhere", "Echo", "echo ", "ech\u{43e}", ""] {
        let absent = scene.call(&call(1, tool)).await;
        assert_eq!((absent.status, &absent.bytes), (hidden.status, &hidden.bytes), "{tool}");
        assert_eq!(absent.header("www-authenticate"), hidden.header("www-authenticate"), "{tool}");
    }
    assert!(scene.upstream.seen().is_empty());
}

#[tokio::test]
async fn a_notification_or_another_spelling_of_a_hidden_call_is_refused_too() {
    let scene = Scene::exposing(tools(), &["echo"]).await;
    let params = json!({ "name": "drop" });
    scene.call(&notification("tools/call", &params)).await.refused_call(
        403,
        "tool-not-exposed",
        &Value::Null,
    );
    let escaped =
        r#"{"jsonrpc":"2.0","id":1,"method":"tools\/c\u0061ll","params":{"n\u0061me":"dr\u006fp"}}"#;
    let answer = scene
        .client()
        .with("content-type", "application/json")
        .send(Method::POST, &scene.path(), escaped)
        .await;
    answer.refused_call(403, "tool-not-exposed", &json!(1));
    assert!(scene.upstream.seen().is_empty());
}

#[tokio::test]
async fn an_exposed_tool_is_called_and_a_list_shows_it_alone() {
    let scene = Scene::exposing(tools(), &["echo", "gone"]).await;
    assert_eq!(scene.call(&call(1, "echo")).await.good()["result"]["content"][0]["text"], "echo");
    let answer = scene.call(&list(2)).await;
    assert_eq!(names(&answer.good()), ["echo"]);
    assert_eq!(answer.header("cache-control"), Some("no-store"), "made for one caller");
}

#[tokio::test]
async fn another_allow_list_counts_from_the_next_call_on() {
    let scene = Scene::exposing(tools(), &["echo"]).await;
    let path = format!("/instances/{}/tools", scene.instance.id);
    scene.manage(Method::PUT, &path, &json!({ "tools": ["add"] })).await;
    scene.call(&call(1, "echo")).await.refused_call(403, "tool-not-exposed", &json!(1));
    assert_eq!(names(&scene.call(&list(2)).await.good()), ["add"]);
    scene.manage(Method::PUT, &path, &json!({ "tools": [] })).await;
    assert!(names(&scene.call(&list(3)).await.good()).is_empty());
    scene.manage(Method::PUT, &path, &json!({ "tools": "all" })).await;
    assert_eq!(names(&scene.call(&list(4)).await.good()), ["echo", "add", "drop"]);
}

#[tokio::test]
async fn a_list_within_an_event_stream_is_cut_like_any_other() {
    let answer = r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"drop"},{"name":"echo","x":1e2},{"name":"add"}],"ttlMs":9}}"#;
    let progress =
        "event: message\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{}}\n\n";
    let pieces =
        vec![Bytes::from(progress), Bytes::from(format!("event: message\r\ndata: {answer}\r\n\r\n"))];
    let scene =
        Scene::exposing(Scripted::Events { pieces, pause: Duration::ZERO, ends: true }, &["echo"]).await;
    let answer = scene.call(&list(1)).await;
    let text = String::from_utf8(answer.bytes.to_vec()).unwrap();
    assert!(text.starts_with(progress), "{text}");
    assert!(text.contains(r#""tools":[{"name":"echo","x":1e2}],"ttlMs":9}"#), "{text}");
    assert!(!text.contains("drop") && !text.contains("\"add\""), "{text}");
}

#[tokio::test]
async fn a_list_that_cannot_be_read_with_certainty_is_kept_back_whole() {
    let scene = Scene::exposing(tools(), &["echo"]).await;
    for body in [
        r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"echo"}],"tools":[{"name":"drop"}]}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"echo","name":"drop"}]}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{"tools":{"drop":{}}}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{"items":[{"name":"drop"}]}}"#,
        r#"[{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"drop"}]}}]"#,
    ] {
        scene.upstream.now(Scripted::Raw {
            status: 200,
            content_type: "application/json",
            body: Bytes::from(body),
        });
        scene.call(&list(1)).await.refused_call(502, "upstream-bad-answer", &json!(1));
        let pieces = vec![Bytes::from(format!("data: {body}\n\n"))];
        scene.upstream.now(Scripted::Events { pieces, pause: Duration::ZERO, ends: true });
        let streamed = scene.call(&list(1)).await;
        let text = String::from_utf8(streamed.bytes.to_vec()).unwrap();
        assert!(text.contains("upstream-bad-answer") && !text.contains("drop"), "{text}");
    }
}

#[tokio::test]
async fn a_list_replayed_on_a_listening_stream_is_cut_as_well() {
    let replayed = r#"{"jsonrpc":"2.0","id":7,"result":{"tools":[{"name":"drop"},{"name":"echo"}]}}"#;
    let pieces = vec![Bytes::from(format!("id: 3\ndata: {replayed}\n\n"))];
    let scene =
        Scene::exposing(Scripted::Events { pieces, pause: Duration::ZERO, ends: true }, &["echo"]).await;
    let listener = scene.client().with("accept", "text/event-stream").with("last-event-id", "2");
    let answer = listener.get(&scene.path()).await;
    let text = String::from_utf8(answer.bytes.to_vec()).unwrap();
    assert!(text.contains("echo") && !text.contains("drop"), "{text}");
    assert_eq!(scene.upstream.seen()[0].header("last-event-id"), Some("2"));
}

#[tokio::test]
async fn a_list_cut_for_one_caller_is_nobody_elses_to_keep() {
    let body = r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","tools":[{"name":"drop"},{"name":"echo"}],"ttlMs":60000,"cacheScope":"public"}}"#;
    let script = Scripted::Raw { status: 200, content_type: "application/json", body: Bytes::from(body) };
    let scene = Scene::exposing(script, &["echo"]).await;
    let meta = json!({ "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {} });
    let modern = scene.client().with("mcp-protocol-version", "2026-07-28").with("mcp-method", "tools/list");
    let answer = modern.post(&scene.path(), &request(1, "tools/list", &json!({ "_meta": meta }))).await;
    let expected = r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","tools":[{"name":"echo"}],"ttlMs":60000,"cacheScope":"private"}}"#;
    assert_eq!(answer.bytes, expected);
}

/// 2026-07-28 has clients leave such a tool out, and the upstream's client is the gateway; before that the annotation meant nothing.
#[tokio::test]
async fn a_tool_that_nobody_who_keeps_the_rules_could_call_is_left_out_of_the_list_of_the_revision_that_has_them()
 {
    let tool = |name: &str, header: &str| {
        let properties = json!({ "a": { "type": "string", "x-mcp-header": header } });
        json!({ "name": name, "inputSchema": { "type": "object", "properties": properties } })
    };
    let tools = json!([tool("good", "Region"), tool("bad", "My Region"), tool("empty", "")]);
    let listed = json!({ "tools": tools, "resultType": "complete", "ttlMs": 0, "cacheScope": "public" });
    let scene = Scene::of(Scripted::Result(listed)).await;
    let meta = json!({ "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {} });
    let modern = scene.client().with("mcp-protocol-version", "2026-07-28").with("mcp-method", "tools/list");
    let answer =
        modern.post(&scene.path(), &request(1, "tools/list", &json!({ "_meta": meta }))).await.good();
    assert_eq!(names(&answer), ["good"]);
    assert_eq!(names(&scene.call(&list(2)).await.good()), ["good", "bad", "empty"]);
}
