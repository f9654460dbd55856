//! Members of both eras behind one endpoint, for clients of both.

use std::time::Duration;

use bytes::Bytes;
use harness::{Scripted, Seen};
use serde_json::{Value, json};

use super::super::scene::{names, until};
use super::{Pair, legacy, modern, said};

fn methods(seen: &[Seen]) -> Vec<String> {
    seen.iter().map(|seen| seen.message()["method"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn each_client_sees_both_members_whatever_they_speak() {
    let pair = Pair::of(modern(&["add"]), legacy("s-1", &["look"])).await;
    assert_eq!(names(&pair.modern().list().await), ["wiki__add", "desk__look"]);
    let session = pair.legacy().await;
    assert_eq!(session.greeting["result"]["protocolVersion"], "2025-06-18");
    assert_eq!(names(&session.list().await), ["wiki__add", "desk__look"]);
    for tool in ["wiki__add", "desk__look"] {
        let expected = tool.split_once("__").expect("a member").1;
        let answer = pair.modern().call(tool).await.good();
        assert_eq!(
            (said(&answer), &answer["result"]["resultType"]),
            (expected, &json!("complete")),
            "{tool}"
        );
        assert_eq!(answer["id"], "m");
        let answer = session.call(tool).await.good();
        assert_eq!((said(&answer), &answer["id"]), (expected, &json!(7)), "{tool}");
    }
}

#[tokio::test]
async fn each_member_is_spoken_to_in_its_own_words() {
    let pair = Pair::of(modern(&["add"]), legacy("s-1", &["look"])).await;
    let meta = json!({ "progressToken": 3 });
    let with_meta = |tool: &str| json!({ "name": tool, "arguments": {}, "_meta": meta });
    pair.modern().ask("tools/call", with_meta("desk__look")).await.good();
    let seen = pair.desk.take_seen();
    assert_eq!(methods(&seen), ["server/discover", "initialize", "notifications/initialized", "tools/call"]);
    let called = &seen[3];
    assert_eq!(called.message()["params"], json!({ "name": "look", "arguments": {}, "_meta": meta }));
    assert_eq!(called.header("mcp-session-id"), Some("s-1"));
    assert_eq!((called.header("mcp-name"), called.header("mcp-method")), (None, None));
    pair.modern().call("desk__look").await.good();
    assert_eq!(methods(&pair.desk.take_seen()), ["tools/call"], "the session is kept");

    let session = pair.legacy().await;
    pair.wiki.take_seen();
    session.ask("tools/call", with_meta("wiki__add")).await.good();
    let seen = pair.wiki.take_seen();
    assert_eq!(methods(&seen), ["tools/call"]);
    let params = &seen[0].message()["params"];
    assert_eq!(params["_meta"]["progressToken"], 3);
    assert_eq!(params["_meta"]["io.modelcontextprotocol/protocolVersion"], "2026-07-28");
    assert_eq!(params["_meta"]["io.modelcontextprotocol/clientCapabilities"], json!({}));
    assert_eq!(seen[0].header("mcp-name"), Some("add"));
}

/// Asks the client something in the middle of a call, and answers once it was told that nobody is there.
fn asks_back(seen: &Seen) -> Scripted {
    let message = seen.message();
    if message["method"] != "tools/call" {
        return legacy("s-1", &["ask"]);
    }
    let event = |message: Value| Bytes::from(format!("id: 4\ndata: {message}\n\n"));
    let asked = json!({ "jsonrpc": "2.0", "id": "q", "method": "elicitation/create", "params": {} });
    let log = json!({ "jsonrpc": "2.0", "method": "notifications/message", "params": { "level": "info", "data": "x" } });
    let result = json!({ "content": [{ "type": "text", "text": "nobody answered" }] });
    let answer = json!({ "jsonrpc": "2.0", "id": message["id"], "result": result });
    let pieces = vec![event(log), event(asked), event(answer)];
    Scripted::Events { pieces, pause: Duration::from_millis(10), ends: true }
}

#[tokio::test]
async fn what_a_member_asks_back_is_refused_in_the_clients_name() {
    let pair = Pair::of(modern(&["add"]), Scripted::By(asks_back)).await;
    let refused = |seen: &Seen| {
        let message = seen.message();
        message["id"] == "q" && message["error"]["code"] == -32_601
    };
    for (answer, hears_logs) in
        [(pair.modern().call("desk__ask").await, false), (pair.legacy().await.call("desk__ask").await, true)]
    {
        let text = String::from_utf8(answer.bytes.to_vec()).expect("text");
        assert!(text.contains("nobody answered") && !text.contains("elicitation"), "{text}");
        assert_eq!(text.contains("notifications/message"), hears_logs, "{text}");
        assert!(!text.contains("id: 4"), "there is nothing to come back to: {text}");
    }
    until("it is told each time", async || pair.desk.seen().iter().filter(|seen| refused(seen)).count() == 2)
        .await;
}

/// A tool whose argument is to be repeated in a header.
fn wants_a_header(seen: &Seen) -> Scripted {
    let message = seen.message();
    let region = json!({ "type": "string", "x-mcp-header": "Region" });
    let schema = json!({ "type": "object", "properties": { "region": region } });
    let listed = json!({ "tools": [{ "name": "there", "inputSchema": schema }], "resultType": "complete", "ttlMs": 0, "cacheScope": "public" });
    match message["method"].as_str() {
        Some("tools/list") => Scripted::Result(listed),
        Some("tools/call") if seen.header("mcp-param-region") != Some("eu") => {
            let error = json!({ "code": -32_020, "message": "Mcp-Param-Region is missing" });
            let body = json!({ "jsonrpc": "2.0", "id": message["id"], "error": error }).to_string();
            Scripted::Raw { status: 400, content_type: "application/json", body: body.into() }
        }
        _ => Scripted::Modern(vec![]),
    }
}

#[tokio::test]
async fn a_client_that_knows_nothing_of_headers_for_arguments_need_not() {
    let pair = Pair::of(Scripted::By(wants_a_header), modern(&["add"])).await;
    let session = pair.legacy().await;
    let call = json!({ "name": "wiki__there", "arguments": { "region": "eu" } });
    assert_eq!(said(&session.ask("tools/call", call).await.good()), "there");
    let without = json!({ "name": "wiki__there", "arguments": {} });
    let refused = session.ask("tools/call", without.clone()).await;
    assert_eq!((refused.status.as_u16(), &refused.body()["error"]["code"]), (200, &json!(-32_603)));
    let refused = pair.modern().ask("tools/call", without).await;
    assert_eq!((refused.status.as_u16(), &refused.body()["error"]["code"]), (400, &json!(-32_020)));
}

#[tokio::test]
async fn what_is_not_offered_is_told_in_the_words_of_the_era() {
    let pair = Pair::of(modern(&["add"]), legacy("s-1", &["look"])).await;
    let discovered = pair.modern().ask("server/discover", json!({})).await.good();
    assert_eq!(discovered["result"]["supportedVersions"], json!(["2026-07-28"]));
    assert_eq!(discovered["result"]["capabilities"], json!({ "tools": {}, "prompts": {} }));
    let answer = pair.modern().ask("resources/list", json!({})).await;
    answer.refused_call(404, "method-unknown", &json!("m"));
    let session = pair.legacy().await;
    session.ask("resources/list", json!({})).await.refused_call(200, "method-unknown", &json!(7));
    assert_eq!(session.ask("ping", json!({})).await.good()["result"], json!({}));
    let listening = session.http.clone().with("accept", "text/event-stream").get(&session.path).await;
    assert_eq!((listening.status.as_u16(), listening.header("allow")), (405, Some("POST, DELETE")));
}
