//! Sessions of the revisions up to 2025-11-25.

use serde_json::{Value, json};

use super::Demo;

fn hello(version: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": "h", "method": "initialize", "params": {"protocolVersion": version}})
}

#[tokio::test]
async fn a_handshake_without_a_version_is_refused() {
    let demo = Demo::new();
    for params in [json!({}), json!({"protocolVersion": 7}), Value::Null] {
        let body = json!({"jsonrpc": "2.0", "id": "h", "method": "initialize", "params": params});
        demo.post(&[], &body).await.refused(200, -32602, &json!("h"));
    }
}

#[tokio::test]
async fn a_request_without_a_session_is_bad_and_one_with_an_unknown_session_is_not_found() {
    let demo = Demo::new();
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    demo.post(&[], &list).await.refused(400, -32600, &json!(1));
    let unknown = "0".repeat(32);
    for session in ["", "x", unknown.as_str()] {
        demo.post(&[("mcp-session-id", session)], &list).await.refused(404, 404, &json!(1));
    }
    let notification = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    demo.post(&[], &notification).await.refused(400, -32600, &Value::Null);
}

#[tokio::test]
async fn a_header_that_names_no_spoken_revision_is_refused() {
    let demo = Demo::new();
    let session = demo.handshake().await;
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    for version in ["2024-11-05", "1999-01-01", ""] {
        let headers = [("mcp-protocol-version", version), ("mcp-session-id", &*session)];
        demo.post(&headers, &list).await.refused(400, -32600, &json!(1));
    }
}

#[tokio::test]
async fn an_unknown_method_travels_at_200_because_404_means_the_session() {
    let demo = Demo::new();
    let session = demo.handshake().await;
    for method in ["no/such", "server/discover", "logging/setLevel", "resources/subscribe"] {
        demo.legacy(&session, method, json!({})).await.refused(200, -32601, &json!(1));
    }
}

#[tokio::test]
async fn an_unknown_resource_has_the_code_of_its_time() {
    let demo = Demo::new();
    let session = demo.handshake().await;
    let answered = demo.legacy(&session, "resources/read", json!({"uri": "demo://no"})).await;
    answered.refused(200, -32002, &json!(1));
}

#[tokio::test]
async fn an_ended_session_is_not_found_and_cannot_be_ended_again() {
    let demo = Demo::new();
    let session = demo.handshake().await;
    let end = [("mcp-session-id", &*session)];
    assert_eq!(demo.send("DELETE", &end, String::new()).await.status.as_u16(), 204);
    demo.legacy(&session, "ping", json!({})).await.refused(404, 404, &json!(1));
    demo.send("DELETE", &end, String::new()).await.refused(404, 404, &Value::Null);
    demo.send("DELETE", &[], String::new()).await.refused(400, -32600, &Value::Null);
}

#[tokio::test]
async fn the_handshake_agrees_on_what_was_asked_or_on_the_newest_that_has_one() {
    let demo = Demo::new();
    for (asked, agreed) in [
        ("2025-03-26", "2025-03-26"),
        ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"),
        ("2024-11-05", "2025-11-25"),
        ("2026-07-28", "2025-11-25"),
        ("nonsense", "2025-11-25"),
    ] {
        let answered = demo.post(&[], &hello(asked)).await;
        assert_eq!(answered.headers["mcp-session-id"].len(), 32);
        let result = answered.result();
        assert_eq!(result["protocolVersion"], agreed);
        assert_eq!(result["serverInfo"]["name"], "sekisho-demo");
        assert_eq!(result["capabilities"], json!({"tools": {}, "resources": {}, "prompts": {}}));
    }
}

#[tokio::test]
async fn a_session_of_each_revision_works_to_its_end() {
    let demo = Demo::new();
    for version in ["2025-03-26", "2025-06-18", "2025-11-25"] {
        let opened = demo.post(&[], &hello(version)).await;
        let session = opened.headers["mcp-session-id"].to_str().unwrap();
        let named = [("mcp-session-id", session), ("mcp-protocol-version", version)];
        let headers = if version == "2025-03-26" { &named[..1] } else { &named[..] };
        let initialized = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        assert_eq!(demo.post(headers, &initialized).await.status.as_u16(), 202);
        let ping = json!({"jsonrpc": "2.0", "id": 2, "method": "ping"});
        assert_eq!(demo.post(headers, &ping).await.json(), json!({"jsonrpc": "2.0", "id": 2, "result": {}}));
        let call = json!({"jsonrpc": "2.0", "id": 3, "method": "tools/call",
            "params": {"name": "echo", "arguments": {"text": "関所"}}});
        let result = demo.post(headers, &call).await.result();
        assert_eq!(result, json!({"content": [{"type": "text", "text": "関所"}], "isError": false}));
        assert_eq!(demo.send("DELETE", headers, String::new()).await.status.as_u16(), 204);
    }
}

#[tokio::test]
async fn lists_carry_nothing_of_the_other_era() {
    let demo = Demo::new();
    let session = demo.handshake().await;
    for (method, list) in [
        ("tools/list", "tools"),
        ("resources/list", "resources"),
        ("resources/templates/list", "resourceTemplates"),
        ("prompts/list", "prompts"),
    ] {
        let result = demo.legacy(&session, method, json!({})).await.result();
        assert_eq!(result.as_object().unwrap().keys().collect::<Vec<_>>(), [list]);
    }
}

#[tokio::test]
async fn a_response_to_nothing_is_taken() {
    let demo = Demo::new();
    let session = demo.handshake().await;
    let response = json!({"jsonrpc": "2.0", "id": 9, "result": {}});
    assert_eq!(demo.post(&[("mcp-session-id", &*session)], &response).await.status.as_u16(), 202);
}
