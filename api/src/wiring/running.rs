//! What runs, for whoever started it: the command line, and tests.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use projections::access::LiveView;
use projections::calls::CallQueue;
use projections::notary::NotaryHandle;
use projections::{Doorbell, RunnerHandle};
use sqlx::PgPool;

use crate::adapters::embedded::Embedded;
use crate::metrics::Metrics;
use crate::shutdown::Shutdown;

/// How long connections to Postgres may take to close.
const CLOSE_WAIT: Duration = Duration::from_secs(2);

/// A running Sekisho.
#[derive(Debug)]
pub struct Running {
    /// The address that it listens on.
    pub address: SocketAddr,
    /// How callers reach it, without a slash at the end.
    pub url: String,
    /// The database, for tests and the command line.
    pub pool: PgPool,
    /// The access view of this node.
    pub view: LiveView,
    /// Read models.
    pub projections: Vec<RunnerHandle>,
    /// What the notary has signed.
    pub notary: NotaryHandle,
    /// Where records of calls are put, when they are kept.
    pub calls: Option<CallQueue>,
    /// What the relay has put into the stream.
    pub relayed: Doorbell,
    /// The token that founds the deployment.
    pub bootstrap_token: String,
    /// The file that the token is in, when it was not given.
    pub bootstrap_file: Option<PathBuf>,
    /// What a person should know about the store.
    pub description: Vec<String>,
    /// The embedded store, when there is one.
    pub embedded: Option<Embedded>,
    pub(super) metrics: Metrics,
    pub(super) shutdown: Shutdown,
    pub(super) grace: Duration,
}

impl Running {
    /// Stops in order: no new work, then quiet, then the embedded store. Tells whether everything ended within the grace period.
    pub async fn stop(self) -> bool {
        let quiet = self.shutdown.finish(self.grace).await;
        // A connection to a Postgres that fell silent is not waited for.
        let _ = tokio::time::timeout(CLOSE_WAIT, self.pool.close()).await;
        if let Some(embedded) = self.embedded {
            embedded.stop().await;
        }
        quiet
    }

    /// What a scraper would be told, also after it stopped.
    pub fn metrics(&self) -> impl Fn() -> String + use<> {
        let metrics = self.metrics.clone();
        move || metrics.text()
    }

    /// A handle to the stop, for signals.
    pub fn shutdown(&self) -> Shutdown {
        self.shutdown.clone()
    }
}
