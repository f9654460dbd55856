//! What an operator sees: health, readiness, metrics, traces, and both versions of HTTP.

use bytes::Bytes;
use harness::{Scripted, Settings, World};
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::json;

use super::raw::Connection;
use super::scene::{Scene, call, list, until};

async fn scene() -> Scene {
    Scene::of(Scripted::Tools(vec![("echo", false)])).await
}

#[tokio::test]
async fn a_node_is_alive_and_ready_and_says_how_far_it_has_read() {
    let scene = scene().await;
    let alive = scene.anybody().get("/healthz").await;
    assert_eq!((alive.status.as_u16(), &alive.bytes[..]), (200, &b"ok\n"[..]));
    let ready = scene.anybody().get("/readyz").await.good();
    assert_eq!(ready["state"], "ready");
    let readers = ready["readers"].as_array().expect("readers");
    assert!(readers.len() >= 2 && readers.iter().all(|reader| reader["parked_events"] == 0), "{ready}");
}

/// Connections of a node's pool that its listener for commits holds for good.
const LISTENING: u32 = 1;

#[tokio::test]
async fn a_node_that_cannot_read_what_it_has_heard_of_is_behind_until_it_can() {
    let world = World::start().await;
    let node = world.another_node_with(Settings { nats: false, ..Settings::default() }).await;
    let listens =
        "select count(*) from pg_stat_activity where datname = current_database() and query ilike 'listen%'";
    let listeners = async || {
        let count: i64 =
            sqlx::query_scalar(listens).fetch_one(&world.node.running.pool).await.expect("a count");
        count
    };
    until("the node hears of commits", async || listeners().await == 1).await;
    node.http().get("/readyz").await.good();

    // All other connections of its pool are taken: it still hears how far the log reaches, and can read nothing of it.
    let pool = &node.running.pool;
    let mut taken = Vec::new();
    for _ in LISTENING..pool.options().get_max_connections() {
        taken.push(pool.acquire().await.expect("a connection"));
    }
    let before = node.running.view.load().position();
    for number in 0..201 {
        let key = json!({ "name": format!("Key {number}"), "scopes": ["mcp:read"] });
        world.admin().post(&world.path("/api-keys"), &key).await.good();
    }
    until("the node says that it is behind", async || node.http().get("/readyz").await.status == 503).await;
    let behind = node.http().get("/readyz").await.body();
    assert_eq!(
        (&behind["state"], node.running.view.load().position()),
        (&json!("behind"), before),
        "{behind}"
    );
    let readers = behind["readers"].as_array().expect("readers");
    let lag = |name: &str| {
        readers.iter().find(|reader| reader["reader"] == name).expect(name)["lag_events"].as_u64()
    };
    assert!(lag("access") > Some(200) && lag("directory") > Some(200), "{behind}");
    assert_eq!(node.http().get("/healthz").await.status, 200, "behind is not dead");
    assert_eq!(world.node.http().get("/readyz").await.status, 200, "the other node is not behind");

    drop(taken);
    until("the node has caught up", async || node.http().get("/readyz").await.status == 200).await;
}

#[tokio::test]
async fn a_draining_node_takes_nobody_new_and_says_so_to_whoever_is_there() {
    let scene = scene().await;
    let address = scene.world.node.running.address;
    let mut there = Connection::open(address).await;
    there.send(b"GET /readyz HTTP/1.1\r\nhost: test\r\n").await;
    let mut calling = Connection::open(address).await;
    calling.send(b"GET /healthz HTTP/1.1\r\nhost: test\r\n").await;
    tokio::time::sleep(std::time::Duration::from_millis(100)).await; // both are being read
    scene.world.node.running.shutdown().begin();
    until("nobody new is taken", async || tokio::net::TcpStream::connect(address).await.is_err()).await;
    there.send(b"\r\n").await;
    let told = there.answer().await.expect("whoever was being read is answered");
    let body: serde_json::Value = serde_json::from_slice(&told.body).expect("JSON");
    assert_eq!((told.status, &body["state"]), (503, &json!("draining")));
    calling.send(b"\r\n").await;
    assert_eq!(
        calling.answer().await.expect("an answer").status,
        200,
        "the process is alive as long as it answers"
    );
}

