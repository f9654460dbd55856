//! A notary that cannot sign does not insist.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use domain::value::Position;
use projections::notary::note::NoteSigner;
use projections::notary::{Notary, ObserveNotary, Publication};
use projections::{Doorbell, LogReader};
use sqlx::postgres::PgPoolOptions;
use tokio::net::TcpListener;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

#[derive(Debug)]
struct Deaf;

impl ObserveNotary for Deaf {
    fn signed(&self, _: u64, _: Duration) {}
    fn refuses(&self, _: bool) {}
    fn unpublished(&self, _: &'static str) {}
}

/// The address of a Postgres that hangs up on everybody, and how often it did.
async fn hangs_up() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("postgres://sekisho@{}/sekisho?sslmode=disable", listener.local_addr().unwrap());
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            counted.fetch_add(1, Ordering::Relaxed);
        }
    });
    (address, calls)
}

#[tokio::test]
async fn while_postgres_hangs_up_it_pauses_between_attempts_however_much_there_is_to_sign() {
    let (address, calls) = hangs_up().await;
    let pool = PgPoolOptions::new().max_connections(1).connect_lazy(&address).unwrap();
    let (bell, stop) = (Doorbell::default(), CancellationToken::new());
    bell.ring(Position::new(1_000_000));
    let signer = NoteSigner::of_seed("sekisho/test", &[7; 32]).unwrap();
    let notary = Notary::new(LogReader::new(pool), bell, signer, Publication::default(), Arc::new(Deaf));
    let signing = tokio::spawn(notary.run(stop.clone()));
    sleep(Duration::from_secs(2)).await;
    stop.cancel();
    signing.await.unwrap();
    let calls = calls.load(Ordering::Relaxed);
    assert!((1..10).contains(&calls), "it called {calls} times in 2 s");
}
