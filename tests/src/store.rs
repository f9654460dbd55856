//! Given servers: which are taken, which are refused by name of version, and what happens without NATS.

use api::adapters::nats::{NatsError, connect, connect_later};
use api::adapters::postgres;
use harness::{Settings, World};
use projections::server::Unfit;
use projections::{Doorbell, LogReader, Relay, RelayConfig, RelayError};
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

/// Something that greets like a nats-server of this version, and goes on just far enough for a client to be content.
async fn greets_as(version: &str, jetstream: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let info = json!({
        "server_id": "X", "server_name": "x", "version": version, "go": "go1", "host": "127.0.0.1", "port": address.port(),
        "headers": true, "max_payload": 1_048_576, "proto": 1, "client_id": 1, "jetstream": jetstream,
    });
    let greeting = format!("INFO {info}\r\n");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let greeting = greeting.clone();
            tokio::spawn(async move {
                let (read, mut write) = stream.into_split();
                write.write_all(greeting.as_bytes()).await.unwrap();
                let mut lines = BufReader::new(read).lines();
                while let Ok(Some(line)) = lines.next_line().await {
                    if line.starts_with("PING") {
                        let _ = write.write_all(b"PONG\r\n").await;
                    }
                }
            });
        }
    });
    format!("nats://{address}")
}

#[tokio::test]
async fn a_nats_server_before_2_10_is_refused_by_the_name_of_its_version() {
    let error = connect(&greets_as("2.9.10", true).await).await.unwrap_err();
    assert!(matches!(&error, NatsError::Unfit(Unfit::TooOld { found }) if found == "2.9.10"), "{error}");
    assert!(error.to_string().contains("2.9.10") && error.to_string().contains("2.10 or later"), "{error}");
}

#[tokio::test]
async fn a_nats_server_without_jetstream_is_refused() {
    let error = connect(&greets_as("2.12.0", false).await).await.unwrap_err();
    assert!(matches!(error, NatsError::Unfit(Unfit::NoJetStream)), "{error}");
}

#[tokio::test]
async fn a_server_that_answers_late_and_is_too_old_is_named_by_the_relay() {
    let (pool, database) = harness::database().await;
    let client = connect_later(&greets_as("2.9.10", true).await).await.unwrap();
    while client.server_info().version.is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let config = RelayConfig { stream: database.name.clone(), prefix: database.name, replicas: 1 };
    let bell = Doorbell::default;
    let relay = Relay::new(LogReader::new(pool), bell(), client, config, harness::unsigned(), bell());
    let Err(error) = relay.follow().await;
    assert!(matches!(&error, RelayError::Unfit(Unfit::TooOld { found }) if found == "2.9.10"), "{error}");
}

#[tokio::test]
async fn a_postgres_that_nobody_answers_for_is_named_with_the_cause_and_without_its_password() {
    let options = postgres::options("postgres://ann:hunter2@127.0.0.1:1/sekisho").unwrap();
    let error = postgres::connect(options).await.unwrap_err().to_string();
    assert!(error.contains("127.0.0.1:1") && error.contains("refused"), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_without_its_password() {
    let error = connect("http://user:hunter2@nowhere").await.unwrap_err();
    assert!(!error.to_string().contains("hunter2"), "{error}");
}

#[tokio::test]
async fn without_nats_a_second_node_follows_the_log_in_postgres() {
    let settings = Settings { nats: false, ..Settings::default() };
    let world = World::with(settings).await;
    let other = world.another_node_with(settings).await;
    assert!(
        world.node.running.description.iter().any(|line| line.contains("NATS: none")),
        "{:?}",
        world.node.running.description
    );
    let made = world
        .admin()
        .post("/v1/organizations", &json!({ "slug": "umbrella", "name": "Umbrella" }))
        .await
        .good();
    let path = format!("/v1/me?at_least={}", made["position"]);
    other.http().as_key(&world.admin_key).get(&path).await.good();
}

#[tokio::test]
async fn with_nats_every_event_reaches_the_stream_at_its_own_position() {
    let world = World::start().await;
    let made = world
        .admin()
        .post("/v1/organizations", &json!({ "slug": "umbrella", "name": "Umbrella" }))
        .await
        .good();
    let position = domain::value::Position::new(made["position"].as_u64().unwrap());
    tokio::time::timeout(std::time::Duration::from_secs(10), world.node.running.relayed.reached(position))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_connection_goes_back_to_the_pool_unless_it_is_inside_a_transaction() {
    use sqlx::Executor as _;
    let (_, database) = harness::database().await;
    let pool = api::adapters::postgres::connect(api::adapters::postgres::options(&database.url).unwrap())
        .await
        .unwrap();
    let backend =
        async || -> i32 { sqlx::query_scalar("select pg_backend_pid()").fetch_one(&pool).await.unwrap() };
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..30 {
        seen.insert(backend().await);
        tokio::time::sleep(std::time::Duration::from_millis(5)).await; // a connection comes back a little after it was let go
    }
    assert!(seen.len() < 10, "good connections are thrown away: {} for 30 statements", seen.len());
    let mut held = pool.acquire().await.unwrap();
    let inside: i32 = sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut *held).await.unwrap();
    held.execute("begin").await.unwrap();
    drop(held);
    for _ in 0..30 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        assert_ne!(backend().await, inside, "a connection inside a transaction was handed on");
    }
}
