//! Upstreams that are not there: their callers are told so at once, and nobody else's calls suffer from it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use api::config::BreakerLimits;
use harness::{Answer, Http, Scripted, ScriptedUpstream, Settings, World};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use url::Url;

use super::scene::{Scene, call, list, patience, request, until};

/// A server comes back when a check finds it, which is after some time; this is more than any test should need.
const BACK_WITHIN: Duration = Duration::from_mins(2);

/// A port where nobody listens, and which nobody else gets.
struct Dead {
    socket: TcpSocket,
    url: Url,
}

impl Dead {
    fn reserve() -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port");
        let address = socket.local_addr().expect("an address");
        Self { socket, url: Url::parse(&format!("http://{address}/mcp")).expect("an address") }
    }

    fn comes_back(self, script: Scripted) -> ScriptedUpstream {
        ScriptedUpstream::on(self.socket.listen(1024).expect("it listens"), script)
    }
}

/// Settings are small and copied; what is set lives as long as the test.
fn kept(breakers: BreakerLimits) -> &'static BreakerLimits {
    Box::leak(Box::new(breakers))
}

fn left_alone(failures_max: u32, open: Duration) -> Settings {
    let breakers = BreakerLimits { failures_max, open, open_max: open, ..BreakerLimits::default() };
    Settings { breakers: Some(kept(breakers)), ..Settings::default() }
}

fn reason(answer: &Answer) -> Value {
    let body: Value = serde_json::from_slice(&answer.bytes).expect("JSON");
    body["error"]["data"]["reason"].clone()
}

