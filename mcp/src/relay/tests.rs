//! What reaches the client, through a real connection: failures first, then exactness.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use serde_json::Value;

mod bounded;

use super::*;
use crate::scripted_server::{LAST_CHUNK, ScriptedServer, Seen, Step, answer, chunk, chunked_head};
use crate::tools::CacheScope;
use crate::upstream::{
    Patience, Reach, Upstream, UpstreamConfig, UpstreamRequest, UpstreamTimeouts, UpstreamUrl,
};

const LIST: &str = r#"{"jsonrpc":"2.0","id":7,"result":{"tools":[{"name":"rm"},{"name":"ls","n":1.0}],"cacheScope":"public"}}"#;
const CUT_LIST: &str =
    r#"{"jsonrpc":"2.0","id":7,"result":{"tools":[{"name":"ls","n":1.0}],"cacheScope":"private"}}"#;

fn id() -> RequestId {
    RequestId::parse("7").expect("an id")
}

fn call() -> Exchange {
    Exchange::Request { id: id(), list: None }
}

fn without_rm() -> ToolsFilter {
    ToolsFilter::new(CacheScope::Private, |tool| tool.name != "rm")
}

fn list() -> Exchange {
    Exchange::Request { id: id(), list: Some(without_rm()) }
}

fn upstream() -> Upstream {
    let timeouts = UpstreamTimeouts { idle: Duration::from_millis(300), ..UpstreamTimeouts::default() };
    let config = UpstreamConfig { timeouts, sse_event_bytes_max: 1024 * 1024, ..UpstreamConfig::default() };
    Upstream::try_new(config).expect("TLS")
}

async fn relayed(server: &ScriptedServer, exchange: Exchange) -> Result<Response<RelayBody>, UpstreamError> {
    relay(upstream().send(server.request("{}")).await?, exchange).await
}

/// The whole body that the client reads when the upstream answers so.
async fn through(upstream_answer: impl Into<Bytes>, exchange: Exchange) -> String {
    let server = ScriptedServer::answering(upstream_answer).await;
    text(relayed(&server, exchange).await.expect("an answer")).await
}

async fn text(response: Response<RelayBody>) -> String {
    let bytes = response.into_body().collect().await.expect("no error").to_bytes();
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

fn events(payloads: &[&str]) -> String {
    let chunks: String = payloads.iter().map(|payload| chunk(payload)).collect();
    chunked_head("text/event-stream") + &chunks
}

/// The JSON-RPC error in the last event.
fn last_word(stream: &str) -> (Value, Value) {
    let data = stream.trim_end().rsplit_once("data: ").expect("an event").1;
    assert!(stream.ends_with("\n\n"));
    let mut error: Value = serde_json::from_str(data).expect("JSON");
    (error["id"].take(), error["error"]["data"]["reason"].take())
}

#[tokio::test]
async fn a_stream_that_breaks_ends_with_an_error_under_the_requests_id() {
    let progress = "event: message\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}\n\n";
    for (broken, reason) in [
        (events(&[progress]), "upstream-closed"),
        (events(&[progress]) + LAST_CHUNK, "upstream-closed"),
        (events(&[progress, "data: {\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{"]), "upstream-closed"),
        (events(&[progress]) + "zz\r\n", "upstream-closed"),
    ] {
        let stream = through(broken, call()).await;
        let rest = stream.strip_prefix(progress).expect("what came before stays");
        assert_eq!(last_word(rest), (7.into(), reason.into()));
        assert!(!stream.contains("result"), "half an event was given out");
    }
}

#[tokio::test]
async fn a_stream_that_falls_silent_ends_with_a_timeout_and_lets_the_upstream_go() {
    let script = vec![Step::Write(events(&[": hi\n\n"]).into()), Step::AwaitClose];
    let mut server = ScriptedServer::start(script, false).await;
    let stream = text(relayed(&server, call()).await.unwrap()).await;
    assert_eq!(last_word(&stream), (7.into(), "upstream-timeout".into()));
    assert!(matches!(server.next().await, Seen::Request(_)));
    assert_eq!(server.next().await, Seen::Closed);
}

#[tokio::test]
async fn a_hundred_megabyte_line_is_cut_off_at_the_limit() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: ";
    let flood = Step::Flood(Bytes::from(vec![b'x'; 64 * 1024]), 1600);
    let mut server = ScriptedServer::start(vec![Step::Write(head.into()), flood], false).await;
    let stream = text(relayed(&server, call()).await.unwrap()).await;
    assert_eq!(last_word(&stream), (7.into(), "upstream-answer-too-large".into()));
    assert!(stream.len() < 1000, "nothing of the line was given out");
    assert!(matches!(server.next().await, Seen::Request(_)));
    let Seen::Flooded(bytes) = server.next().await else { panic!("a flood") };
    assert!(bytes < 40 * 1024 * 1024, "{bytes}: the limit, and what the kernel's buffers take");
}

