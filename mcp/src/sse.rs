//! Server-sent events (WHATWG HTML, section 9.2), cut out of a byte stream without changing a byte.
//!
//! An event is relayed as the bytes that came, line endings, comments and unknown fields included; only an event that
//! is edited on purpose is written anew. The size of an event is bounded, because it must be held whole: a client
//! must never see the first half of an event whose second half does not come.

mod event;
mod framer;

pub use event::Event;
pub use framer::{EventTooLarge, Framer};

/// The largest event that is held, unless configured otherwise. Images and files travel as base64 in one event.
pub const SSE_EVENT_BYTES_MAX: usize = 16 * 1024 * 1024;

#[cfg(test)]
mod tests;
