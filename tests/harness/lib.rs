//! The harness of the black-box tests: a real Postgres and a real NATS for the whole run, a database for each test, and worlds: running nodes of
//! Sekisho that are spoken to over HTTP as anybody would.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "whatever goes wrong in here fails the test that asked for it"
)]

mod cluster;
mod consent;
mod counted;
mod http;
mod live;
mod logs;
mod partition;
mod program;
pub mod story;
mod unsigned;
mod upstream;
mod world;

pub use cluster::{Cluster, Database, cluster, database};
pub use consent::Consent;
pub use counted::counted_by;
pub use http::{Answer, Http};
pub use live::{Frame, Frames};
pub use logs::LogSearch;
pub use partition::{Direction, Link, Target, Weather};
pub use program::{Program, Victim, children, folder, sekisho, signal, try_signal};
pub use unsigned::unsigned;
pub use upstream::{Scripted, ScriptedUpstream, Seen};
pub use world::{Instance, Node, Servers, Settings, THIS_MACHINE, World, this_machine};
