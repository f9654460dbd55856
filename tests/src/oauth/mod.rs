//! Sekisho as authorization server. Tests are named after the items and cases of the acceptance checklist that they show.

mod client_credentials;
mod discovery;
mod flooded;
mod granted;
mod limited;
mod presented;
mod revoked;
mod rotation;
mod scene;
mod token_endpoint;
