//! Every bad upstream and its name; then cancellation, reuse of connections, and an answer that passes.

use std::time::Duration;

use futures_util::StreamExt;
use http::{HeaderValue, Method, StatusCode, header};
use tokio::net::TcpListener;

use super::*;
use crate::scripted_server::{LAST_CHUNK, ScriptedServer, Seen, Step, answer, chunk, chunked_head};

const SOON: Duration = Duration::from_millis(150);

fn upstream() -> Upstream {
    let timeouts =
        UpstreamTimeouts { connect: SOON, first_byte: SOON, idle: SOON, hard: Duration::from_secs(2) };
    let config = UpstreamConfig { timeouts, json_answer_bytes_max: 1000, ..UpstreamConfig::default() };
    Upstream::try_new(config).expect("TLS")
}

async fn send(server: &ScriptedServer) -> Result<UpstreamResponse, UpstreamError> {
    upstream().send(server.request("{}")).await
}

async fn failure(answer: impl Into<bytes::Bytes>) -> UpstreamError {
    let server = ScriptedServer::answering(answer).await;
    send(&server).await.expect_err("a failure")
}

/// The bytes of the body, and how it ended.
async fn read(body: UpstreamBody) -> (Vec<u8>, Option<UpstreamError>) {
    let (UpstreamBody::Json(mut stream) | UpstreamBody::Sse { mut stream, .. }) = body else {
        return (Vec::new(), None);
    };
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.next().await {
        match chunk {
            Ok(chunk) => bytes.extend_from_slice(&chunk),
            Err(error) => return (bytes, Some(error)),
        }
    }
    (bytes, None)
}

#[tokio::test]
async fn an_upstream_that_is_down_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    drop(listener);
    let request = UpstreamRequest {
        method: Method::POST,
        url: UpstreamUrl::parse(&url).unwrap(),
        headers: http::HeaderMap::new(),
        body: bytes::Bytes::new(),
        patience: Patience::Call,
        reach: Reach::Anywhere,
    };
    let error = upstream().send(request).await.expect_err("down");
    assert_eq!((error.reason(), error.status()), ("upstream-unreachable", StatusCode::BAD_GATEWAY));
}

#[tokio::test]
async fn one_that_does_not_speak_tls_is_unreachable_over_https() {
    let server = ScriptedServer::answering("no TLS here\r\n\r\n").await;
    let mut request = server.request("{}");
    request.url = UpstreamUrl::parse(&server.url().replace("http:", "https:")).unwrap();
    let error = upstream().send(request).await.expect_err("no TLS");
    assert!(matches!(error.reason(), "upstream-unreachable" | "upstream-timeout"), "{error:?}");
}

#[tokio::test]
async fn one_that_does_not_begin_to_answer_times_out_and_sees_the_connection_close() {
    let mut server = ScriptedServer::start(vec![Step::AwaitClose], false).await;
    let error = send(&server).await.expect_err("too slow");
    assert!(matches!(error, UpstreamError::Timeout(TimeLimit::FirstByte)));
    assert_eq!((error.reason(), error.status()), ("upstream-timeout", StatusCode::GATEWAY_TIMEOUT));
    assert!(matches!(server.next().await, Seen::Request(_)));
    assert_eq!(server.next().await, Seen::Closed);
}

#[tokio::test]
async fn one_that_falls_silent_times_out_but_not_while_somebody_listens() {
    let script = || {
        vec![
            Step::Write((chunked_head("text/event-stream") + &chunk(": hi\n\n")).into()),
            Step::Pause(SOON * 3),
            Step::Write((chunk(": bye\n\n") + LAST_CHUNK).into()),
        ]
    };
    let server = ScriptedServer::start(script(), false).await;
    let (bytes, error) = read(send(&server).await.unwrap().body).await;
    assert_eq!(bytes, b": hi\n\n");
    assert!(matches!(error, Some(UpstreamError::Timeout(TimeLimit::Idle))));

    let server = ScriptedServer::start(script(), false).await;
    let request = UpstreamRequest { patience: Patience::Listen, ..server.request("") };
    let (bytes, error) = read(upstream().send(request).await.unwrap().body).await;
    assert!(error.is_none());
    assert_eq!(bytes, b": hi\n\n: bye\n\n");
}

