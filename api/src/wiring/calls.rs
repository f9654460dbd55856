//! What records calls on this node: the queue behind the gateway, and the tasks that bring records to where they are kept.

use std::sync::Arc;

use commands::Entropy as _;
use projections::SignEnvelope;
use projections::calls::{self, CallStore, CallStream, Publisher, QueueLimits, Recording};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::adapters::call_seals::CallSeals;
use crate::adapters::capabilities::RelaySignature;
use crate::adapters::key_digest::KeyDigests;
use crate::adapters::system::{SystemClock, SystemEntropy};
use crate::config::Config;
use crate::gateway::Recorder;
use crate::metrics::Metrics;
use crate::shutdown::Shutdown;

/// Starts recording, unless the deployment keeps no records. `stop` fires when the last answer is out: what is in the queue then is still handed on.
pub(super) fn start(
    config: &Config,
    pool: &PgPool,
    nats: Option<async_nats::Client>,
    digests: &KeyDigests,
    seals: Arc<CallSeals>,
    metrics: &Metrics,
    (shutdown, stop): (&Shutdown, &CancellationToken),
) -> Option<Arc<Recorder>> {
    if !config.call_records {
        return None;
    }
    let signer: Arc<dyn SignEnvelope> = Arc::new(RelaySignature::of(digests));
    let stream = nats.map(|client| CallStream {
        client,
        // Beside the stream and the subjects of events, not among them.
        stream: format!("{}_CALLS", config.relay.stream),
        prefix: format!("{}-calls", config.relay.prefix),
        replicas: config.relay.replicas,
        signer,
    });
    let recording = Recording {
        node: SystemEntropy.id(),
        store: CallStore::new(pool.clone(), config.call_retention),
        stream,
        clock: Arc::new(SystemClock),
        observe: Arc::new(metrics.clone()),
    };
    shutdown.spawn(calls::keep(recording.clone(), stop.clone()));
    shutdown.spawn(calls::project(recording.clone(), stop.clone()));
    let (queue, publisher) = Publisher::new(recording, QueueLimits::default());
    shutdown.spawn(publisher.run(stop.clone()));
    Some(Arc::new(Recorder { queue, seals }))
}
