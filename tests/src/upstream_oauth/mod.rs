//! Servers that are authorized by OAuth, with the deployment as their authorization server's client. Named after the attacks (`attack_…`).

mod attacked;
mod authorized;
mod fixture;
mod provider;
mod renewed;
pub(crate) mod scene;