#[tokio::test]
async fn a_json_answer_that_breaks_early_is_an_error_and_later_an_aborted_body() {
    let cut = |size: usize| {
        let body = format!("{{\"a\":\"{}", "x".repeat(size));
        format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9999999\r\n\r\n{body}")
    };
    let server = ScriptedServer::answering(cut(100)).await;
    assert_eq!(relayed(&server, call()).await.expect_err("early").reason(), "upstream-closed");
    let server = ScriptedServer::answering(cut(500_000)).await;
    let body = relayed(&server, call()).await.expect("a head").into_body();
    assert_eq!(body.collect().await.expect_err("late").reason(), "upstream-closed");
}

#[tokio::test]
async fn what_is_declared_as_json_and_is_none_is_a_bad_answer() {
    for body in ["<html>", "[{}]", "null", ""] {
        let server = ScriptedServer::answering(answer("200 OK", "application/json", body)).await;
        assert_eq!(relayed(&server, call()).await.expect_err(body).reason(), "upstream-bad-answer", "{body}");
    }
    let server = ScriptedServer::answering("HTTP/1.1 202 Accepted\r\n\r\n").await;
    assert_eq!(relayed(&server, call()).await.expect_err("no answer").reason(), "upstream-bad-answer");
}

#[tokio::test]
async fn a_refusal_without_json_keeps_its_status_and_gets_a_body() {
    for raw in [
        answer("404 Not Found", "text/plain", "session not found"),
        answer("404 Not Found", "application/json", "\"gone\""),
    ] {
        let server = ScriptedServer::answering(raw).await;
        let response = relayed(&server, call()).await.unwrap();
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
        let body: Value = serde_json::from_str(&text(response).await).unwrap();
        assert_eq!((&body["id"], &body["error"]["data"]["reason"]), (&7.into(), &"upstream-refused".into()));
    }
}

#[tokio::test]
async fn an_unreadable_list_is_never_given_out() {
    for hidden in [
        r#"{"jsonrpc":"2.0","id":7,"result":{"tools":[{"name":"rm"}],"tools":[]}}"#,
        r#"{"jsonrpc":"2.0","id":7,"result":{"tools":{"0":{"name":"rm"}}}}"#,
        r#"{"jsonrpc":"2.0","id":7,"result":{"rm":1}}"#,
        r#"[{"jsonrpc":"2.0","id":7,"result":{"tools":[{"name":"rm"}]}}]"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"x","result":{"tools":[{"name":"rm"}]}}"#,
    ] {
        let stream = through(events(&[&format!("data: {hidden}\n\n")]) + LAST_CHUNK, list()).await;
        assert!(!stream.contains("rm"), "{stream}");
        assert_eq!(last_word(&stream), (7.into(), "upstream-bad-answer".into()));
        let server = ScriptedServer::answering(answer("200 OK", "application/json", hidden)).await;
        let json = relayed(&server, list()).await;
        assert!(json.is_err() || !text(json.unwrap()).await.contains("rm"), "{hidden}");
    }
}

