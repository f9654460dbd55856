//! NATS is a cache of the log: without it everything is slower to spread and nothing is wrong.

use std::time::Duration;

use api::Running;
use api::adapters::master_key::MasterKeys;
use api::adapters::nats;
use api::config::{MasterKeySource, Store as Given};
use domain::value::{OrganizationId, Position};
use harness::{Http, Settings, World, signal};
use projections::LogReader;
use serde_json::json;
use tokio::time::{Instant, timeout};

use super::equal::{head_of_the_dense_log, the_stream_is_the_log};
use super::store::{Store, serving};

const PATIENCE: Duration = Duration::from_secs(30);
/// Longer than a NATS client waits for the answer to a ping.
const OUTAGE: Duration = Duration::from_secs(4);
const TOKEN: &str = "a bootstrap token for tests";

async fn node(store: &Store) -> Running {
    let (database, nats) = store.addresses();
    let master_key = MasterKeySource::Given(MasterKeys::parse(&MasterKeys::generate().unwrap()).unwrap());
    let given = Given::Given { database, nats: Some(nats) };
    api::start(serving(given, &harness::folder("no-data"), master_key, Some(TOKEN))).await.unwrap()
}

async fn founder(running: &Running) -> Http {
    let http = Http::new(&running.url);
    let founding = json!({ "organization": { "slug": "acme", "name": "Acme" }, "owner": { "name": "Ann" } });
    let founded = http
        .clone()
        .with("authorization", &format!("Bearer {TOKEN}"))
        .post("/v1/bootstrap", &founding)
        .await
        .good();
    http.as_key(founded["api_key"].as_str().unwrap())
}

/// Makes a team and finds it again, in the directory at its position and in the access view.
async fn write_and_read(http: &Http, running: &Running, slug: &str) -> Position {
    let made = http.post("/v1/organizations", &json!({ "slug": slug, "name": slug })).await.good();
    let position = made["position"].as_u64().unwrap();
    let found: String = sqlx::query_scalar(
        "select slug from organizations where created_position <= $1 order by created_position desc",
    )
    .bind(i64::try_from(position).unwrap())
    .fetch_one(&running.pool)
    .await
    .unwrap();
    assert_eq!(found, slug, "the directory does not show what the answer acknowledged");
    let id = OrganizationId::parse(made["id"].as_str().unwrap()).unwrap();
    let view = running.view.load();
    assert!(view.position().get() >= position && view.organization(id) == domain::policy::Standing::Active);
    http.get(&format!("/v1/organizations?at_least={position}")).await.good();
    Position::new(position)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_nats_is_silent_writes_and_reads_go_on_and_afterwards_the_relay_catches_up() {
    let store = Store::start("silent-nats").await;
    let running = node(&store).await;
    let http = founder(&running).await;
    let before = write_and_read(&http, &running, "before").await;
    timeout(PATIENCE, running.relayed.reached(before)).await.expect("the relay works");

    let nats = store.running_nats().await;
    signal("STOP", nats);
    let (silent, mut number) = (Instant::now(), 0);
    let mut slowest = Duration::ZERO;
    let mut last = before;
    while silent.elapsed() < OUTAGE {
        let asked = Instant::now();
        last = write_and_read(&http, &running, &format!("during-{number}")).await;
        slowest = slowest.max(asked.elapsed());
        number += 1;
    }
    assert_eq!(running.relayed.position(), before, "NATS was not silent");
    signal("CONT", nats);
    timeout(PATIENCE, running.relayed.reached(last)).await.expect("the relay catches up");
    store.kill_nats(|_| {}).await;
    let last = write_and_read(&http, &running, "after").await;
    timeout(PATIENCE, running.relayed.reached(last))
        .await
        .expect("the relay catches up after a restart of NATS");

    let client = nats::connect(&store.addresses().1).await.unwrap();
    the_stream_is_the_log(&client, &store.relay.stream, &LogReader::new(running.pool.clone())).await;
    println!(
        "silent NATS: {number} writes meanwhile, each seen by directory and view before its answer; slowest {slowest:?}"
    );
    running.stop().await;
    store.stop().await;
}

#[tokio::test]
async fn a_deployment_that_never_had_nats_writes_reads_and_follows() {
    let settings = Settings { nats: false, ..Settings::default() };
    let world = World::with(settings).await;
    let other = world.another_node_with(settings).await;
    assert!(
        world.node.running.description.iter().any(|line| line.contains("NATS: none")),
        "it does not say so"
    );
    for number in 0..20 {
        let slug = format!("team-{number}");
        let position = write_and_read(&world.admin(), &world.node.running, &slug).await;
        let elsewhere = other.http().as_key(&world.admin_key);
        elsewhere.get(&format!("/v1/organizations?at_least={position}")).await.good();
        timeout(PATIENCE, other.running.view.reached(position)).await.expect("the other node follows");
    }
    head_of_the_dense_log(&world.node.running.pool).await;
}