#[tokio::test]
async fn one_that_never_ends_is_stopped_by_the_hard_limit() {
    let drip = [Step::Write(chunk(": drip\n\n").into()), Step::Pause(SOON / 3)];
    let mut script = vec![Step::Write(chunked_head("text/event-stream").into())];
    script.extend(std::iter::repeat_n(drip, 100).flatten());
    let server = ScriptedServer::start(script, false).await;
    let (_, error) = read(send(&server).await.unwrap().body).await;
    assert!(matches!(error, Some(UpstreamError::Timeout(TimeLimit::Hard))));
}

#[tokio::test]
async fn one_that_closes_before_or_within_its_answer_is_closed() {
    assert_eq!(failure("").await.reason(), "upstream-closed");
    assert_eq!(failure("HTTP/1.1 200 OK\r\ncontent-").await.reason(), "upstream-closed");
    let server = ScriptedServer::answering(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{",
    )
    .await;
    let (bytes, error) = read(send(&server).await.unwrap().body).await;
    assert_eq!((&bytes[..], error.unwrap().reason()), (&b"{"[..], "upstream-closed"));
}

#[tokio::test]
async fn what_is_not_mcp_is_a_bad_answer() {
    for raw in [
        "this is not HTTP\r\n\r\n".to_owned(),
        answer("200 OK", "text/html", "<html>"),
        answer("200 OK", "text/plain", "ok"),
        answer("404 Not Found", "text/html; charset=utf-8", "<html>"),
        answer("503 Service Unavailable", "text/plain", "down"),
        answer("500 Internal Server Error", "", ""),
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}".to_owned(),
        "HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n".to_owned(),
    ] {
        assert_eq!(failure(raw.clone()).await.reason(), "upstream-bad-answer", "{raw}");
    }
}

#[tokio::test]
async fn a_refusal_of_our_credential_does_not_travel_on() {
    let error = failure(answer("401 Unauthorized", "application/json", "{}")).await;
    assert_eq!((error.reason(), error.status()), ("upstream-unauthorized", StatusCode::BAD_GATEWAY));
}

#[tokio::test]
async fn a_json_answer_over_the_limit_is_too_large_whether_announced_or_not() {
    let announced = answer("200 OK", "application/json", &"x".repeat(1001));
    assert_eq!(failure(announced).await.reason(), "upstream-answer-too-large");
    let silent = chunked_head("application/json") + &chunk(&"x".repeat(600)).repeat(2) + LAST_CHUNK;
    let server = ScriptedServer::answering(silent).await;
    let (bytes, error) = read(send(&server).await.unwrap().body).await;
    assert!(matches!(error, Some(UpstreamError::AnswerTooLarge { limit_bytes: 1000 })));
    assert!(bytes.len() <= 1000);
}

#[tokio::test]
async fn refusals_that_the_client_should_see_are_carried() {
    let json = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no"}}"#;
    for status in ["404 Not Found", "400 Bad Request", "403 Forbidden", "500 Internal Server Error"] {
        let server = ScriptedServer::answering(answer(status, "application/json", json)).await;
        let response = send(&server).await.unwrap();
        assert!(status.starts_with(response.status.as_str()));
        assert_eq!(read(response.body).await.0, json.as_bytes());
    }
    let server = ScriptedServer::answering(answer("404 Not Found", "text/plain", "session not found")).await;
    let response = send(&server).await.unwrap();
    assert!(matches!((response.status, response.body), (StatusCode::NOT_FOUND, UpstreamBody::Empty)));
    let server = ScriptedServer::answering(answer("404 Not Found", "text/html", "Cannot GET /mcp")).await;
    let get = UpstreamRequest { method: Method::GET, ..server.request("") };
    assert!(matches!(upstream().send(get).await.unwrap().body, UpstreamBody::Empty));
}

#[tokio::test]
async fn a_session_that_was_ended_with_an_empty_chunked_answer_has_ended() {
    let server =
        ScriptedServer::answering("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n").await;
    let delete = UpstreamRequest { method: Method::DELETE, ..server.request("") };
    let response = upstream().send(delete).await.unwrap();
    assert!(matches!((response.status, response.body), (StatusCode::OK, UpstreamBody::Empty)));
}

