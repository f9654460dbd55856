//! An upstream that is down, slow, cut off, or no MCP server at all: a clear answer each time, and bounded memory.

use std::time::Duration;

use bytes::Bytes;
use harness::{Scripted, Settings};
use hyper::Method;
use serde_json::{Value, json};
use url::Url;

use super::scene::{Scene, call, list, patience, until};

const MEBIBYTE: usize = 1024 * 1024;

fn raw(status: u16, content_type: &'static str, body: &'static str) -> Scripted {
    Scripted::Raw { status, content_type, body: Bytes::from_static(body.as_bytes()) }
}

/// The last event of a stream, as JSON.
fn last_event(bytes: &Bytes) -> Value {
    let text = String::from_utf8(bytes.to_vec()).expect("text");
    let data = text.lines().rev().find_map(|line| line.strip_prefix("data: ")).expect("an event");
    serde_json::from_str(data).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[tokio::test]
async fn an_upstream_that_is_down_is_told() {
    let scene = Scene::of(Scripted::Result(json!({}))).await;
    let nobody = Url::parse("http://127.0.0.1:1/mcp").expect("an address");
    let instance = scene.world.instance_in_front_of(&nobody).await;
    let answer = scene.anybody().as_key(instance.api_key()).post(&instance.path(), &call("a", "x")).await;
    answer.refused_call(502, "upstream-unreachable", &json!("a"));
    assert!(
        !String::from_utf8_lossy(&answer.bytes).contains("127.0.0.1"),
        "where the upstream is stays ours"
    );
}

#[tokio::test]
async fn case_22_a_server_of_an_organization_leads_nobody_into_networks_that_are_not_open() {
    let mut scene = Scene::of(Scripted::Result(json!({}))).await;
    let settings = Settings { upstream_loopback: api::config::Loopback::Refused, ..Settings::default() };
    scene.world.node = scene.world.another_node_with(settings).await; // registered before, and judged by the new rule at each call
    let refused = scene.call(&call(1, "x")).await;
    refused.refused_call(502, "upstream-address-refused", &json!(1));
    let told = refused.body()["error"]["message"].as_str().expect("a message").to_owned();
    assert!(told.contains("--upstream-networks"), "it says what opens it: {told}");

    let port = scene.upstream.url.port().expect("a port");
    let described = |host: &str, name: &str| {
        let url = Url::parse(&format!("http://{host}:{port}/mcp")).expect("an address");
        json!({ "name": name, "transport": { "http": { "url": url } }, "credential_fields": [], "visibility": "organization" })
    };
    let registered = scene.world.path(&format!("/servers/{}", scene.instance.server));
    for host in
        ["127.0.0.1", "[::ffff:127.0.0.1]", "0x7f.1", "169.254.169.254", "10.0.0.1", "[fd00::1]", "0.0.0.0"]
    {
        let (admin, body) = (scene.world.admin(), described(host, "Inside"));
        let refused = admin.post(&scene.world.path("/servers"), &body).await;
        refused.refused(422, "upstream-address-refused");
        let detail = refused.body()["detail"].as_str().expect("a detail").to_owned();
        assert!(
            detail.contains("--upstream-networks") && detail.contains("/v1/deployment/servers"),
            "{detail}"
        );
        if host != "127.0.0.1" && host != "0x7f.1" {
            admin.json(Method::PUT, &registered, &body).await.refused(422, "upstream-address-refused");
        }
    }
    let mut renamed = described("127.0.0.1", "Another name");
    renamed["transport"]["http"]["url"] = json!(scene.upstream.url);
    scene.world.admin().json(Method::PUT, &registered, &renamed).await.good();

    // Where a name leads is known when it is called.
    let inside = Url::parse(&format!("http://localhost:{port}/mcp")).expect("an address");
    let instance = scene.world.instance_in_front_of(&inside).await;
    let answer = scene.anybody().as_key(instance.api_key()).post(&instance.path(), &call("a", "x")).await;
    answer.refused_call(502, "upstream-address-refused", &json!("a"));
    assert!(scene.upstream.seen().is_empty(), "nothing was sent");

    // Whoever looks after the deployment may have servers beside it.
    let server = json!({ "name": "Ours", "transport": { "http": { "url": scene.upstream.url } }, "credential_fields": [], "visibility": "public" });
    let server = scene.world.admin().post("/v1/deployment/servers", &server).await.good();
    let instance = scene.world.instance_of_server(server["id"].as_str().expect("an id")).await;
    let answer = scene.anybody().as_key(instance.api_key()).post(&instance.path(), &call(2, "x")).await;
    let message: Value = serde_json::from_slice(&answer.bytes).expect("JSON");
    assert_eq!((answer.status.as_u16(), &message["result"]), (200, &json!({})));
}

#[tokio::test]
async fn an_upstream_that_says_nothing_in_time_is_told() {
    let scene = Scene::with(Scripted::Silence(Duration::from_mins(10)), patience(300)).await;
    scene.call(&call(1, "x")).await.refused_call(504, "upstream-timeout", &json!(1));
    until("the upstream is let go", async || scene.upstream.open_streams() == 0).await;
}

#[tokio::test]
async fn a_stream_that_falls_silent_ends_with_an_error_under_the_requests_id() {
    let notice = Bytes::from_static(b"data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}\n\n");
    let script = Scripted::Events { pieces: vec![notice.clone()], pause: Duration::ZERO, ends: false };
    let scene = Scene::with(script, patience(300)).await;
    let answer = scene.call(&call("s", "x")).await;
    assert_eq!(answer.status, 200, "the stream had begun");
    assert!(answer.bytes.starts_with(&notice));
    let last = last_event(&answer.bytes);
    assert_eq!((&last["id"], &last["error"]["data"]["reason"]), (&json!("s"), &json!("upstream-timeout")));
    until("the upstream is let go", async || scene.upstream.open_streams() == 0).await;
}

#[tokio::test]
async fn a_stream_that_is_cut_ends_with_an_error_under_the_requests_id() {
    for piece in [
        "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}\n\ndata: {\"jsonrpc\":\"2.0\",\"id\":\"c\",\"res",
        ": nothing yet\n\n",
    ] {
        let scene = Scene::of(Scripted::CutStream(Bytes::from_static(piece.as_bytes()))).await;
        let answer = scene.call(&call("c", "x")).await;
        let last = last_event(&answer.bytes);
        assert_eq!((&last["id"], &last["error"]["data"]["reason"]), (&json!("c"), &json!("upstream-closed")));
        assert!(!String::from_utf8_lossy(&answer.bytes).contains("\"res"), "half an event is no event");
    }
}

#[tokio::test]
async fn a_stream_that_ends_without_its_answer_says_so() {
    let pieces =
        vec![Bytes::from_static(b"data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}\n\n")];
    let scene = Scene::of(Scripted::Events { pieces, pause: Duration::ZERO, ends: true }).await;
    let last = last_event(&scene.call(&call(4, "x")).await.bytes);
    assert_eq!((&last["id"], &last["error"]["data"]["reason"]), (&json!(4), &json!("upstream-closed")));
}

#[tokio::test]
async fn what_is_not_mcp_is_told_and_not_passed_on() {
    let scene = Scene::of(Scripted::Result(json!({}))).await;
    for script in [
        raw(200, "text/html", "<html>secret page</html>"),
        raw(404, "text/html; charset=utf-8", "<html>secret page</html>"),
        raw(500, "text/plain", "secret trace"),
        raw(503, "text/html", "secret page"),
        raw(200, "text/plain", "secret"),
        raw(200, "application/json", "[1, \"secret\"]"),
        raw(200, "application/json", "\"secret\""),
        raw(202, "application/json", "{}"),
        raw(200, "application/json", ""),
    ] {
        scene.upstream.now(script.clone());
        let answer = scene.call(&call(1, "x")).await;
        answer.refused_call(502, "upstream-bad-answer", &json!(1));
        assert!(!String::from_utf8_lossy(&answer.bytes).contains("secret"), "{script:?}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let scene = Scene::of(Scripted::Result(json!({}))).await;
    let elsewhere = harness::ScriptedUpstream::start(Scripted::Result(json!({}))).await;
    scene.upstream.now(Scripted::Redirect(elsewhere.url.to_string()));
    scene.call(&call(1, "x")).await.refused_call(502, "upstream-bad-answer", &json!(1));
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn an_upstream_that_refuses_our_credential_does_not_look_like_a_refused_caller() {
    let scene = Scene::of(Scripted::Result(json!({}))).await;
    for status in [401, 407] {
        let body =
            Bytes::from_static(br#"{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"who are you"}}"#);
        scene.upstream.now(Scripted::Raw { status, content_type: "application/json", body });
        let answer = scene.call(&call(1, "x")).await;
        answer.refused_call(502, "upstream-unauthorized", &json!(1));
        assert!(!answer.headers.contains_key("www-authenticate"));
    }
}

#[tokio::test]
async fn a_line_without_end_is_cut_off_and_never_held() {
    let scene = Scene::of(Scripted::EndlessLine(1024 * MEBIBYTE)).await;
    scene.call(&list(0)).await; // whatever the first call allocates for good
    let before = resident_bytes();
    for message in [call(1, "x"), list(2)] {
        let answer = scene.call(&message).await;
        let last = last_event(&answer.bytes);
        assert_eq!(
            (&last["id"], &last["error"]["data"]["reason"]),
            (&message["id"], &json!("upstream-answer-too-large"))
        );
        assert!(answer.bytes.len() < 4096, "nothing of it is passed on");
        until("the upstream is let go", async || scene.upstream.open_streams() == 0).await;
    }
    let grown = resident_bytes().saturating_sub(before);
    assert!(grown < 96 * MEBIBYTE, "grown by {} MiB", grown / MEBIBYTE);
}

/// The memory of this process, nodes and other tests included.
fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("the kernel tells");
    let pages: usize =
        statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).expect("a number of pages");
    pages * 4096
}

#[tokio::test]
async fn an_answer_that_nests_without_end_harms_nobody() {
    let scene = Scene::exposing(Scripted::Result(json!({})), &["x"]).await;
    let (open, close) = ("[".repeat(200_000), "]".repeat(200_000));
    let answer = format!(
        r#"{{"jsonrpc":"2.0","id":1,"result":{{"tools":[{{"name":"x","inputSchema":{{"a":{open}{close}}}}}]}}}}"#
    );
    for message in [call(1, "x"), list(1)] {
        let body = Bytes::from(answer.clone());
        scene.upstream.now(Scripted::Raw { status: 200, content_type: "application/json", body });
        assert!(scene.call(&message).await.bytes == answer, "carried as it is");
    }
    let pieces = vec![Bytes::from(format!("data: {answer}\n\n"))];
    scene.upstream.now(Scripted::Events { pieces, pause: Duration::ZERO, ends: true });
    let last = last_event(&scene.call(&list(1)).await.bytes);
    assert_eq!(
        last["error"]["data"]["reason"], "upstream-bad-answer",
        "a list is read before it is given out"
    );
    scene.upstream.now(Scripted::Result(json!({})));
    scene.call(&call(2, "x")).await.good();
}