#[tokio::test]
async fn what_is_answered_and_refused_is_counted_without_naming_anybody() {
    let scene = scene().await;
    scene.call(&list(1)).await.good();
    scene.anybody().post(&scene.path(), &list(1)).await;
    scene.anybody().post(&scene.path(), &list(1)).await;
    let answer = scene.anybody().get("/metrics").await;
    assert!(
        answer.header("content-type").is_some_and(|kind| kind.starts_with("application/openmetrics-text"))
    );
    let text = String::from_utf8(answer.bytes.to_vec()).expect("text");
    for line in [
        "sekisho_http_answers_total{area=\"mcp\",status=\"200\"} 1\n",
        "sekisho_http_answers_total{area=\"mcp\",status=\"401\"} 2\n",
        "sekisho_mcp_refusals_total{reason=\"no-credential\"} 2\n",
        "sekisho_reader_lag_events{reader=\"access\"} 0\n",
        "sekisho_upstream_first_byte_seconds_count 1\n",
        "sekisho_held_bytes{budget=\"calls\"} 0\n",
        "sekisho_held_bytes{budget=\"small-requests\"} 0\n",
        "sekisho_held_bytes{budget=\"refused\"} 0\n",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    assert!(text.contains("sekisho_log_position ") && text.ends_with("# EOF\n"));
    for name in [scene.instance.id.as_str(), &scene.world.organization, &scene.world.founder, "acme"] {
        assert!(!text.contains(name), "{name} is a label");
    }
}

#[tokio::test]
async fn a_trace_goes_on_to_the_upstream_and_a_missing_one_begins_here() {
    let scene = scene().await;
    let (trace, span) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    let traced = scene
        .client()
        .with("traceparent", &format!("00-{trace}-{span}-01"))
        .with("tracestate", "a=1,b=2")
        .with("baggage", "k=v");
    traced.post(&scene.path(), &call(1, "echo")).await.good();
    scene.call(&call(2, "echo")).await.good();
    scene.client().with("traceparent", "nonsense").post(&scene.path(), &call(3, "echo")).await.good();
    let seen = scene.upstream.seen();
    let parent = |index: usize| seen[index].header("traceparent").expect("a trace").to_owned();
    assert!(parent(0).starts_with(&format!("00-{trace}-")) && parent(0).ends_with("-01"), "{}", parent(0));
    assert!(!parent(0).contains(span), "the hop in between is a span of its own");
    assert_eq!((seen[0].header("tracestate"), seen[0].header("baggage")), (Some("a=1,b=2"), Some("k=v")));
    for index in [1, 2] {
        let shape: Vec<usize> = parent(index).split('-').map(str::len).collect();
        assert_eq!(shape, [2, 32, 16, 2], "{}", parent(index));
    }
    assert_ne!(parent(1)[..35], parent(2)[..35]);
}

#[tokio::test]
async fn http_2_is_spoken_to_whoever_begins_with_it() {
    let scene = scene().await;
    let client = Client::builder(TokioExecutor::new()).http2_only(true).build_http();
    for (key, status) in [(scene.instance.api_key(), 200), ("letmein", 401)] {
        let request = Request::post(scene.instance.mcp_url().as_str())
            .header("content-type", "application/json")
            .header("x-api-key", key)
            .body(Full::new(Bytes::from(call(1, "echo").to_string())))
            .expect("a request");
        let answer = client.request(request).await.expect("an answer");
        assert_eq!((answer.version(), answer.status().as_u16()), (hyper::Version::HTTP_2, status));
        let body = answer.into_body().collect().await.expect("a body").to_bytes();
        assert!(String::from_utf8_lossy(&body).contains("\"id\":1"), "{body:?}");
    }
}
