//! Clients that register themselves, and the ways in which a client proves itself. Named after the checklist (`item_…`) and the attacks (`attack_…`).

mod guessed;
mod managed;
mod methods;
mod policy;
mod published;
mod refused;
mod registered;
pub(crate) mod scene;
mod signed;
pub(crate) mod signer;
mod strangers;
mod unused;
