//! The log against itself, against read models, and against the stream.

use std::time::Duration;

use async_nats::Client;
use async_nats::jetstream::{self, consumer::pull::OrderedConfig};
use domain::value::Position;
use futures_util::StreamExt as _;
use projections::{Envelope, LogReader, OpenPersonalData, Projection, rebuild};
use sqlx::PgPool;

const MESSAGE_WAIT: Duration = Duration::from_secs(20);

/// Every position from 1 on is taken; answers the last one.
pub(crate) async fn head_of_the_dense_log(pool: &PgPool) -> Position {
    let (count, first, last): (i64, i64, i64) = sqlx::query_as(
        "select count(*), coalesce(min(global_position), 1), coalesce(max(global_position), 0) from events",
    )
    .fetch_one(pool)
    .await
    .unwrap();
    assert_eq!((first, count), (1, last), "the log has holes");
    Position::new(last.unsigned_abs())
}

/// The checkpoint is the head, nothing is parked, and every row is as a rebuild from zero makes it.
pub(crate) async fn rows_are_those_of_a_rebuild(
    projection: &dyn Projection,
    pool: &PgPool,
    opener: &dyn OpenPersonalData,
    head: Position,
) {
    let (name, version) = (projection.name(), projection.version());
    let checkpoint = "select position from projection_checkpoints where projection = $1 and version = $2";
    let checkpoint: i64 =
        sqlx::query_scalar(checkpoint).bind(name).bind(version).fetch_one(pool).await.unwrap();
    assert_eq!(checkpoint.unsigned_abs(), head.get(), "{name} is not at the head of the log");
    assert_eq!(count(pool, "select * from parked_events").await, 0, "events are parked");
    let schema = format!("rebuilt_{name}");
    assert_eq!(rebuild(projection, pool, opener, &schema).await.unwrap(), head);
    for table in projection.tables() {
        for (one, other) in [("public", &*schema), (&*schema, "public")] {
            let difference = format!("select * from {one}.{table} except all select * from {other}.{table}");
            assert_eq!(count(pool, &difference).await, 0, "{table}: rows of {one} that are not in {other}");
        }
    }
}

/// Waits until the stream ends at this position.
pub(crate) async fn the_stream_reaches(client: &Client, name: &str, head: Position) {
    let context = jetstream::new(client.clone());
    loop {
        if let Ok(mut stream) = context.get_stream(name).await
            && stream.info().await.is_ok_and(|info| info.state.last_sequence == head.get())
        {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The stream holds each event once, under its position as sequence, byte by byte.
pub(crate) async fn the_stream_is_the_log(client: &Client, stream: &str, log: &LogReader) {
    let mut stream = jetstream::new(client.clone()).get_stream(stream).await.unwrap();
    let state = stream.info().await.unwrap().state.clone();
    let head = log.head().await.unwrap().get();
    assert_eq!((state.first_sequence, state.last_sequence, state.messages), (1, head, head));
    let consumer = stream.create_consumer(OrderedConfig::default()).await.unwrap();
    let mut messages = consumer.messages().await.unwrap();
    let mut last = Position::START;
    while last.get() < head {
        for event in log.page(last).await.unwrap() {
            let message =
                tokio::time::timeout(MESSAGE_WAIT, messages.next()).await.unwrap().unwrap().unwrap();
            assert_eq!(message.info().unwrap().stream_sequence, event.position.get());
            let expected = serde_json::to_vec(&Envelope::from(&event)).unwrap();
            assert!(
                message.payload == expected,
                "message {} is not the event of that position",
                event.position
            );
            last = event.position;
        }
    }
}

/// How many rows a query finds.
pub(crate) async fn count(pool: &PgPool, rows: &str) -> i64 {
    sqlx::query_scalar(&format!("select count(*) from ({rows}) as found")).fetch_one(pool).await.unwrap()
}
