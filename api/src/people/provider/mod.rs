//! Signing in with an identity provider: somebody chooses one, is led there, and comes back; and the identities that lead to an account.
//!
//! ```text
//!   POST /sign-in/provider/{provider}  chosen on a page of ours -> state, kept for this browser -> the provider
//!   GET  /sign-in/renew                a session whose time at its provider is up -> the same, without a question here
//!   GET  /sign-in/callback/{provider}  state, taken once -> code -> ID token -> user -> session
//! ```
//! The state is made when somebody chose, never before, and counts in the browser that chose alone: nobody is signed in, linked or renewed by an
//! address that somebody else made up (`oauth.md`, cases 5 and 7).

mod arrive;
mod callback;
mod identities;
mod start;
mod visits;

pub(super) use callback::back;
pub(super) use identities::{identities, link, unlink};
pub(super) use start::{choose, renew};
pub(super) use visits::FORGET;
