//! Requests of 2026-07-28.

use serde_json::{Value, json};

use super::{Demo, modern_body, modern_headers};

#[tokio::test]
async fn a_standard_header_that_is_missing_or_lies_is_refused() {
    let demo = Demo::new();
    let body = modern_body("tools/call", json!({"name": "echo", "arguments": {"text": "x"}}));
    let [version, method, name] = modern_headers("tools/call", "echo");
    for headers in [
        vec![version, method],
        vec![version, name],
        vec![method, name],
        vec![version, method, ("mcp-name", "add")],
        vec![version, ("mcp-method", "Tools/Call"), name],
        vec![("mcp-protocol-version", "2025-11-25"), method, name],
        vec![version, method, name, name],
    ] {
        demo.post(&headers, &body).await.refused(400, -32020, &json!(1));
    }
}

#[tokio::test]
async fn a_revision_that_is_not_spoken_is_refused_with_those_that_are() {
    for version in ["2027-01-01", "2025-11-25"] {
        let mut body = modern_body("tools/list", json!({}));
        body["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!(version);
        let headers = [("mcp-protocol-version", version), ("mcp-method", "tools/list")];
        let answered = Demo::new().post(&headers, &body).await;
        answered.refused(400, -32022, &json!(1));
        let data = answered.json()["error"]["data"].take();
        assert_eq!((&data["supported"], &data["requested"]), (&json!(["2026-07-28"]), &json!(version)));
    }
}

#[tokio::test]
async fn a_request_without_its_metadata_is_refused() {
    let demo = Demo::new();
    for (member, wrong) in [
        ("io.modelcontextprotocol/protocolVersion", Value::Null),
        ("io.modelcontextprotocol/clientCapabilities", Value::Null),
        ("io.modelcontextprotocol/clientCapabilities", json!([])),
    ] {
        let mut body = modern_body("tools/list", json!({}));
        let meta = body["params"]["_meta"].as_object_mut().unwrap();
        meta.remove(member);
        if !wrong.is_null() {
            meta.insert(member.to_owned(), wrong);
        }
        demo.post(&modern_headers("tools/list", ""), &body).await.refused(400, -32602, &json!(1));
    }
}

#[tokio::test]
async fn unknown_and_removed_methods_are_not_found() {
    let demo = Demo::new();
    let removed = ["initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe"];
    for method in removed.into_iter().chain(["no/such", "subscriptions/listen", "completion/complete"]) {
        demo.modern(method, json!({"uri": "demo://about"})).await.refused(404, -32601, &json!(1));
    }
}

#[tokio::test]
async fn an_unknown_tool_resource_prompt_or_cursor_is_a_wrong_parameter() {
    let demo = Demo::new();
    for (method, params) in [
        ("tools/call", json!({"name": "no-such-tool"})),
        ("resources/read", json!({"uri": "demo://no-such-thing"})),
        ("prompts/get", json!({"name": "no-such-prompt"})),
        ("prompts/get", json!({"name": "greeting", "arguments": {"name": 7}})),
        ("prompts/get", json!({"name": "greeting"})),
        ("tools/list", json!({"cursor": "x"})),
    ] {
        demo.modern(method, params).await.refused(200, -32602, &json!(1));
    }
}

#[tokio::test]
async fn a_client_sends_no_responses() {
    let response = json!({"jsonrpc": "2.0", "id": 4, "result": {}});
    let answered = Demo::new().post(&[("mcp-protocol-version", "2026-07-28")], &response).await;
    answered.refused(400, -32600, &Value::Null);
}

#[tokio::test]
async fn there_is_no_session_to_delete() {
    let answered = Demo::new().send("DELETE", &[("mcp-protocol-version", "2026-07-28")], String::new()).await;
    assert_eq!((answered.status.as_u16(), answered.headers["allow"].to_str().unwrap()), (405, "POST"));
}

#[tokio::test]
async fn a_notification_is_taken_and_answered_with_nothing() {
    let cancelled =
        json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}});
    let answered = Demo::new().post(&modern_headers("notifications/cancelled", ""), &cancelled).await;
    assert_eq!((answered.status.as_u16(), &*answered.body), (202, ""));
}

#[tokio::test]
async fn what_may_be_kept_says_so_and_nothing_else_does() {
    let demo = Demo::new();
    for method in
        ["server/discover", "tools/list", "resources/list", "resources/templates/list", "prompts/list"]
    {
        let result = demo.modern(method, json!({})).await.result();
        assert_eq!(
            (&result["ttlMs"], &result["cacheScope"]),
            (&json!(300_000), &json!("public")),
            "{method}"
        );
    }
    let read = demo.modern("resources/read", json!({"uri": "demo://about"})).await.result();
    assert_eq!(read["cacheScope"], "public");
    let called = demo.modern("tools/call", json!({"name": "time"})).await.result();
    assert!(called.get("ttlMs").is_none() && called.get("cacheScope").is_none());
}

#[tokio::test]
async fn every_result_has_its_type_and_the_name_of_the_server_and_opens_no_session() {
    let demo = Demo::new();
    for (method, params) in [
        ("server/discover", json!({})),
        ("tools/call", json!({"name": "echo", "arguments": {"text": "x"}})),
        ("prompts/get", json!({"name": "greeting", "arguments": {"name": "Ada"}})),
    ] {
        let answered = demo.modern(method, params).await;
        assert!(answered.headers.get("mcp-session-id").is_none());
        let result = answered.result();
        assert_eq!(result["resultType"], "complete");
        assert_eq!(result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "sekisho-demo");
    }
}

#[tokio::test]
async fn discovery_tells_what_there_is() {
    let result = Demo::new().modern("server/discover", json!({})).await.result();
    assert_eq!(result["supportedVersions"], json!(["2026-07-28"]));
    assert_eq!(result["capabilities"], json!({"tools": {}, "resources": {}, "prompts": {}}));
}

#[tokio::test]
async fn the_id_is_given_back_as_it_was_written() {
    let body = modern_body("tools/list", json!({})).to_string().replace("\"id\":1", "\"id\":1.0");
    let headers = [&super::MEDIA[..], &modern_headers("tools/list", "")].concat();
    let answered = Demo::new().send("POST", &headers, body).await;
    assert!(answered.body.starts_with(r#"{"jsonrpc":"2.0","id":1.0,"result":"#), "{}", answered.body);
}
