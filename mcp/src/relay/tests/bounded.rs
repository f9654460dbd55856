//! What a client that does not read, and all clients together, may hold.

use tokio::time::timeout;

use super::*;

const SOON: Duration = Duration::from_millis(200);
const MEBIBYTE: usize = 1024 * 1024;

fn bounded(timeouts: UpstreamTimeouts, held_bytes_max: usize) -> Upstream {
    let config = UpstreamConfig { timeouts, held_bytes_max, ..UpstreamConfig::default() };
    Upstream::try_new(config).expect("TLS")
}

fn hard(hard: Duration) -> Upstream {
    bounded(UpstreamTimeouts { hard, ..UpstreamTimeouts::default() }, 64 * MEBIBYTE)
}

fn roomy(held_bytes_max: usize) -> Upstream {
    bounded(UpstreamTimeouts::default(), held_bytes_max)
}

/// An upstream that writes this and then waits for the other side to close.
async fn holding(answer: String) -> ScriptedServer {
    ScriptedServer::start(vec![Step::Write(answer.into()), Step::AwaitClose], false).await
}

async fn through(upstream: &Upstream, server: &ScriptedServer, exchange: Exchange) -> RelayBody {
    relay(upstream.send(server.request("{}")).await.unwrap(), exchange).await.unwrap().into_body()
}

async fn piece(body: &mut RelayBody) -> Bytes {
    body.frame().await.expect("a frame").expect("no error").into_data().expect("data")
}

async fn given_back(upstream: &Upstream) {
    let empty = async {
        while upstream.memory().bytes_held() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(5), empty).await.expect("everything is given back");
}

fn event(bytes: usize) -> String {
    format!("data: {{\"method\":\"{}\"}}\n\n", "x".repeat(bytes))
}

fn long_list(bytes: usize) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":7,"result":{{"tools":[{{"name":"ls","description":"{}"}}]}}}}"#,
        "x".repeat(bytes)
    )
}

#[tokio::test]
async fn the_hard_limit_lets_the_upstream_go_while_the_client_reads_nothing() {
    let first = "data: {\"method\":\"a\"}\n\n";
    let mut server = holding(events(&[first])).await;
    let mut body = through(&hard(SOON), &server, call()).await;
    assert_eq!(piece(&mut body).await, first);
    assert!(matches!(server.next().await, Seen::Request(_)));
    assert_eq!(server.next().await, Seen::Closed, "nobody has asked for the next piece");
    let rest = body.collect().await.expect("no error").to_bytes();
    assert_eq!(last_word(std::str::from_utf8(&rest).unwrap()), (7.into(), "upstream-timeout".into()));
}

#[tokio::test]
async fn the_hard_limit_takes_back_what_a_client_left_half_read() {
    let answers = [events(&[&event(MEBIBYTE)]), answer("200 OK", "application/json", &long_list(MEBIBYTE))];
    for (large, exchange) in answers.into_iter().zip([call(), list()]) {
        let (upstream, server) = (hard(SOON), holding(large).await);
        let mut body = through(&upstream, &server, exchange).await;
        let kept = piece(&mut body).await;
        assert!(kept.len() < MEBIBYTE && upstream.memory().bytes_held() > MEBIBYTE);
        given_back(&upstream).await;
        assert_eq!(body.collect().await.expect_err("half an answer").reason(), "upstream-timeout");
    }
}

#[tokio::test]
async fn an_upstream_that_sends_faster_than_anybody_reads_meets_the_hard_limit_too() {
    let piece = Bytes::from(chunk("data: {\"method\":\"a\"}\n\n").repeat(1000));
    let script = vec![Step::Write(chunked_head("text/event-stream").into()), Step::Flood(piece, 10_000_000)];
    let server = ScriptedServer::start(script, false).await;
    let body = through(&hard(SOON), &server, call()).await;
    let stream = timeout(Duration::from_secs(10), body.collect()).await.expect("an end").expect("no error");
    assert!(stream.to_bytes().ends_with(b"\"id\":7,\"error\":{\"code\":-32603,\"data\":{\"reason\":\"upstream-timeout\"},\"message\":\"the upstream took too long\"}}\n\n"));
}

