//! Clients that register themselves, and the ways in which a client proves itself. Named after the checklist (`item_…`) and the attacks (`attack_…`).

mod managed;
mod methods;
mod policy;
mod refused;
mod registered;
mod scene;
mod signed;
mod signer;
mod strangers;
mod unused;