async fn comes_back(client: &Http, path: &str) {
    let answered = async {
        while client.post(path, &call(1, "x")).await.status != 200 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(BACK_WITHIN, answered).await.expect("it is asked again");
}

fn methods(upstream: &ScriptedUpstream) -> Vec<String> {
    let method = |seen: &harness::Seen| seen.message()["method"].as_str().unwrap_or_default().to_owned();
    upstream.seen().iter().map(method).collect()
}

#[tokio::test]
async fn a_dead_server_costs_its_callers_nothing_and_is_back_without_a_restart() {
    let world = World::with(left_alone(3, Duration::from_secs(20))).await;
    let dead = Dead::reserve();
    let instance = world.instance_in_front_of(&dead.url).await;
    let client = world.node.http().as_key(instance.api_key());
    for _ in 0..3 {
        let answer = client.post(&instance.path(), &call("a", "x")).await;
        answer.refused_call(502, "upstream-unreachable", &json!("a"));
    }
    let answer = client.post(&instance.path(), &call("b", "x")).await;
    answer.refused_call(503, "upstream-down", &json!("b"));
    let wait: u64 = answer.header("retry-after").expect("when").parse().expect("seconds");
    assert!((1..=24).contains(&wait), "{wait}");
    until("the call is recorded", async || {
        let told = "select outcome || ' ' || reason from calls order by at desc limit 1";
        let told: Option<String> =
            sqlx::query_scalar(told).fetch_optional(&world.node.running.pool).await.expect("a row");
        told.as_deref() == Some("upstream_error upstream-down")
    })
    .await;
    let metrics =
        async || String::from_utf8(world.node.http().get("/metrics").await.bytes.to_vec()).expect("text");
    assert!(metrics().await.contains("sekisho_upstream_breaker_transitions_total{state=\"open\"} 1\n"));
    until("it is counted", async || {
        metrics().await.contains("sekisho_upstreams_in_trouble{state=\"open\"} 1\n")
    })
    .await;

    let upstream = dead.comes_back(Scripted::Result(json!({})));
    comes_back(&client, &instance.path()).await;
    let seen = upstream.seen();
    assert!(
        seen.iter().filter(|seen| seen.message()["method"] == "server/discover").all(|check| {
            check.header("authorization").is_none() && check.header("mcp-session-id").is_none()
        }),
        "a check has nothing of anybody's in it"
    );
    until("it is in trouble no more", async || {
        metrics().await.contains("sekisho_upstreams_in_trouble{state=\"open\"} 0\n")
    })
    .await;
}

#[tokio::test]
async fn while_it_is_half_open_one_of_fifty_callers_finds_out() {
    let settings = left_alone(1, Duration::from_secs(1));
    let breakers =
        BreakerLimits { check: Duration::from_mins(10), ..*settings.breakers.expect("they are set") };
    let world = World::with(Settings { breakers: Some(kept(breakers)), ..settings }).await;
    let dead = Dead::reserve();
    let instance = world.instance_in_front_of(&dead.url).await;
    let client = world.node.http().as_key(instance.api_key());
    client.post(&instance.path(), &call(0, "x")).await.refused_call(502, "upstream-unreachable", &json!(0));

    // Whoever finds out, and the check, wait for an answer for as long as this test goes on.
    let upstream = dead.comes_back(Scripted::Silence(Duration::from_mins(10)));
    let asked = || methods(&upstream).iter().filter(|method| *method == "tools/call").count();
    let mut callers = JoinSet::new();
    let ask = |callers: &mut JoinSet<Answer>| {
        for number in 0..50 {
            let (client, path) = (client.clone(), instance.path());
            callers.spawn(async move { client.post(&path, &call(number, "x")).await });
        }
    };
    let all_but_one_are_told = async |callers: &mut JoinSet<Answer>| {
        while callers.len() > 1 {
            let told = timeout(BACK_WITHIN, callers.join_next()).await.expect("one waits, no more");
            assert_eq!(reason(&told.expect("a call").expect("an answer")), "upstream-down");
        }
    };
    while asked() == 0 {
        ask(&mut callers);
        all_but_one_are_told(&mut callers).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    ask(&mut callers);
    all_but_one_are_told(&mut callers).await;
    assert_eq!(asked(), 1);

    callers.shutdown().await; // whoever was to find out leaves
    upstream.now(Scripted::Result(json!({})));
    comes_back(&client, &instance.path()).await;
}

#[tokio::test]
async fn a_slow_tool_shuts_nobody_out_from_the_others() {
    let breakers =
        BreakerLimits { failures_max: 2, check: Duration::from_mins(2), ..BreakerLimits::default() };
    let script = Scripted::SlowTool("slow", Duration::from_mins(10));
    let scene = Scene::with(script, Settings { breakers: Some(kept(breakers)), ..patience(1_000) }).await;
    let mut slow = JoinSet::new();
    for number in 0..8 {
        let (client, path) = (scene.client(), scene.path());
        slow.spawn(async move { client.post(&path, &call(number, "slow")).await });
    }
    for answer in slow.join_all().await {
        assert_eq!(reason(&answer), "upstream-timeout");
    }
    until("it was checked", async || {
        methods(&scene.upstream).iter().any(|method| method == "server/discover")
    })
    .await;
    for _ in 0..20 {
        assert_ne!(reason(&scene.call(&call(1, "fast")).await), "upstream-down");
    }
    comes_back(&scene.client(), &scene.path()).await;
}

#[tokio::test]
async fn a_server_that_answers_nothing_at_all_is_left_alone_and_comes_back() {
    let settings = patience(300);
    let breakers = BreakerLimits {
        failures_max: 2,
        check: Duration::from_millis(300),
        open: Duration::from_secs(2),
        open_max: Duration::from_secs(2),
    };
    let scene = Scene::with(
        Scripted::Silence(Duration::from_mins(10)),
        Settings { breakers: Some(kept(breakers)), ..settings },
    )
    .await;
    for number in 0..2 {
        scene.call(&call(number, "x")).await.refused_call(504, "upstream-timeout", &json!(number));
    }
    until("it is left alone", async || reason(&scene.call(&call(1, "x")).await) == "upstream-down").await;
    scene.upstream.now(Scripted::Result(json!({})));
    comes_back(&scene.client(), &scene.path()).await;
}

#[tokio::test]
async fn what_a_server_answers_never_counts_against_it() {
    let scene = Scene::with(Scripted::Result(json!({})), left_alone(1, Duration::from_mins(1))).await;
    let raw =
        |status, content_type, body: &'static str| Scripted::Raw { status, content_type, body: body.into() };
    let error = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"no"}}"#;
    for script in [
        raw(400, "application/json", error),
        raw(404, "text/plain", "gone"),
        raw(429, "text/plain", "later"),
        raw(401, "text/plain", "who"),
        raw(500, "application/json", error),
        raw(200, "application/json", error),
        raw(200, "text/html", "a page"),
        Scripted::Result(json!({ "isError": true, "content": [] })),
    ] {
        scene.upstream.now(script.clone());
        for _ in 0..3 {
            assert_ne!(reason(&scene.call(&call(1, "x")).await), "upstream-down", "{script:?}");
        }
    }
    assert!(methods(&scene.upstream).iter().all(|method| method == "tools/call"), "nothing to check");
}

