//! Questions to the servers of a store.

use std::time::Duration;

use api::adapters::embedded::Embedded;
use futures_util::StreamExt;
use sqlx::{Connection, PgConnection};
use tokio::time::{Instant, sleep};

const DEADLINE: Duration = Duration::from_mins(1);

/// One answer as text; a server that is just starting again is asked again.
pub(super) async fn answer(url: &str, sql: &str) -> String {
    let deadline = Instant::now() + DEADLINE;
    loop {
        match ask(url, sql).await {
            Ok(text) => return text,
            Err(error) if Instant::now() > deadline => panic!("{sql}: {error}"),
            Err(_) => sleep(Duration::from_millis(20)).await,
        }
    }
}

async fn ask(url: &str, sql: &str) -> Result<String, sqlx::Error> {
    let mut connection = PgConnection::connect(url).await?;
    let text = sqlx::query_scalar(sql).fetch_one(&mut connection).await?;
    connection.close().await?;
    Ok(text)
}

pub(super) async fn write_down(url: &str, word: &str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let table =
        "create table if not exists notes (number bigint generated always as identity, word text not null)";
    sqlx::query(table).execute(&mut connection).await.unwrap();
    sqlx::query("insert into notes (word) values ($1)").bind(word).execute(&mut connection).await.unwrap();
}

/// A message published and received, and a stream that JetStream keeps.
pub(super) async fn round_trip(url: &str) -> Result<(), async_nats::Error> {
    // async-nats does not take the credential from the URL by itself.
    let address: async_nats::ServerAddr = url.parse()?;
    let credential = |part: Option<&str>| part.unwrap_or_default().to_owned();
    let options = async_nats::ConnectOptions::with_user_and_password(
        credential(address.username()),
        credential(address.password()),
    );
    let client = options.connect(address).await?;
    let mut received = client.subscribe("greetings").await?;
    client.publish("greetings", "hello".into()).await?;
    client.flush().await?;
    assert_eq!(received.next().await.map(|message| message.payload), Some("hello".into()));
    let jetstream = async_nats::jetstream::new(client);
    let config = async_nats::jetstream::stream::Config {
        name: "KEPT".to_owned(),
        subjects: vec!["kept".to_owned()],
        ..Default::default()
    };
    jetstream.get_or_create_stream(config).await?;
    jetstream.publish("kept", "word".into()).await?.await?;
    Ok(())
}

pub(super) async fn no_nats(embedded: Embedded) {
    eprintln!("skipped: {}", embedded.describe().join("; "));
    embedded.stop().await;
}

pub(super) async fn eventually<T>(what: &str, mut seen: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(seen) = seen() {
            return seen;
        }
        assert!(Instant::now() < deadline, "not in time: {what}");
        sleep(Duration::from_millis(20)).await;
    }
}
