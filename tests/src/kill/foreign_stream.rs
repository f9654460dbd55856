//! Streams that are not this log's: the relay refuses them and says why, and touches nothing.

use std::time::Duration;

use api::adapters::nats;
use async_nats::jetstream;
use domain::value::Position;
use harness::{Database, cluster, database, unsigned};
use projections::{Doorbell, LogReader, Relay, RelayConfig, RelayError};
use sqlx::{Executor as _, PgPool};
use tokio::time::timeout;

use super::dice::Dice;
use super::storyteller::Storyteller;

const PATIENCE: Duration = Duration::from_secs(20);

async fn relay(pool: &PgPool, stream: &Database, relayed: &Doorbell) -> Relay {
    let client = nats::connect(cluster().nats_url()).await.unwrap();
    let config = RelayConfig {
        stream: format!("KILL_{}", stream.name),
        prefix: format!("kill-{}", stream.name),
        replicas: 1,
    };
    Relay::new(LogReader::new(pool.clone()), Doorbell::default(), client, config, unsigned(), relayed.clone())
}

async fn write(pool: &PgPool, writer: usize, events: u64) {
    let mut writer = Storyteller::new(writer, pool.clone(), Dice::loaded(1));
    let log = LogReader::new(pool.clone());
    while log.head().await.unwrap().get() < events {
        writer.tell().await;
    }
}

/// A log whose events were all relayed to a stream of its own, and how many there are.
async fn relayed_log(events: u64) -> (PgPool, Database, Position) {
    let (pool, database) = database().await;
    write(&pool, 1, events).await;
    let (relayed, head) = (Doorbell::default(), LogReader::new(pool.clone()).head().await.unwrap());
    let relay = relay(&pool, &database, &relayed).await;
    tokio::select! {
        Err(error) = relay.follow() => panic!("{error}"),
        reached = timeout(PATIENCE, relayed.reached(head)) => reached.expect("all events are relayed"),
    }
    (pool, database, head)
}

/// Another database with the same log as this one, as a backup of it would be before any event was written.
async fn put_back(pool: &PgPool) -> PgPool {
    let (restored, _) = database().await;
    let identity = LogReader::new(pool.clone()).identity().await.unwrap();
    sqlx::query("update log_identity set id = $1").bind(identity).execute(&restored).await.unwrap();
    restored
}

async fn refusal(pool: &PgPool, stream: &Database) -> RelayError {
    let relay = relay(pool, stream, &Doorbell::default()).await;
    let Err(error) = timeout(PATIENCE, relay.follow()).await.expect("the relay refuses");
    error
}

async fn messages_in(stream: &Database) -> u64 {
    let client = nats::connect(cluster().nats_url()).await.unwrap();
    let mut stream = jetstream::new(client).get_stream(format!("KILL_{}", stream.name)).await.unwrap();
    stream.info().await.unwrap().state.messages
}

#[tokio::test]
async fn a_stream_that_was_filled_from_another_log_is_refused_with_what_to_do() {
    let (pool, stream, head) = relayed_log(5).await;
    let (other, _) = database().await;
    // Databases of this harness are copies of one template, and say so.
    other.execute("update log_identity set id = gen_random_uuid()").await.unwrap();
    write(&other, 2, 9).await;
    let refused = refusal(&other, &stream).await;
    let identity = LogReader::new(pool).identity().await.unwrap().to_string();
    assert!(matches!(&refused, RelayError::ForeignStream { found, .. } if *found == identity), "{refused}");
    assert!(refused.to_string().contains("SEKISHO_NATS_PREFIX"), "{refused}");
    assert_eq!(messages_in(&stream).await, head.get(), "the other log's stream was written to");
}

#[tokio::test]
async fn a_stream_that_is_ahead_of_its_log_is_refused_at_once() {
    let (pool, stream, held) = relayed_log(9).await;
    let restored = put_back(&pool).await;
    write(&restored, 3, 3).await;
    let in_log = LogReader::new(restored.clone()).head().await.unwrap();
    let refused = refusal(&restored, &stream).await;
    let told = matches!(&refused, RelayError::Ahead { held: found, head } if (*found, *head) == (held.get(), in_log));
    assert!(told, "{refused}");
    assert!(refused.to_string().contains("delete the stream"), "{refused}");
}

#[tokio::test]
async fn a_log_that_was_put_back_and_has_outgrown_its_stream_is_not_mixed_into_it() {
    let (pool, stream, held) = relayed_log(5).await;
    let restored = put_back(&pool).await;
    write(&restored, 3, held.get() + 4).await;
    let refused = refusal(&restored, &stream).await;
    assert!(matches!(&refused, RelayError::Diverged(position) if *position == held), "{refused}");
    assert!(refused.to_string().contains("delete the stream"), "{refused}");
    assert_eq!(messages_in(&stream).await, held.get(), "events of two histories are in one stream");
}

#[tokio::test]
async fn a_relay_that_starts_again_goes_on_where_the_stream_ends() {
    let (pool, stream, _) = relayed_log(5).await;
    write(&pool, 2, 12).await;
    let (relayed, head) = (Doorbell::default(), LogReader::new(pool.clone()).head().await.unwrap());
    let relay = relay(&pool, &stream, &relayed).await;
    tokio::select! {
        Err(error) = relay.follow() => panic!("{error}"),
        reached = timeout(PATIENCE, relayed.reached(head)) => reached.expect("all events are relayed"),
    }
    assert_eq!(messages_in(&stream).await, head.get());
}
