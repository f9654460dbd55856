//! What may be asked of Sekisho, one file for each use case, and the ports they need.
//!
//! A use case gathers facts (the time, fresh ids, the state of other aggregates), lets aggregates decide, and answers. Everything it
//! decided is appended as one unit or not at all. Deliberately absent: SQL, HTTP, NATS, and read models: whatever a decision rests on
//! is read from the log itself.

mod access;
mod actor;
mod carry_out;
mod ports;
mod refused;
pub mod secret;
mod unit;

pub mod api_key;
pub mod client;
pub mod connection;
pub mod deployment;
pub mod grant;
pub mod instance;
pub mod organization;
pub mod server;
pub mod user;
pub mod what_if;

#[cfg(test)]
mod testing;

pub use actor::{Actor, Authority, Credential};
pub use carry_out::{Done, Order, UseCase, carry_out};
pub use ports::{
    AppendError, Batch, CommandId, Entropy, HashError, Log, LogError, Owner, Ports, Recorded, SecretHasher,
    Seen, Vault, VaultError,
};
pub use refused::{CarryOutError, Refused};
pub use unit::Unit;
