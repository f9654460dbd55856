//! Clients whose `client_id` is the address of a document that describes them (item 54 of the checklist, attacks 2, 22 and 23).

mod authority;
mod https;
mod known;
mod proving;
pub(crate) mod published;
mod refused;

/// Where the client has people sent back to.
const CALLBACK: &str = "https://desk.example.com/callback";