#[tokio::test]
async fn another_organization_with_a_server_at_the_same_address_finds_out_for_itself() {
    let world = World::with(left_alone(2, Duration::from_mins(5))).await;
    let dead = Dead::reserve();
    let ours = world.instance_in_front_of(&dead.url).await;
    let client = world.node.http().as_key(ours.api_key());
    for _ in 0..2 {
        client.post(&ours.path(), &call(1, "x")).await.refused_call(502, "upstream-unreachable", &json!(1));
    }
    client.post(&ours.path(), &call(1, "x")).await.refused_call(503, "upstream-down", &json!(1));

    let rival = json!({ "slug": "rival", "name": "Rival" });
    let rival = world.admin().post("/v1/organizations", &rival).await.good();
    let http = world.node.http().as_key(rival["api_key"].as_str().expect("a key"));
    let made = async |path: &str, body: Value| {
        let path = format!("/v1/organizations/{}{path}", rival["id"].as_str().expect("an id"));
        http.post(&path, &body).await.good()
    };
    let id = |made: &Value| made["id"].as_str().expect("an id").to_owned();
    let server = json!({ "name": "Upstream", "transport": { "http": { "url": dead.url } }, "credential_fields": [], "visibility": "organization" });
    let server = id(&made("/servers", server).await);
    let connection = id(&made("/connections", json!({ "server": server, "name": "Theirs" })).await);
    let instance =
        json!({ "name": "Tools", "connections": [connection], "tools": "all", "authentication": "api_key" });
    let instance = id(&made("/instances", instance).await);
    let key =
        made("/api-keys", json!({ "name": "A key", "scopes": ["mcp:write"], "instance": instance })).await;
    let theirs = world.node.http().as_key(key["api_key"].as_str().expect("a key"));
    let path = format!("/mcp/{instance}");
    theirs.post(&path, &call(2, "x")).await.refused_call(502, "upstream-unreachable", &json!(2));
    let upstream = dead.comes_back(Scripted::Result(json!({})));
    theirs.post(&path, &call(3, "x")).await.good();
    client.post(&ours.path(), &call(4, "x")).await.refused_call(503, "upstream-down", &json!(4));
    assert_eq!(upstream.seen().len(), 1, "whoever is left alone is not asked");
}

/// A server that closes the connection on so many requests before it answers one, and remembers what it was asked.
#[derive(Clone)]
struct HangsUp {
    url: Url,
    asked: Arc<Mutex<Vec<String>>>,
    times: Arc<Mutex<usize>>,
}

impl HangsUp {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let url = Url::parse(&format!("http://{address}/mcp")).expect("an address");
        let server = Self { url, asked: Arc::default(), times: Arc::default() };
        let serving = server.clone();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(serving.clone().serve(connection));
            }
        });
        server
    }

    async fn serve(self, mut connection: TcpStream) {
        let mut read = Vec::new();
        let message = loop {
            let mut piece = [0; 4096];
            let bytes = connection.read(&mut piece).await.unwrap_or(0);
            if bytes == 0 {
                return; // opened ahead, and not used
            }
            read.extend_from_slice(&piece[..bytes]);
            let text = String::from_utf8_lossy(&read);
            let body = text.split_once("\r\n\r\n").map(|(_, body)| serde_json::from_str::<Value>(body));
            if let Some(Ok(message)) = body {
                break message;
            }
        };
        let method = message["method"].as_str().expect("a method").to_owned();
        self.asked.lock().expect("the list").push(method);
        if self.hangs_up() {
            return;
        }
        let body = json!({ "jsonrpc": "2.0", "id": message["id"], "result": { "tools": [] } }).to_string();
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n";
        let answer = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
        connection.write_all(answer.as_bytes()).await.expect("the answer goes out");
    }

    fn hangs_up(&self) -> bool {
        let mut times = self.times.lock().expect("the number");
        let left = *times;
        *times = left.saturating_sub(1);
        left > 0
    }

    /// Hangs up so many times from now on.
    fn next(&self, times: usize) {
        *self.times.lock().expect("the number") = times;
        self.asked.lock().expect("the list").clear();
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("the list").clone()
    }
}

#[tokio::test]
async fn a_read_is_sent_once_more_when_its_connection_ends_and_a_tool_call_never_is() {
    let world = World::with(left_alone(100, Duration::from_mins(1))).await;
    let upstream = HangsUp::start().await;
    let instance = world.instance_in_front_of(&upstream.url).await;
    let client = world.node.http().as_key(instance.api_key());
    let path = instance.path();

    upstream.next(1);
    client.post(&path, &list(1)).await.good();
    assert_eq!(upstream.asked(), ["tools/list"; 2]);

    upstream.next(5);
    client.post(&path, &list(2)).await.refused_call(502, "upstream-closed", &json!(2));
    assert_eq!(upstream.asked(), ["tools/list"; 2], "once more, and not twice");

    upstream.next(1);
    client.post(&path, &call(3, "x")).await.refused_call(502, "upstream-closed", &json!(3));
    assert_eq!(upstream.asked(), ["tools/call"]);

    for method in ["completion/complete", "resources/subscribe"] {
        upstream.next(1);
        let answer = client.post(&path, &request(4, method, &json!({}))).await;
        answer.refused_call(502, "upstream-closed", &json!(4));
        assert_eq!(upstream.asked(), [method]);
    }
}