#[tokio::test]
async fn a_list_loses_its_hidden_tools_in_json_and_in_events() {
    let server = ScriptedServer::answering(answer("200 OK", "application/json", LIST)).await;
    let response = relayed(&server, list()).await.unwrap();
    assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
    assert_eq!(text(response).await, CUT_LIST);
    let stream = |list: &str| format!(": x\n\nid: 1\r\ndata:\r\n\r\nevent: message\r\ndata: {list}\r\n\r\n");
    let before = events(&[&stream(LIST)]) + LAST_CHUNK;
    assert_eq!(through(before, list()).await, stream(CUT_LIST));
}

#[tokio::test]
async fn a_list_under_another_id_and_a_second_list_are_filtered_too() {
    let other = LIST.replace(":7,", ":\"8\",");
    let stream = through(events(&[&format!("data: {other}\n\ndata: {LIST}\n\n")]) + LAST_CHUNK, list()).await;
    assert!(!stream.contains("rm") && stream.matches(r#""ls""#).count() == 2, "{stream}");
}

#[tokio::test]
async fn a_list_that_is_replayed_on_a_listening_stream_is_filtered_and_all_else_passes() {
    let other = r#"{"jsonrpc":"2.0","id":3,"result":{"content":[{"n":1.0}]}}"#;
    let request = r#"{"jsonrpc":"2.0","id":"s1","method":"sampling/createMessage","params":{}}"#;
    let stream = |list: &str| format!("id: 4\ndata: {other}\n\ndata: {list}\n\ndata: {request}\n\n");
    let listen = Exchange::Listen { list: Some(without_rm()) };
    assert_eq!(through(events(&[&stream(LIST)]), listen).await, stream(CUT_LIST));
}

#[tokio::test]
async fn an_error_instead_of_a_list_passes_unchanged() {
    let error = r#"{"jsonrpc":"2.0","id":7,"error":{"code":-32602,"message":"bad cursor"}}"#;
    assert_eq!(through(answer("200 OK", "application/json", error), list()).await, error);
    let event = format!("data: {error}\n\n");
    assert_eq!(through(events(&[&event]) + LAST_CHUNK, list()).await, event);
}

#[tokio::test]
async fn a_stream_that_announces_its_resumption_may_end_without_an_answer() {
    let priming = "id: 9\ndata:\n\nretry: 500\n\n";
    assert_eq!(through(events(&[priming]) + LAST_CHUNK, call()).await, priming);
}

#[tokio::test]
async fn untouched_answers_are_the_bytes_that_came() {
    let json = "\n{ \"jsonrpc\":\"2.0\", \"id\":7.0 ,\"result\":{\"x\":1E2,\"s\":\"\\ud800\"} }\n";
    let server = ScriptedServer::answering(answer("200 OK", "application/json; charset=utf-8", json)).await;
    let response = relayed(&server, call()).await.unwrap();
    assert_eq!(response.headers()[CONTENT_TYPE], "application/json; charset=utf-8");
    assert_eq!(http_body::Body::size_hint(response.body()).exact(), Some(json.len() as u64));
    assert_eq!(text(response).await, json);

    let stream = "\u{feff}: c\r\rdata: {\"jsonrpc\":\"2.0\",\rdata: \"method\":\"n\"}\r\revent: x\nfoo: bar\ndata: {\"result\":1}\n\n: end\n\n";
    let mut cut = chunked_head("text/event-stream").into_bytes();
    for piece in stream.as_bytes().chunks(3) {
        cut.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        cut.extend_from_slice(piece);
        cut.extend_from_slice(b"\r\n");
    }
    cut.extend_from_slice(LAST_CHUNK.as_bytes());
    assert_eq!(through(cut, call()).await, stream);

    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(300_000));
    assert_eq!(through(answer("200 OK", "application/json", &large), call()).await, large);
}

#[tokio::test]
async fn an_event_reaches_the_client_before_the_next_one_is_written() {
    let script = vec![Step::Write(events(&["data: {\"method\":\"a\"}\n\n"]).into()), Step::AwaitClose];
    let mut server = ScriptedServer::start(script, false).await;
    let mut body = relayed(&server, call()).await.unwrap().into_body();
    let first = body.frame().await.expect("a frame").expect("no error").into_data().expect("data");
    assert_eq!(first, "data: {\"method\":\"a\"}\n\n");
    assert!(matches!(server.next().await, Seen::Request(_)));
    drop(body);
    assert_eq!(server.next().await, Seen::Closed, "a client that leaves cancels the call");
}

#[tokio::test]
async fn an_accepted_notification_has_no_body_and_odd_answers_to_it_pass() {
    let server =
        ScriptedServer::answering("HTTP/1.1 202 Accepted\r\ncontent-type: application/json\r\n\r\n").await;
    let response = relayed(&server, Exchange::OneWay).await.unwrap();
    assert!(response.status() == StatusCode::ACCEPTED && !response.headers().contains_key(CONTENT_TYPE));
    assert_eq!(text(response).await, "");
    assert_eq!(through(answer("200 OK", "application/json", "null"), Exchange::OneWay).await, "null");
}

#[test]
fn the_answer_and_the_wait_for_it_fit_a_multi_threaded_server() {
    fn is_body<B: http_body::Body<Data = Bytes, Error: std::error::Error + Send + Sync> + Send + 'static>(
        _: &B,
    ) {
    }
    fn is_send<F: Send>(_: &F) {}
    is_body(&RelayBody::empty());
    let (upstream, server) = (upstream(), UpstreamUrl::parse("http://127.0.0.1:1/").unwrap());
    let request = UpstreamRequest {
        method: http::Method::GET,
        url: server,
        headers: http::HeaderMap::new(),
        body: Bytes::new(),
        patience: Patience::Listen,
        reach: Reach::Anywhere,
    };
    is_send(&async move { relay(upstream.send(request).await?, list()).await });
}

