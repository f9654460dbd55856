//! `/mcp/{instance}`, as a client sees it: real HTTP on one side, an upstream that does as it is told on the other.

mod credentials;
mod standing;
mod bodies;
mod headers;
mod tools;
mod scopes;
mod carried;
mod streams;
mod failures;
mod sessions;
mod upstream_credentials;
mod canary;
mod limits;
mod operations;
mod position;

mod people;
mod raw;
mod scene;
