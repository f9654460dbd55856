//! Pages for people: written by the server, in Japanese and English, for eyes, keyboards and screen readers, in light and dark. No script.
//!
//! What a page shows is handed to it; nothing here reads a request or a row. Deliberately absent: markup from outside. Every text goes through
//! maud's escaping, and the policy that each page carries lets a browser run nothing anyway.

pub(crate) mod account;
pub(crate) mod connections;
pub(crate) mod consent;
pub(crate) mod fault;
pub(crate) mod held;
pub(crate) mod language;
mod layout;
pub(crate) mod password;
pub(crate) mod sign_in;
mod style;
pub(crate) mod welcome;
mod words;

pub(crate) use fault::Fault;
pub(crate) use language::Language;
pub(crate) use layout::{FormTarget, Page, guard};
