//! Tamper evidence: a Merkle tree over the positions of the log, and signed checkpoints of it.
//!
//! The notary follows the log like a read model, off the append path: an event is protected from the next checkpoint on. Whoever holds a
//! checkpoint and the public key can tell whether a log, or an export of it, is still the one that was signed.
//! Written by hand, since there is little of it: the crates for C2SP tlog-tiles and signed notes bring their own SHA-256 and Ed25519.

mod agree;
mod anew;
pub mod audit;
pub mod file;
pub mod leaf;
pub mod merkle;
pub mod note;
pub mod proof;
pub mod store;
mod task;
pub mod tile;

pub use anew::{Anew, AnewError, tiles_anew};
pub use task::{CHECKPOINT_EVENTS_MAX, CHECKPOINT_EVERY, Notary, NotaryHandle, ObserveNotary, Publication};

#[cfg(test)]
mod tests;
