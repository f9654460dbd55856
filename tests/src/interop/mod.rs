//! Clients and servers that we did not write, with the gateway between them.
//!
//! A client plays one scenario twice, straight at the server and through the gateway, and must see the same both times.
//! What these tests know of the wire, an MCP package told them: they build no message and parse none.
//!
//! The packages are installed by `tests/interop/setup.sh`; the scripts that drive them live in `tests/interop`.
#![cfg(test)]

mod client;
mod endpoint;
mod installed;
mod report;
mod rmcp;
mod upstream;

mod kept_apart;
mod several;
mod unchanged;
