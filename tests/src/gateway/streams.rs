//! Streams flow as they come, and end on both sides when one side ends them.

use std::time::Duration;

use bytes::Bytes;
use harness::{Scripted, Settings};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::{Method, Response};
use mcp::upstream::UpstreamTimeouts;
use tokio::time::timeout;

use super::scene::{Scene, call, until};

const FIRST: &str = "event: message\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"progress\":1}}\n\n";
const SECOND: &str = "data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n\n";

/// One event at once, and then nothing, for ever.
fn held() -> Scripted {
    Scripted::Events { pieces: vec![Bytes::from(FIRST)], pause: Duration::ZERO, ends: false }
}

async fn opened(scene: &Scene) -> Response<Incoming> {
    let client = scene
        .client()
        .with("content-type", "application/json")
        .with("accept", "application/json, text/event-stream");
    client.open(Method::POST, &scene.path(), call(1, "slow").to_string()).await
}

async fn next_piece(response: &mut Response<Incoming>) -> Option<Bytes> {
    let frame = timeout(Duration::from_secs(5), response.frame()).await.expect("a piece in time")?;
    frame.expect("the stream is whole").into_data().ok()
}

#[tokio::test]
async fn an_event_arrives_while_the_upstream_still_holds_the_stream() {
    let scene = Scene::of(held()).await;
    let mut response = opened(&scene).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    assert_eq!(next_piece(&mut response).await.expect("an event"), FIRST);
    assert_eq!(scene.upstream.open_streams(), 1);
}

#[tokio::test]
async fn each_event_arrives_by_itself_and_the_end_with_the_last() {
    let pieces = vec![Bytes::from(FIRST), Bytes::from(FIRST), Bytes::from(SECOND)];
    let scene = Scene::of(Scripted::Events { pieces, pause: Duration::from_millis(200), ends: true }).await;
    let mut response = opened(&scene).await;
    for expected in [FIRST, FIRST, SECOND] {
        assert_eq!(next_piece(&mut response).await.expect("an event"), expected);
    }
    assert_eq!(next_piece(&mut response).await, None);
}

#[tokio::test]
async fn the_upstream_sees_its_connection_end_when_the_client_leaves_a_stream() {
    let scene = Scene::of(held()).await;
    let mut response = opened(&scene).await;
    next_piece(&mut response).await;
    drop(response);
    until("the upstream's stream is closed", async || scene.upstream.open_streams() == 0).await;
}

#[tokio::test]
async fn the_upstream_sees_its_connection_end_when_the_client_leaves_before_any_answer() {
    let scene = Scene::of(Scripted::Silence(Duration::from_mins(10))).await;
    let message = call(1, "slow");
    let waiting = tokio::time::timeout(Duration::from_millis(300), scene.call(&message)).await;
    assert!(waiting.is_err(), "nothing was answered");
    assert_eq!(scene.upstream.seen().len(), 1);
    until("the upstream's call is dropped", async || scene.upstream.open_streams() == 0).await;
}

#[tokio::test]
async fn a_hundred_streams_opened_and_left_leave_nothing_behind() {
    let scene = Scene::of(held()).await;
    let mut streams = Vec::new();
    for _ in 0..100 {
        let mut response = opened(&scene).await;
        next_piece(&mut response).await;
        streams.push(response);
    }
    assert_eq!(scene.upstream.open_streams(), 100);
    drop(streams);
    until("every upstream stream is closed", async || scene.upstream.open_streams() == 0).await;
    scene.upstream.now(Scripted::Result(serde_json::json!({})));
    scene.call(&call(2, "quick")).await.good();
}

#[tokio::test]
async fn a_listening_stream_passes_and_is_left_open_in_silence() {
    let notice =
        "event: message\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}\n\n";
    let script = Scripted::Events { pieces: vec![Bytes::from(notice)], pause: Duration::ZERO, ends: false };
    let scene = Scene::with(script, super::scene::patience(300)).await;
    let client = scene.client().with("accept", "text/event-stream");
    let mut response = client.open(Method::GET, &scene.path(), "").await;
    assert_eq!(response.status(), 200);
    assert_eq!(next_piece(&mut response).await.expect("an event"), notice);
    let silence = timeout(Duration::from_millis(900), response.frame()).await;
    assert!(silence.is_err(), "no timeout ends a listening stream: {silence:?}");
    assert_eq!(scene.upstream.seen()[0].method, Method::GET);
    drop(response);
    until("the upstream's stream is closed", async || scene.upstream.open_streams() == 0).await;
}

#[tokio::test]
async fn a_client_that_stops_reading_holds_the_upstream_no_longer_than_any_answer_may_take() {
    let event = Bytes::from(format!(": {}\n\n", "x".repeat(64 * 1024)));
    let script = Scripted::Events { pieces: vec![event; 2000], pause: Duration::ZERO, ends: false };
    let hard = Duration::from_millis(500);
    let upstream = UpstreamTimeouts { hard, ..UpstreamTimeouts::default() };
    let scene = Scene::with(script, Settings { upstream, ..Settings::default() }).await;
    let mut response = opened(&scene).await;
    next_piece(&mut response).await;
    until("the upstream's stream is closed", async || scene.upstream.open_streams() == 0).await;
    let mut read = 0;
    while let Some(Ok(frame)) = timeout(Duration::from_secs(5), response.frame()).await.expect("an end") {
        read += frame.into_data().map_or(0, |piece| piece.len());
    }
    assert!(read < 128 * 1024 * 1024, "only what was under way still comes: {read}");
}
