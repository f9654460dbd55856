//! Revocation: from the commit of a revocation to the moment at which the last of three nodes refuses the key, while others write.
//!
//! ```text
//! DELETE at node 1 --commit--> NOTIFY (t0) ... each node: view holds it --> one MCP call with the key, refused (t)
//! ```
//! The figure is the last node's `t - t0`, so it holds that call too. Whether the key is refused is asked of the gateway, as its holder would;
//! when to ask is told by the node's view, so that polling does not take the processors from what is measured.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark that cannot go on has nothing to say"
)]

mod measured;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use domain::value::ApiKeyId;
use harness::{Http, Instance, Node, Scripted, ScriptedUpstream, Settings, World};
use hyper::Method;
use measured::{Report, Rounds, quick, rate};
use projections::freshness::STALENESS_MAX_DEFAULT;
use serde_json::json;
use sqlx::postgres::PgListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

const WRITES_PER_SECOND: u32 = 200;
/// What others write to.
const WRITTEN_TO: usize = 64;
/// A key that is not refused after this long is a failure, not a figure.
const REFUSED_WAIT: Duration = Duration::from_secs(20);

/// Three nodes, and somebody who writes.
struct Scene {
    world: World,
    others: Vec<Node>,
    instance: Instance,
    heard: Arc<Mutex<Vec<(u64, Instant)>>>,
    tasks: Vec<JoinHandle<()>>,
}

/// A key that is to be revoked.
struct Key {
    id: ApiKeyId,
    text: String,
}

#[tokio::main]
async fn main() {
    let count = if quick() { 20 } else { 1_000 };
    let mut report = Report::new("revocation", "from the commit to the last of 3 nodes that refuses the key");
    report.line(&format!(
        "{count} revocations one after the other, {WRITES_PER_SECOND} other writes a second."
    ));
    report.table("to the last of 3 nodes", &["p50 ms", "p99 ms", "max ms", "asked to answered p50 ms"]);
    for (label, nats, goal) in [("with NATS", true, 20.0), ("without NATS", false, 150.0)] {
        let (spread, asked, writes) = Box::pin(measure(nats, count)).await;
        let [p50, p99, max] = [0.5, 0.99, 1.0].map(|share| quantile(&spread, share));
        let of = |figure: f64| {
            let mut rounds = Rounds::default();
            rounds.push(figure);
            rounds
        };
        let (p50_of, p99_of, max_of, asked) = (of(p50), of(p99), of(max), of(quantile(&asked, 0.5)));
        let columns = [("p50_ms", &p50_of), ("p99_ms", &p99_of), ("max_ms", &max_of), ("asked_ms", &asked)];
        report.row(label, &columns);
        report.at_least(
            &format!("other writes a second {label}"),
            writes,
            0.9 * f64::from(WRITES_PER_SECOND),
            "/s",
        );
        report.at_most(&format!("p99 {label}"), p99, goal, "ms");
        report.at_most(&format!("max {label}"), max, STALENESS_MAX_DEFAULT.as_secs_f64() * 1e3, "ms");
    }
    report.write();
}

async fn measure(nats: bool, count: usize) -> (Vec<f64>, Vec<f64>, f64) {
    let scene = Scene::start(nats).await;
    let (mut spread, mut asked) = (Vec::new(), Vec::new());
    let (started, from) = (Instant::now(), scene.world.node.running.view.load().position().get());
    for number in 0..count {
        let key = scene.key(number).await;
        let begun = Instant::now();
        let refused = futures_util::future::join_all(scene.nodes().map(|node| scene.refused_at(node, &key)));
        let path = scene.world.path(&format!("/api-keys/{}", key.id));
        let admin = scene.world.admin();
        let body = json!({});
        let (answer, refused) = tokio::join!(admin.json(Method::DELETE, &path, &body), refused);
        let position = answer.good()["position"].as_u64().expect("a position");
        let committed = scene.committed(position).await;
        let last = refused.into_iter().max().expect("three nodes");
        spread.push(last.saturating_duration_since(committed).as_secs_f64() * 1e3);
        asked.push(last.saturating_duration_since(begun).as_secs_f64() * 1e3);
    }
    let written = scene.world.node.running.view.load().position().get() - from;
    let others = usize::try_from(written).expect("a count").saturating_sub(2 * count);
    scene.tasks.iter().for_each(JoinHandle::abort);
    (spread, asked, rate(others, started.elapsed()))
}

