//! The official conformance suite of MCP, as `tests/conformance/setup.sh` installs it, against what Sekisho is: an authorization server, a server
//! whose tools are somebody else's, and a client of those.
//!
//! What it tests a server with has fixed names, so `tests/fixtures/conformance` has them; that it passes by itself shows that whatever fails
//! behind the gateway fails because of the gateway.
#![cfg(test)]

mod authorization;
mod client;
mod client_authorization;
mod exceptions;
pub(crate) mod fixture;
mod server;
mod shim;
mod suite;
