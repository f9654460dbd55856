//! Everything that reads the log on this node: relay, access view, projections, and the doorbell that wakes them.

use std::sync::Arc;
use std::time::Duration;

use domain::value::Position;
use projections::access::LiveView;
use projections::freshness::{Freshness, Looks, Watch, Watermarks};
use projections::leases::Leases;
use projections::notary::note::NoteSigner;
use projections::notary::{Notary, NotaryHandle, Publication};
use projections::{Bus, Doorbell, LogReader, Relay, Runner, RunnerHandle, SignEnvelope};
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::adapters::capabilities::RelaySignature;
use crate::adapters::key_digest::KeyDigests;
use crate::adapters::personal_data::PersonalData;
use crate::adapters::postgres;
use crate::config::{Config, Store};
use crate::metrics::Metrics;
use crate::shutdown::Shutdown;

/// How long the start waits for the first catch-up; after that requests are answered 503 until it is done.
const CATCH_UP_WAIT: Duration = Duration::from_secs(30);

const LOOK_EVERY: Duration = Duration::from_millis(2);

/// What the readers of a node start with.
pub(super) struct Sources<'a> {
    pub(super) config: &'a Config,
    pub(super) pool: &'a PgPool,
    pub(super) options: PgConnectOptions,
    pub(super) nats: Option<async_nats::Client>,
    pub(super) committed: watch::Receiver<Position>,
    pub(super) digests: &'a KeyDigests,
    pub(super) personal: PersonalData,
    pub(super) metrics: &'a Metrics,
}

/// The running readers.
pub(super) struct Readers {
    /// How far this node is, and the others.
    pub(super) leases: Leases,
    pub(super) doorbell: Doorbell,
    pub(super) view: LiveView,
    pub(super) projections: Vec<RunnerHandle>,
    pub(super) relayed: Doorbell,
    /// Stops them. Fired when the last answer is out, since answers wait for them.
    pub(super) stop: CancellationToken,
}

/// Starts the readers; returns when the view has caught up with the log.
pub(super) async fn start(sources: Sources<'_>, shutdown: &Shutdown) -> Readers {
    let Sources { config, pool, options, nats, committed, digests, personal, metrics } = sources;
    let log = LogReader::new(pool.clone());
    let freshness = Freshness::new(config.staleness_max, Some(Arc::new(metrics.clone())));
    let (node, view) = (Uuid::new_v4(), LiveView::new(freshness.clone()));
    let readers = Readers {
        leases: Leases::new(pool.clone(), node, view.clone()),
        doorbell: Doorbell::default(),
        view,
        projections: Vec::new(),
        relayed: Doorbell::default(),
        stop: CancellationToken::new(),
    };
    // Before it looks at the log: whoever waits for every node waits for this one.
    match config.store {
        Store::Embedded { .. } => readers.leases.enter_alone().await, // its folder is locked, by us
        Store::Given { .. } => readers.leases.enter().await,
    }
    shutdown.spawn(ring(committed.clone(), readers.doorbell.clone(), readers.stop.clone()));
    let bus = relay((config, digests), &log, nats, committed, &readers, shutdown);
    // Beside the subjects of events, not among them: the stream of events holds nothing else.
    let watermarks = bus.as_ref().map(|Bus { client, signer, .. }| Watermarks {
        client: client.clone(),
        subject: format!("{}-watermark", config.relay.prefix),
        signer: Arc::clone(signer),
    });
    let (looks, doorbell) = (Looks::at(options), readers.doorbell.clone());
    let watch = Watch { freshness, node, looks, watermarks, doorbell };
    shutdown.spawn(watch.run(readers.stop.clone()));
    let commits = postgres::ring_for_commits(
        log.clone(),
        readers.doorbell.clone(),
        bus.is_none(),
        readers.stop.clone(),
    );
    shutdown.spawn(commits);
    let (view, following, bell, stop) =
        (readers.view.clone(), log.clone(), readers.doorbell.clone(), readers.stop.clone());
    shutdown.spawn(async move { view.follow(following, bell, bus, stop).await });
    let readers = Readers { projections: projections(pool, personal, &readers, shutdown), ..readers };
    shutdown.spawn(readers.leases.clone().keep(readers.stop.clone()));
    catch_up(&readers.view).await;
    readers
}

impl Readers {
    /// Starts the notary of this node.
    pub(super) fn notary(
        &self,
        config: &Config,
        pool: &PgPool,
        nats: Option<async_nats::Client>,
        signer: NoteSigner,
        metrics: &Metrics,
        shutdown: &Shutdown,
    ) -> NotaryHandle {
        // Beside the subjects of events, not among them: the stream of events holds nothing else.
        let subject = format!("{}-checkpoint", config.relay.prefix);
        let publication =
            Publication { nats: nats.map(|client| (client, subject)), file: config.checkpoint_file.clone() };
        let (log, doorbell) = (LogReader::new(pool.clone()), self.doorbell.clone());
        let notary = Notary::new(log, doorbell, signer, publication, Arc::new(metrics.clone()));
        let handle = notary.handle();
        shutdown.spawn(notary.run(self.stop.clone()));
        handle
    }
}

/// Relays to NATS, where there is one; answers where the view may hear the relay.
fn relay(
    (config, digests): (&Config, &KeyDigests),
    log: &LogReader,
    nats: Option<async_nats::Client>,
    committed: watch::Receiver<Position>,
    readers: &Readers,
    shutdown: &Shutdown,
) -> Option<Bus> {
    let client = nats?;
    let signer: Arc<dyn SignEnvelope> = Arc::new(RelaySignature::of(digests));
    let relay = Relay::new(
        log.clone(),
        readers.doorbell.clone(),
        client.clone(),
        config.relay.clone(),
        Arc::clone(&signer),
        readers.relayed.clone(),
    );
    shutdown.spawn(relay.beside_others(committed).run(readers.stop.clone()));
    Some(Bus { client, subjects: config.relay.subjects(), signer })
}

fn projections(
    pool: &PgPool,
    personal: PersonalData,
    readers: &Readers,
    shutdown: &Shutdown,
) -> Vec<RunnerHandle> {
    let personal = Arc::new(personal);
    let runners = projections::all().into_iter().map(|projection| {
        let runner = Runner::new(
            projection,
            pool.clone(),
            Arc::<PersonalData>::clone(&personal),
            readers.doorbell.clone(),
        );
        let handle = runner.handle();
        shutdown.spawn(runner.run(readers.stop.clone()));
        handle
    });
    runners.collect()
}

/// Commits of this node ring at once.
async fn ring(mut committed: watch::Receiver<Position>, doorbell: Doorbell, stop: CancellationToken) {
    loop {
        let news = tokio::select! {
            () = stop.cancelled() => return,
            news = committed.changed() => news,
        };
        if news.is_err() {
            return;
        }
        doorbell.ring(*committed.borrow_and_update());
    }
}

/// Waits until decisions may rest on the view. Whoever asks before is refused, and told to come again.
async fn catch_up(view: &LiveView) {
    let following = async {
        while !view.is_fresh() {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    if tokio::time::timeout(CATCH_UP_WAIT, following).await.is_err() {
        tracing::warn!(position = view.load().position().get(), "still reading the log; not ready yet");
    }
}
