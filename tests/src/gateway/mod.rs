//! `/mcp/{instance}`, as a client sees it: real HTTP on one side, an upstream that does as it is told on the other.

mod bodies;
mod breakers;
pub(crate) mod canary;
mod carried;
mod credentials;
mod failures;
mod headers;
mod limits;
mod members;
mod operations;
mod position;
mod scopes;
mod sessions;
mod standing;
mod streams;
mod tools;
mod upstream_credentials;

mod people;
mod raw;
mod scene;
