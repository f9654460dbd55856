//! The edge of Sekisho: HTTP in, HTTP out, adapters, start-up. `start(config)` is the one door, for `main` and for the tests.
//!
//! ```text
//! main -> wiring -> { router, adapters, shutdown }     router -> { oauth, admin, gateway }
//! oauth, admin, gateway -> { extract, problem, token, key_holder }     adapters -> ports of commands, projections, gateway and token
//! not: oauth, admin or gateway -> adapters, nor each other; not: gateway -> commands (the data plane never decides state)
//! ```

pub mod adapters;
pub mod admin;
mod blast_radius;
mod breaker;
mod cached;
pub mod cli;
pub mod config;
pub mod demo;
mod docs;
mod explain;
mod extract;
pub mod gateway;
mod health;
mod hex;
mod home;
mod key_holder;
mod lacking;
pub mod limits;
mod metrics;
mod ndjson;
pub mod oauth;
mod open_files;
pub mod openapi;
mod pages;
mod passwords;
mod people;
mod problem;
mod providers;
mod random;
mod router;
mod serve;
mod shutdown;
mod telemetry;
pub mod token;
mod trace_context;
mod upstream_oauth;
mod well_known;
mod what_if;
mod wiring;

/// A call makes and frees some two hundred small things, often on another thread than the one that made them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub use shutdown::Shutdown;
pub use wiring::{Running, StartError, start};