/// Requests of the server stay out, other words of it pass, and the answer is written anew.
fn translated() -> Exchange {
    let translation = Translation::new(|message| match message.kind() {
        crate::envelope::MessageKind::Request { .. } => Translated::Nothing,
        crate::envelope::MessageKind::Notification => Translated::AsItIs,
        crate::envelope::MessageKind::Response { .. } => {
            Translated::As(Bytes::from(r#"{"jsonrpc":"2.0","id":7,"result":{"x":1}}"#))
        }
    });
    Exchange::Translated { id: id(), translation }
}

#[tokio::test]
async fn a_translated_stream_that_ends_before_its_answer_gets_its_last_word() {
    let asks = "id: 1\ndata: {\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"elicitation/create\"}\n\n";
    let stream = through(events(&[asks]) + LAST_CHUNK, translated()).await;
    assert!(!stream.contains("elicitation"), "{stream}");
    assert_eq!(last_word(&stream), (7.into(), "upstream-closed".into()));
    for broken in ["data: []\n\n", "data: {\"half\n\n"] {
        let stream = through(events(&[broken]) + LAST_CHUNK, translated()).await;
        assert_eq!(last_word(&stream), (7.into(), "upstream-bad-answer".into()), "{broken}");
    }
}

#[tokio::test]
async fn a_translated_answer_is_the_last_of_what_its_client_hears_and_says_nothing_of_the_stream_it_came_on()
{
    let progress = "id: 4\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}\n\n";
    let answered = "id: 5\nevent: message\ndata: {\"jsonrpc\":\"2.0\",\"id\":99,\"result\":{}}\n\n";
    let stream = through(events(&["id: 3\ndata:\n\n", progress, answered]) + LAST_CHUNK, translated()).await;
    let expected = ":\n\nevent: message\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}\n\n\
                    event: message\ndata: {\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"x\":1}}\n\n";
    assert_eq!(stream, expected);
    let json = answer("200 OK", "application/json", r#"{"jsonrpc":"2.0","id":99,"result":{}}"#);
    assert_eq!(through(json, translated()).await, r#"{"jsonrpc":"2.0","id":7,"result":{"x":1}}"#);
}
