//! Facts and rules of Sekisho: what an organization, a user, a client, a grant, an access token, a key, a server, a connection, an instance
//! and the deployment are, what may happen to them, and the one decision that admits a call.
//!
//! Deliberately absent: I/O, clocks, randomness, cryptography, HTTP. Time, ids and digests arrive inside the commands, so that
//! replaying the log gives the same state and the same refusals, on any machine, at any time.

#[macro_use]
mod aggregate;

pub mod access_token;
pub mod api_key;
pub mod client;
pub mod connection;
pub mod deployment;
pub mod event;
pub mod grant;
pub mod instance;
pub mod organization;
pub mod policy;
pub mod server;
pub mod user;
pub mod value;

#[cfg(test)]
mod given;

pub use aggregate::{Aggregate, ClaimChange, ClaimScope, Facts};
