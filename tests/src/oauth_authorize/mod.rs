//! The authorization endpoint, through real HTTP: from the client's request in a browser to the code, or to what is wrong. Named after the
//! checklist (`item_…`) and the attacks (`attack_…`).

mod allowed;
mod codes;
mod consent;
mod misdirected;
mod redeemed;
mod refused;
mod revoked;
mod scene;