#[tokio::test]
async fn a_listener_that_takes_nothing_is_let_go_and_one_that_waits_is_not() {
    let upstream = bounded(UpstreamTimeouts { idle: SOON, ..UpstreamTimeouts::default() }, MEBIBYTE);
    let mut server = holding(events(&[": one\n\n", ": two\n\n"])).await;
    let listening = || UpstreamRequest { patience: Patience::Listen, ..server.request("") };
    let listen = || Exchange::Listen { list: None };
    let mut waiting = relay(upstream.send(listening()).await.unwrap(), listen()).await.unwrap().into_body();
    assert_eq!(piece(&mut waiting).await, ": one\n\n");
    assert_eq!(piece(&mut waiting).await, ": two\n\n");
    assert!(timeout(SOON * 4, waiting.frame()).await.is_err(), "silence is no reason to end");
    drop(waiting);
    let gone = relay(upstream.send(listening()).await.unwrap(), listen()).await.unwrap();
    for _ in 0..2 {
        assert!(matches!(server.next().await, Seen::Request(_)));
        assert_eq!(server.next().await, Seen::Closed);
    }
    drop(gone);
}

#[tokio::test]
async fn a_list_over_its_own_limit_is_too_large_in_json_and_in_events() {
    let large = long_list(LIST_BYTES_MAX);
    let upstream = roomy(64 * MEBIBYTE);
    let server = ScriptedServer::answering(answer("200 OK", "application/json", &large)).await;
    let json = relay(upstream.send(server.request("{}")).await.unwrap(), list()).await;
    assert_eq!(json.expect_err("too large").reason(), "upstream-answer-too-large");
    let server = ScriptedServer::answering(events(&[&format!("data: {large}\n\n")]) + LAST_CHUNK).await;
    let stream = through(&upstream, &server, list()).await.collect().await.expect("no error").to_bytes();
    let stream = std::str::from_utf8(&stream).unwrap();
    assert_eq!(last_word(stream), (7.into(), "upstream-answer-too-large".into()));
    given_back(&upstream).await;
}

#[tokio::test]
async fn a_small_answer_that_came_in_one_piece_passes_as_that_piece_and_counts_for_nothing() {
    let upstream = roomy(MEBIBYTE);
    let small = r#"{"jsonrpc":"2.0","id":7,"result":{}}"#;
    let server = ScriptedServer::answering(answer("200 OK", "application/json", small)).await;
    let mut body = through(&upstream, &server, call()).await;
    assert_eq!((piece(&mut body).await.len(), upstream.memory().bytes_held()), (small.len(), 0));
    assert!(http_body::Body::is_end_stream(&body), "the piece is all of it");
}

#[tokio::test]
async fn an_answer_counts_with_the_part_of_whoever_asked() {
    let upstream = roomy(64 * MEBIBYTE);
    let (one, other) = (upstream.memory().part(MEBIBYTE), upstream.memory().part(8 * MEBIBYTE));
    let server = ScriptedServer::answering(answer("200 OK", "application/json", &long_list(MEBIBYTE))).await;
    let answer = upstream.send_within(server.request("{}"), &one).await.unwrap();
    assert_eq!(relay(answer, list()).await.expect_err("no room").reason(), "node-busy");
    let answer = upstream.send_within(server.request("{}"), &other).await.unwrap();
    assert!(relay(answer, list()).await.is_ok());
    given_back(&upstream).await;
}

#[tokio::test]
async fn what_must_be_gathered_is_refused_when_all_together_hold_too_much() {
    let upstream = roomy(MEBIBYTE);
    let large = long_list(MEBIBYTE);
    let server = ScriptedServer::answering(answer("200 OK", "application/json", &large)).await;
    let refused = relay(upstream.send(server.request("{}")).await.unwrap(), list()).await;
    let refused = refused.expect_err("no room");
    assert_eq!((refused.reason(), refused.status()), ("node-busy", StatusCode::SERVICE_UNAVAILABLE));

    let server = ScriptedServer::answering(events(&[&event(MEBIBYTE)]) + LAST_CHUNK).await;
    let stream = through(&upstream, &server, call()).await.collect().await.expect("no error").to_bytes();
    assert_eq!(last_word(std::str::from_utf8(&stream).unwrap()), (7.into(), "node-busy".into()));

    // What is not gathered needs no room: the same bytes pass as they come.
    let body = format!("{{\"a\":\"{}\"}}", "x".repeat(4 * MEBIBYTE));
    let server = ScriptedServer::answering(answer("200 OK", "application/json", &body)).await;
    let passed = through(&upstream, &server, call()).await.collect().await.expect("no error");
    assert_eq!(passed.to_bytes().len(), body.len());
    given_back(&upstream).await;
}
