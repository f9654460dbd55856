//! What may be read: the tail of the log, its relay to NATS, and the read models built from it.
//!
//! Postgres is the source; NATS and everything in memory is a cache that heals from it. A read model is a pure fold plus its queries.
//! Deliberately absent: rules. Nothing here decides whether something may happen.

pub mod access;
pub mod calls;
mod checkpoint;
pub mod directory;
mod doorbell;
mod feed;
pub mod freshness;
pub mod history;
pub mod leases;
mod log;
pub mod notary;
mod order;
mod parked;
mod projection;
mod rebuild;
mod recorded;
mod relay;
pub mod rows;
mod runner;
pub mod server;
mod status;
mod turn;

pub use doorbell::Doorbell;
pub use feed::{Bus, Feed};
pub use log::{Extent, LogError, LogReader, Pages};
pub use projection::{Boxed, OpenPersonalData, Poison, Projection, Rows};
pub use rebuild::{Progress, ROWS_IN_MEMORY_MAX, Rebuild, RebuildError, Rebuilt, Stage, rebuild};
pub use recorded::{Envelope, Foldable, JsonText, Recorded, TypeName};
pub use relay::{Held, Relay, RelayConfig, RelayError, SignEnvelope};
pub use runner::{Lag, Runner, RunnerHandle};
pub use status::{ParkedEvent, Status, parked_events, status};

/// Every projection kept in Postgres, in the order in which they are run.
pub fn all() -> Vec<std::sync::Arc<dyn Projection>> {
    vec![std::sync::Arc::new(directory::Directory)]
}
