//! Servers of both eras, and those that are neither, each played from a script.

use bytes::Bytes;
use serde_json::json;

use super::*;
use crate::scripted_server::{LAST_CHUNK, ScriptedServer, Seen, Step, answer, chunk, chunked_head};
use crate::upstream::{Unauthorized, UpstreamConfig};

async fn connect(server: &ScriptedServer) -> Result<Client, ClientError> {
    let config = UpstreamConfig { unauthorized: Unauthorized::IsAnAnswer, ..UpstreamConfig::default() };
    let upstream = Upstream::try_new(config).expect("a client");
    let url = UpstreamUrl::parse(&server.url()).expect("an address");
    Client::connect(Endpoint { upstream, url, headers: HeaderMap::new(), name: "test" }).await
}

/// One that answers everything in this way.
async fn always(status: &str, body: &Value) -> ScriptedServer {
    ScriptedServer::answering(answer(status, "application/json", &body.to_string())).await
}

fn refused(error: ClientError) -> RefusedAnswer {
    match error {
        ClientError::Refused(refused) => *refused,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_refused_credential_is_told_and_no_handshake_is_tried() {
    let body = json!({ "jsonrpc": "2.0", "error": { "code": 401, "message": "no", "data": { "reason": "key-unknown" } } });
    let mut server = always("401 Unauthorized", &body).await;
    let refused = refused(connect(&server).await.expect_err("it is refused"));
    assert_eq!((refused.status.as_u16(), refused.reason.as_deref()), (401, Some("key-unknown")));
    let Seen::Request(asked) = server.next().await else { panic!("a request") };
    assert!(asked.contains("server/discover") && asked.contains("mcp-method: server/discover"), "{asked}");
}

#[tokio::test]
async fn an_error_in_the_words_of_the_newest_revision_is_a_modern_servers() {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "error": { "code": -32022, "message": "not that one" } });
    let server = always("400 Bad Request", &body).await;
    assert_eq!(refused(connect(&server).await.expect_err("it is refused")).code, Some(-32022));
}

#[tokio::test]
async fn a_server_that_refuses_the_handshake_too_is_told_by_what_it_said_of_that() {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "error": { "code": 404, "message": "no such place", "data": { "reason": "instance-unknown" } } });
    let mut server = always("404 Not Found", &body).await;
    let refused = refused(connect(&server).await.expect_err("it is refused"));
    assert_eq!(refused.reason.as_deref(), Some("instance-unknown"));
    assert_eq!(refused.message, "no such place");
    let Seen::Request(_) = server.next().await else { panic!("a request") };
    let Seen::Request(second) = server.next().await else { panic!("a request") };
    assert!(second.contains("\"initialize\"") && !second.contains("mcp-protocol-version"), "{second}");
}

#[tokio::test]
async fn a_handshake_that_leads_to_an_unknown_revision_is_none() {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "result": { "protocolVersion": "2031-01-01", "supportedVersions": ["2031-01-01"] } });
    let server = always("200 OK", &body).await;
    assert!(matches!(connect(&server).await, Err(ClientError::NoCommonRevision)));
}

#[tokio::test]
async fn what_comes_on_the_way_is_handed_on_and_the_answer_ends_it() {
    let discovered = json!({ "supportedVersions": ["2026-07-28"], "content": [], "resultType": "complete" });
    let progress =
        json!({ "jsonrpc": "2.0", "method": "notifications/progress", "params": { "progress": 1 } });
    let events = |id: u64| {
        let result = json!({ "jsonrpc": "2.0", "id": id, "result": discovered });
        chunk(&format!("data: {progress}\n\n")) + &chunk(&format!(": a comment\n\ndata: {result}\n\n"))
    };
    // It answers under both ids that this client will use, and a client reads the one that is its own.
    let all = chunked_head("text/event-stream") + &events(1) + &events(2) + LAST_CHUNK;
    let mut server = ScriptedServer::start(vec![Step::Write(Bytes::from(all))], false).await;
    let mut client = connect(&server).await.expect("a modern server");
    let mut seen = Vec::new();
    let result = client.call("echo", &json!({ "a": "é" }), &mut |message| seen.push(message.clone())).await;
    assert_eq!(result.expect("an answer")["content"], json!([]));
    assert_eq!(seen, [progress.clone(), progress]);
    let (Seen::Request(_), Seen::Request(called)) = (server.next().await, server.next().await) else {
        panic!("two requests")
    };
    for part in [
        "mcp-name: echo",
        "mcp-method: tools/call",
        "mcp-protocol-version: 2026-07-28",
        "\"progressToken\":1",
    ] {
        assert!(called.contains(part), "{part} in {called}");
    }
}

#[tokio::test]
async fn a_stream_that_ends_before_its_answer_is_no_answer() {
    let all = chunked_head("text/event-stream")
        + &chunk("data: {\"jsonrpc\":\"2.0\",\"id\":9,\"result\":{}}\n\n")
        + LAST_CHUNK;
    let server = ScriptedServer::answering(all).await;
    assert!(matches!(connect(&server).await, Err(ClientError::Upstream(UpstreamError::Closed(None)))));
}

#[tokio::test]
async fn a_server_that_asks_back_is_told_apart_from_one_that_answers() {
    let result =
        json!({ "resultType": "input_required", "supportedVersions": ["2026-07-28"], "inputRequests": {} });
    let server = always("200 OK", &json!({ "jsonrpc": "2.0", "id": 1, "result": result })).await;
    assert!(matches!(connect(&server).await, Err(ClientError::AsksBack)));
}
