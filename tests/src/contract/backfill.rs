//! `sekisho relay backfill` and `sekisho relay status`.

use std::process::{Command, Stdio};
use std::time::Duration;

use api::adapters::nats;
use async_nats::jetstream;
use harness::{World, cluster, sekisho};
use serde_json::json;
use sqlx::PgPool;

async fn relay(world: &World, what: &str) -> (Option<i32>, String) {
    let name = &world.database.name;
    let mut command = Command::new(sekisho());
    command.env_clear().args(["relay", what]).stdin(Stdio::null());
    command.args(["--nats-stream", &format!("EVENTS_{name}"), "--nats-prefix", &format!("events-{name}")]);
    command.env("DATABASE_URL", &world.database.url).env("NATS_URL", cluster().nats_url());
    command.env("SEKISHO_MASTER_KEY", world.master_key());
    let output = tokio::task::spawn_blocking(move || command.output().expect("it runs")).await.unwrap();
    let said = [&output.stdout[..], &output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

async fn lose_the_stream(world: &World) {
    let client = nats::connect(cluster().nats_url()).await.unwrap();
    let stream = format!("EVENTS_{}", world.database.name);
    jetstream::new(client).delete_stream(stream).await.expect("there is a stream");
}

/// A world with a history that is in the stream; its node has stopped.
async fn stopped() -> (World, PgPool, i64) {
    let world = World::start().await;
    for number in 0..5 {
        let team = json!({ "slug": format!("team-{number}"), "name": "Team" });
        world.admin().post("/v1/organizations", &team).await.good();
    }
    let pool = PgPool::connect(&world.database.url).await.unwrap();
    let head: i64 =
        sqlx::query_scalar("select max(global_position) from events").fetch_one(&pool).await.unwrap();
    let relayed = world.node.running.relayed.clone();
    let reached = relayed.reached(domain::value::Position::new(head.unsigned_abs()));
    tokio::time::timeout(Duration::from_secs(30), reached).await.expect("all is in the stream");
    assert!(world.node.running.shutdown().finish(Duration::from_secs(10)).await);
    (world, pool, head)
}

#[tokio::test]
async fn a_stream_of_another_log_is_refused_and_not_touched() {
    let (world, pool, _) = stopped().await;
    sqlx::query("update log_identity set id = gen_random_uuid()").execute(&pool).await.unwrap();
    for what in ["backfill", "status"] {
        let (code, said) = relay(&world, what).await;
        assert_eq!((code, said.contains("was filled from another log")), (Some(3), true), "{what}: {said}");
    }
}

#[tokio::test]
async fn a_lost_stream_is_filled_from_the_log_with_or_without_a_node() {
    let (world, _, head) = stopped().await;
    assert_eq!(relay(&world, "status").await.0, Some(0));
    lose_the_stream(&world).await;
    let (code, said) = relay(&world, "status").await;
    assert_eq!((code, said.contains("there is no stream")), (Some(1), true), "{said}");
    let (code, said) = relay(&world, "backfill").await;
    assert_eq!((code, said.contains("was not there")), (Some(0), true), "{said}");
    assert!(said.contains(&format!("holds all {head} events")), "{said}");
    let (code, said) = relay(&world, "backfill").await;
    assert_eq!((code, said.contains("lacked nothing")), (Some(0), true), "{said}");

    // Beside a live relay, which does the same at the same time.
    let node = world.another_node().await;
    for _ in 0..3 {
        lose_the_stream(&world).await;
        assert_eq!(relay(&world, "backfill").await.0, Some(0));
        let (code, said) = relay(&world, "status").await;
        assert_eq!((code, said.contains(&format!("up to {head} of {head}"))), (Some(0), true), "{said}");
    }
    node.running.stop().await;
}