impl Scene {
    async fn start(nats: bool) -> Self {
        let bound = STALENESS_MAX_DEFAULT.as_millis();
        let staleness_max_milliseconds = u16::try_from(bound).expect("seconds");
        let settings = Settings { nats, staleness_max_milliseconds, ..Settings::default() };
        let world = World::with(settings).await;
        let upstream = ScriptedUpstream::start(Scripted::Tools(vec![("echo", false)])).await;
        let instance = world.instance_in_front_of(&upstream.url).await;
        let others = vec![world.another_node_with(settings).await, world.another_node_with(settings).await];
        let heard = Arc::new(Mutex::new(Vec::new()));
        let mut listener = PgListener::connect(&world.database.url).await.expect("a listener");
        listener.listen("sekisho_log").await.expect("it listens");
        let notes = Arc::clone(&heard);
        let listening = tokio::spawn(async move {
            while let Ok(notification) = listener.recv().await {
                let (position, at) = (notification.payload().parse().unwrap_or(0), Instant::now());
                notes.lock().expect("notes").push((position, at));
            }
        });
        let tasks = vec![listening, tokio::spawn(write(world.admin(), world.path("/api-keys")))];
        Self { world, others, instance, heard, tasks }
    }

    fn nodes(&self) -> impl Iterator<Item = &Node> {
        std::iter::once(&self.world.node).chain(&self.others)
    }

    /// A key that every node knows.
    async fn key(&self, number: usize) -> Key {
        let body = json!({ "name": format!("Key {number}"), "scopes": ["mcp:write"] });
        let issued = self.world.admin().post(&self.world.path("/api-keys"), &body).await.good();
        let text = |name: &str| issued[name].as_str().expect("a text").to_owned();
        let key = Key { id: ApiKeyId::parse(&text("id")).expect("an id"), text: text("api_key") };
        for node in self.nodes() {
            until(node, |node| node.running.view.load().key_by_id(key.id).is_some()).await;
        }
        key
    }

    /// When a node refused the key.
    async fn refused_at(&self, node: &Node, key: &Key) -> Instant {
        until(node, |node| node.running.view.load().key_by_id(key.id).is_some_and(|key| key.revoked)).await;
        let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
        node.http().as_key(&key.text).post(&self.instance.path(), &call).await.refused_call(
            401,
            "key-revoked",
            &json!(1),
        );
        Instant::now()
    }

    /// When it was told that the log had reached a position.
    async fn committed(&self, position: u64) -> Instant {
        loop {
            let told =
                self.heard.lock().expect("notes").iter().find(|(known, _)| *known >= position).copied();
            if let Some((_, at)) = told {
                return at;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

async fn until(node: &Node, holds: impl Fn(&Node) -> bool) {
    let mut moved = node.running.view.listen();
    let waiting = async {
        loop {
            moved.borrow_and_update();
            if holds(node) {
                return;
            }
            moved.changed().await.expect("the view lives");
        }
    };
    tokio::time::timeout(REFUSED_WAIT, waiting).await.expect("every node hears of it");
}

/// Others write, each to something of their own, at a steady pace; not more at once than so many, or a machine that is too slow would pile them up.
async fn write(admin: Http, keys: String) {
    let mut names = Vec::new();
    for number in 0..WRITTEN_TO {
        let body = json!({ "name": format!("Other {number}"), "scopes": ["mcp:read"] });
        let issued = admin.post(&keys, &body).await.good();
        names.push(format!("{keys}/{}", issued["id"].as_str().expect("an id")));
    }
    let (mut pace, room) = (
        tokio::time::interval(Duration::from_secs(1) / WRITES_PER_SECOND),
        Arc::new(Semaphore::new(WRITTEN_TO / 2)),
    );
    for (number, path) in names.into_iter().cycle().enumerate() {
        pace.tick().await;
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
        let admin = admin.clone();
        tokio::spawn(async move {
            let _permit = permit;
            let name = json!({ "name": format!("Name {number}") });
            let _ = admin.attempt(Method::PATCH, &path, &name, REFUSED_WAIT).await; // load, not a figure
        });
    }
}

fn quantile(figures: &[f64], share: f64) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a few thousand"
    )]
    let place = ((sorted.len() as f64 * share).ceil() as usize).clamp(1, sorted.len().max(1)) - 1;
    sorted.get(place).copied().unwrap_or(f64::NAN)
}
