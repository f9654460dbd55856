//! Black-box tests: through real HTTP, Postgres and NATS, with clients and servers that we did not write.

#![cfg(test)]

mod audit;
mod browser;
mod calls;
mod cast;
mod chaos;
mod conformance;
mod contract;
mod directory;
mod embedded;
mod erasure;
mod gateway;
mod guard;
mod history;
mod installed;
mod interop;
mod kill;
mod listening;
mod log;
mod notary;
mod oauth;
mod oauth_afterwards;
mod oauth_authorize;
mod oauth_documents;
mod oauth_registration;
mod people;
mod program;
mod providers;
mod rebuild;
mod revocation;
mod schemathesis;
mod store;
mod upstream_oauth;
