//! Day-one test 2: writers, two relays, a reader of the feed and two projections, while NATS is killed, emptied and set back.

use std::fs::rename;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use api::adapters::master_key::MasterKeys;
use async_nats::Client;
use async_nats::jetstream;
use domain::value::Position;
use projections::directory::Directory;
use projections::{Bus, Doorbell, Feed, LogReader, Projection, Relay, Runner, RunnerHandle, SignEnvelope};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::dice::Dice;
use super::equal::{
    head_of_the_dense_log, rows_are_those_of_a_rebuild, the_stream_is_the_log, the_stream_reaches,
};
use super::store::Store;
use super::storyteller::{Storyteller, Told};
use super::tally::{NothingSealed, Tally};

const WRITERS: usize = 8;
const PATIENCE: Duration = Duration::from_mins(1);

/// Everything that reads the log of one store.
struct Readers {
    store: Store,
    signer: Arc<dyn SignEnvelope>,
    stop: CancellationToken,
}

impl Readers {
    async fn relay(&self, bell: &Doorbell, relayed: &Doorbell) -> JoinHandle<()> {
        let (log, client) = (self.store.log().await, self.store.nats().await);
        let config = self.store.relay.clone();
        let relay = Relay::new(log, bell.clone(), client, config, Arc::clone(&self.signer), relayed.clone());
        tokio::spawn(relay.run(self.stop.clone()))
    }

    /// A reader as on a node where nothing is written: it hears of the log through NATS and the clock alone.
    async fn feed(&self) -> (watch::Receiver<Position>, JoinHandle<()>) {
        let (seen, last_seen) = watch::channel(Position::START);
        let (client, subjects) = (self.store.nats().await, self.store.relay.subjects());
        let bus = Bus { client, subjects, signer: Arc::clone(&self.signer) };
        let silent = Doorbell::default();
        let mut feed = Feed::after(Position::START, self.store.log().await, &silent, Some(bus)).await;
        let reading = async move {
            let _silent = silent; // a bell that is gone means that the process ends
            loop {
                for event in feed.next().await.unwrap() {
                    seen.send_modify(|last| {
                        assert_eq!(event.position, last.next(), "the feed repeats or leaves out");
                        *last = event.position;
                    });
                }
            }
        };
        (last_seen, tokio::spawn(reading))
    }

    async fn runner(&self, projection: impl Projection + 'static) -> RunnerHandle {
        let pool = self.store.pool(2).await;
        let runner = Runner::new(Arc::new(projection), pool, Arc::new(NothingSealed), Doorbell::default());
        let handle = runner.handle();
        tokio::spawn(runner.run(self.stop.clone()));
        handle
    }
}

/// Kills the nats-server three times: once plainly, once emptying its store, once putting the old store back. Then deletes the stream, and
/// aborts a relay somewhere in between.
async fn make_trouble(store: &Store, dice: &mut Dice, client: &Client, relay: &JoinHandle<()>) {
    dice.wait(800..1600).await;
    store.kill_nats(|_| {}).await;
    dice.wait(800..1600).await;
    let place = |folder: &Path, name: &str| folder.join("nats").join(name);
    store.kill_nats(|folder| rename(place(folder, "jetstream"), place(folder, "old")).unwrap()).await;
    dice.wait(300..1200).await;
    relay.abort();
    dice.wait(300..1200).await;
    let put_back = |folder: &Path| {
        rename(place(folder, "jetstream"), place(folder, "lost")).unwrap();
        rename(place(folder, "old"), place(folder, "jetstream")).unwrap();
    };
    store.kill_nats(put_back).await;
    dice.wait(800..1600).await;
    let deleted = jetstream::new(client.clone()).delete_stream(&store.relay.stream).await.unwrap();
    assert!(deleted.success);
    dice.wait(800..1600).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attack_44_whatever_happens_to_nats_and_the_relays_every_reader_ends_as_the_log() {
    let mut dice = Dice::thrown_for("chaos");
    let store = Store::start("chaos").await;
    let pool = store.pool(4).await;
    Tally::make_table(&pool).await;
    let master = MasterKeys::parse(&MasterKeys::generate().unwrap()).unwrap();
    let signer = store.signer(&master).await;
    let readers = Readers { store, signer, stop: CancellationToken::new() };
    let store = &readers.store;

    let (bells, relayed) = ([Doorbell::default(), Doorbell::default()], Doorbell::default());
    let dying = readers.relay(&bells[0], &Doorbell::default()).await;
    let lasting = readers.relay(&bells[1], &relayed).await;
    let (mut last_seen, feed) = readers.feed().await;
    let projections = [readers.runner(Tally).await, readers.runner(Directory).await];
    let quiet = CancellationToken::new();
    let writer_pool = store.pool(u32::try_from(WRITERS).unwrap()).await;
    let writers: Vec<JoinHandle<Told>> = (0..WRITERS)
        .map(|number| {
            let writer = Storyteller::new(number, writer_pool.clone(), dice.others());
            tokio::spawn(writer.tell_until(quiet.clone(), bells[number % 2].clone()))
        })
        .collect();

    let client = store.nats().await;
    make_trouble(store, &mut dice, &client, &dying).await;
    assert!(dying.await.is_err_and(|error| error.is_cancelled()), "the relay was to be aborted");
    quiet.cancel();
    let mut told = Told::default();
    for writer in writers {
        let one = writer.await.unwrap();
        told.transactions += one.transactions;
        told.rolled_back += one.rolled_back;
        told.events += one.events;
    }

    let log = LogReader::new(pool.clone());
    let head = head_of_the_dense_log(&pool).await;
    assert_eq!(head.get(), told.events, "the log is not what was committed");
    timeout(PATIENCE, last_seen.wait_for(|last| *last == head))
        .await
        .expect("the feed ends at the head")
        .unwrap();
    for projection in &projections {
        timeout(PATIENCE, projection.reached(head)).await.expect("a projection ends at the head");
    }
    timeout(PATIENCE, the_stream_reaches(&client, &store.relay.stream, head))
        .await
        .expect("the relay catches up");
    assert!(!feed.is_finished() && !lasting.is_finished());

    rows_are_those_of_a_rebuild(&Tally, &pool, &NothingSealed, head).await;
    rows_are_those_of_a_rebuild(&Directory, &pool, &NothingSealed, head).await;
    the_stream_is_the_log(&client, &store.relay.stream, &log).await;
    println!(
        "chaos: {head} events in {} transactions, {} rolled back; nats-server killed 3 times, its store emptied once and set back once, \
         the stream deleted once, one of two relays aborted; feed, projections and stream hold 1..{head}, 0 skipped, 0 twice",
        told.transactions, told.rolled_back
    );
    feed.abort();
    readers.stop.cancel();
    readers.store.stop().await;
}
