//! Calls: to the member that the name begins with, as that member knows the tool, and recorded so.

use bytes::Bytes;
use harness::{Scripted, Seen};
use hyper::Method;
use serde_json::{Value, json};

use super::super::scene::until;
use super::{Modern, Pair, modern, said};

#[tokio::test]
async fn a_name_that_leads_to_no_member_is_answered_and_reaches_nobody() {
    let pair = Pair::of(modern(&["add"]), modern(&["add"])).await;
    for tool in ["add", "wik__add", "wiki_add", "__add", "wiki", "Wiki__add", "wiki__", ""] {
        let answer = pair.modern().call(tool).await;
        if tool == "wiki__" {
            continue; // it is for the member to say what it makes of that
        }
        answer.refused_call(200, "name-unknown", &json!("m"));
        assert_eq!(answer.body()["error"]["code"], -32_602, "{tool}");
    }
    assert!(pair.desk.seen().is_empty());
}

#[tokio::test]
async fn a_member_sees_its_own_name_for_the_tool_and_the_clients_arguments_as_they_came() {
    let pair = Pair::of(modern(&["add"]), modern(&["add"])).await;
    assert_eq!(said(&pair.modern().call("desk__add").await.good()), "add");
    assert!(pair.wiki.seen().is_empty(), "the other one hears nothing of it");
    pair.desk.take_seen();
    let meta = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"sampling":{}},"x/y":1e2}"#;
    let body = format!(
        r#"{{"jsonrpc":"2.0","id":1.0,"method":"tools/call","params":{{"name":"desk__add","arguments":{{"a":1e2, "b":[ ]}},{meta}}}}}"#
    );
    let http =
        pair.client().with("content-type", "application/json").with("mcp-protocol-version", "2026-07-28");
    let http =
        http.with("mcp-method", "tools/call").with("mcp-name", "desk__add").with("mcp-param-region", "eu");
    let answer = http.send(Method::POST, &pair.instance.path(), body).await;
    let text = String::from_utf8(answer.bytes.to_vec()).expect("text");
    assert!(answer.status.is_success() && text.contains("\"id\":1.0"), "{text}");
    let seen = pair.desk.take_seen().pop().expect("a call");
    let text = String::from_utf8(seen.body.to_vec()).expect("text");
    assert!(text.contains(r#""arguments":{"a":1e2, "b":[ ]}"#) && text.contains(meta), "{text}");
    assert_eq!(seen.message()["params"]["name"], "add");
    for (header, value) in [("mcp-name", "add"), ("mcp-method", "tools/call"), ("mcp-param-region", "eu")] {
        assert_eq!(seen.header(header), Some(value), "{header}");
    }
    assert_eq!(seen.header("x-api-key"), None);
}

#[tokio::test]
async fn a_header_that_names_another_tool_than_the_body_is_refused() {
    let pair = Pair::of(modern(&["add"]), modern(&["add"])).await;
    let lying = Modern { http: pair.client().with("mcp-name", "wiki__add"), path: pair.instance.path() };
    let answer = lying.call("desk__add").await;
    assert_eq!(answer.status, 400);
    assert!(pair.wiki.seen().is_empty() && pair.desk.seen().is_empty());
}

#[tokio::test]
async fn records_and_explanations_name_the_member() {
    let pair = Pair::of(modern(&["add"]), modern(&["add"])).await;
    pair.modern().call("desk__add").await.good();
    let desk = pair.shown().await["connections"][1].clone();
    let path = pair.world.path("/calls");
    let admin = pair.world.admin();
    until("the call is recorded", async || {
        admin.get(&path).await.good()["items"].as_array().is_some_and(|items| !items.is_empty())
    })
    .await;
    let records = pair.world.admin().get(&path).await.good()["items"][0].clone();
    assert_eq!(records["tool"], "desk__add");
    assert_eq!(records["connection"], desk);
    let origin = pair.desk.url.origin().ascii_serialization();
    assert_eq!(records["upstream"], json!(origin));

    let key = records["credential"].as_str().expect("a key");
    let explained = async |tool: &str| {
        let question = format!("/v1/authz/explain?principal={key}&instance={}&tool={tool}", pair.instance.id);
        let answer = pair.world.admin().get(&question).await.good();
        let facts = answer["facts"].as_array().expect("facts").clone();
        let value = |name: &str| {
            let fact = facts.iter().find(|fact| fact["fact"] == name);
            fact.unwrap_or_else(|| panic!("{name}"))["value"].clone()
        };
        (answer["allowed"].clone(), value("member"), value("connection")["id"].clone())
    };
    assert_eq!(explained("desk__add").await, (json!(true), json!("desk"), desk));
    assert_eq!(explained("add").await, (json!(true), Value::Null, Value::Null));
}

/// Words on the way, and then the answer.
fn with_progress(seen: &Seen) -> Scripted {
    let message = seen.message();
    if message["method"] != "tools/call" {
        return Scripted::Modern(vec![("slow", false)]);
    }
    let event = |message: Value| Bytes::from(format!("event: message\ndata: {message}\n\n"));
    let progress = json!({ "jsonrpc": "2.0", "method": "notifications/progress", "params": { "progressToken": 5, "progress": 1 } });
    let result = json!({ "content": [{ "type": "text", "text": "done" }], "resultType": "complete" });
    let answer = json!({ "jsonrpc": "2.0", "id": message["id"], "result": result });
    let pieces = vec![event(progress), event(answer)];
    Scripted::Events { pieces, pause: std::time::Duration::from_millis(10), ends: true }
}

#[tokio::test]
async fn what_a_member_says_on_the_way_goes_out_on_the_calls_own_stream() {
    let pair = Pair::of(Scripted::By(with_progress), modern(&["add"])).await;
    for answer in [pair.modern().call("wiki__slow").await, pair.legacy().await.call("wiki__slow").await] {
        assert_eq!(answer.header("content-type"), Some("text/event-stream"));
        let text = String::from_utf8(answer.bytes.to_vec()).expect("text");
        let (progress, answer) = (text.find("notifications/progress"), text.find("done"));
        assert!(progress.is_some() && progress < answer, "{text}");
    }
}

#[tokio::test]
async fn a_key_that_may_only_read_calls_what_the_member_says_is_read_only() {
    let wiki = Scripted::Modern(vec![("look", true), ("drop", false)]);
    let pair = Pair::of(wiki, Scripted::Modern(vec![("look", false)])).await;
    let reads = Modern::as_key(&pair, &pair.world.key(&["mcp:read"], Some(&pair.instance.id)).await);
    reads.call("wiki__look").await.good();
    reads.call("wiki__drop").await.refused_call(403, "insufficient-scope", &json!("m"));
    reads.call("desk__look").await.refused_call(403, "insufficient-scope", &json!("m"));
    assert_eq!(super::super::scene::names(&reads.list().await), ["wiki__look"]);
}

#[tokio::test]
async fn a_revoked_key_ends_the_stream_of_a_members_answer() {
    let pieces = vec![Bytes::from_static(b": there\n\n")];
    let pair = Pair::of(modern(&["add"]), modern(&["add"])).await;
    pair.modern().list().await;
    pair.wiki.now(Scripted::Events { pieces, pause: std::time::Duration::ZERO, ends: false });
    let issued = json!({ "name": "A key", "scopes": ["mcp:write"], "instance": pair.instance.id });
    let issued = pair.world.admin().post(&pair.world.path("/api-keys"), &issued).await.good();
    let client = Modern::as_key(&pair, issued["api_key"].as_str().expect("a key"));
    let under_way = tokio::spawn(async move { client.call("wiki__add").await });
    until("it streams", async || pair.wiki.open_streams() == 1).await;
    let path = pair.world.path(&format!("/api-keys/{}", issued["id"].as_str().expect("an id")));
    pair.world.admin().json(Method::DELETE, &path, &json!({ "reason": "lost" })).await.good();
    let text = String::from_utf8(under_way.await.expect("a call").bytes.to_vec()).expect("text");
    assert!(text.contains("key-revoked"), "{text}");
    until("the member is let go", async || pair.wiki.open_streams() == 0).await;
}