#[tokio::test]
async fn dropping_the_answer_or_the_wait_for_it_closes_the_connection() {
    let open = Step::Write((chunked_head("text/event-stream") + &chunk(": hi\n\n")).into());
    let mut server = ScriptedServer::start(vec![open, Step::AwaitClose], false).await;
    let response = send(&server).await.unwrap();
    assert!(matches!(server.next().await, Seen::Request(_)));
    drop(response);
    assert_eq!(server.next().await, Seen::Closed);

    let mut server = ScriptedServer::start(vec![Step::AwaitClose], false).await;
    let client = upstream();
    let waiting = client.send(server.request("{}"));
    tokio::select! {
        _ = waiting => panic!("no answer was written"),
        seen = server.next() => assert!(matches!(seen, Seen::Request(_))),
    }
    assert_eq!(server.next().await, Seen::Closed);
}

#[tokio::test]
async fn the_request_arrives_as_it_was_given_and_nothing_is_added() {
    let mut server = ScriptedServer::answering("HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n").await;
    let mut request = server.request(r#"{"jsonrpc" : "2.0"}"#);
    request.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let response = upstream().send(request).await.unwrap();
    assert!(matches!((response.status, response.body), (StatusCode::ACCEPTED, UpstreamBody::Empty)));
    let Seen::Request(seen) = server.next().await else { panic!("a request") };
    let (head, body) = seen.split_once("\r\n\r\n").unwrap();
    let mut lines: Vec<&str> = head.lines().collect();
    lines.sort_unstable();
    let host = format!("host: {}", server.url().replace("http://", "").replace("/mcp", ""));
    assert_eq!(lines, ["POST /mcp HTTP/1.1", "content-length: 19", "content-type: application/json", &host]);
    assert_eq!(body, r#"{"jsonrpc" : "2.0"}"#);
}

#[tokio::test]
async fn an_answer_passes_whole_and_its_connection_serves_the_next_call() {
    let script = vec![Step::Write(answer("200 OK", "application/json", r#"{ "n": 1.50 }"#).into())];
    let server = ScriptedServer::start(script, true).await;
    let client = upstream();
    for _ in 0..3 {
        let response = client.send(server.request("{}")).await.unwrap();
        let (bytes, error) = read(response.body).await;
        assert!(error.is_none());
        assert_eq!(bytes, br#"{ "n": 1.50 }"#);
    }
}

/// A client that may go to no other open network than these.
fn guarded(is_open: impl Fn(std::net::IpAddr) -> bool + Send + Sync + 'static) -> Upstream {
    let open_networks = OpenNetworks::new(is_open);
    Upstream::try_new(UpstreamConfig { open_networks, ..UpstreamConfig::default() }).expect("TLS")
}

#[tokio::test]
async fn what_may_only_go_to_open_networks_connects_nowhere_else_by_address_or_by_name() {
    let server = ScriptedServer::answering(answer("200 OK", "application/json", "{}")).await;
    let to = |text: &str| {
        let url = UpstreamUrl::parse(&server.url().replace("127.0.0.1", text)).unwrap();
        UpstreamRequest { url, reach: Reach::OpenNetworks, ..server.request("{}") }
    };
    let upstream = guarded(|address| !address.is_loopback());
    for host in ["127.0.0.1", "[::ffff:127.0.0.1]", "[::1]", "0x7f.1", "localhost"] {
        let error = upstream.send(to(host)).await.expect_err(host);
        assert_eq!(
            (error.reason(), error.status()),
            ("upstream-address-refused", StatusCode::BAD_GATEWAY),
            "{host}"
        );
    }
    // It is the network that shuts it out, and nobody else.
    let upstream = guarded(|address| address.is_loopback());
    assert!(upstream.send(to("127.0.0.1")).await.is_ok());
}

#[tokio::test]
async fn a_connection_that_was_made_without_looking_is_not_used_by_who_must_be_looked_at() {
    let server = ScriptedServer::answering(answer("200 OK", "application/json", "{}")).await;
    let upstream = guarded(|_| false);
    assert!(upstream.send(server.request("{}")).await.is_ok());
    let request = UpstreamRequest { reach: Reach::OpenNetworks, ..server.request("{}") };
    assert_eq!(upstream.send(request).await.expect_err("refused").reason(), "upstream-address-refused");
}
