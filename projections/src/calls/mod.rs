//! Call records: what every MCP call leaves behind, from the gateway to partitioned tables, and how it is asked for.
//!
//! ```text
//!   gateway --> queue (bounded) --> publisher --+--> JetStream --> projector --+--> calls, call_arguments, call_drops
//!                                    numbers    |                              |      and call_runs: which numbers arrived
//!                                               `-- NATS away: straight -------'
//! ```
//! The number that each record has in its node's run is what makes a loss visible, wherever it happens: what does not arrive is a hole in
//! `call_runs`, what had no room is counted in `call_drops`, and a node that was killed is one that never said that it had ended. Deliberately
//! absent: arguments and results in clear, and records of callers without a known credential; those are counted, not kept.

mod asked;
mod entry;
mod incomplete;
mod keeper;
mod made;
mod parcel;
mod partitions;
mod projector;
mod publisher;
mod query;
mod queue;
mod record;
mod replay;
mod runs;
mod store;
mod stream;
mod timed;

pub use asked::{Asked, Questions, questions};
pub use entry::{Call, Drops, Entry, SealedArguments};
pub use incomplete::{Incomplete, Lack, incomplete};
pub use keeper::keep;
pub use made::{Deeds, End, Made, made_with};
pub use partitions::{Retention, drop_expired, make_ahead};
pub use projector::project;
pub use publisher::{ObserveCalls, Publisher, Recording};
pub use query::{CallFilter, by_id, page, sealed_arguments};
pub use queue::{ArgumentRoom, CallQueue, QueueLimits, ROOM_WAIT, Room, UnderWay};
pub use record::{
    Basis, CallKind, CallRecord, Decision, METHOD_BYTES_MAX, Outcome, PresentedToken, TOOL_BYTES_MAX,
    WishKind, cut,
};
pub use replay::{ReplayError, replay, verdict};
pub use store::{CallStore, StoreError};
pub use stream::CallStream;
pub(crate) use timed::timed;
pub use timed::{Patience, took_too_long};
