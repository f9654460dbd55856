//! People at their browsers: sign-in, sessions, passwords, first visit. Named after the checklist (`item_…`) and the attacks (`attack_…`).

pub(crate) mod browser;
mod first_visit;
mod guarded;
mod outlived;
mod passwords;
mod person;
mod sessions;
mod sign_in;
mod throttled;

pub(crate) use person::{PASSWORD, Person};
