//! Cuts a stream of chunks into events, wherever the chunks happen to break.
//!
//! ```text
//! LineStart --byte--> InLine --LF--> LineStart        LineStart --LF--> event ends
//!                     InLine --CR--> AfterCr          LineStart --CR--> event ends, a following LF belongs to it
//!                     AfterCr --LF--> LineStart
//! ```
//! An event that ends in CR is given out at once. When its LF comes only with the next chunk, that LF is given out by
//! itself: waiting for it would hold the event back, and keeping it would stall clients that wait for it.

use bytes::{Buf, Bytes, BytesMut};
use thiserror::Error;

use super::Event;

/// The event, or one line of it, is over the limit. Nothing of it was given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("an event is larger than {limit} bytes")]
pub struct EventTooLarge {
    /// The limit, in bytes.
    pub limit: usize,
}

/// Holds at most one unfinished event, and the chunk that is being cut.
#[derive(Debug)]
pub struct Framer {
    /// The start of an event whose end has not come.
    held: BytesMut,
    /// What is still to be cut.
    chunk: Bytes,
    at: At,
    first: bool,
    event_bytes_max: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    LineStart,
    InLine,
    AfterCr,
    /// An event has just ended in CR, at the end of a chunk.
    AfterEventCr,
}

impl Framer {
    /// An event may have `event_bytes_max` bytes, its line endings included.
    pub fn new(event_bytes_max: usize) -> Self {
        Self { held: BytesMut::new(), chunk: Bytes::new(), at: At::LineStart, first: true, event_bytes_max }
    }

    /// Takes the next chunk. To be called when [`Framer::next_event`] has nothing more.
    pub fn push(&mut self, chunk: Bytes) {
        debug_assert!(self.chunk.is_empty(), "the last chunk is not used up");
        self.chunk = chunk;
    }

    /// The next whole event. Nothing means that another chunk is needed.
    pub fn next_event(&mut self) -> Result<Option<Event>, EventTooLarge> {
        if self.chunk.is_empty() {
            return Ok(None);
        }
        let end = self.find_end();
        let bytes = end.unwrap_or(self.chunk.len());
        if self.held.len().saturating_add(bytes) > self.event_bytes_max {
            return Err(EventTooLarge { limit: self.event_bytes_max });
        }
        let part = self.chunk.split_to(bytes);
        if end.is_none() {
            self.held.extend_from_slice(&part);
            return Ok(None);
        }
        if self.held.is_empty() {
            return Ok(Some(self.event(part))); // the common case: no copy
        }
        self.held.extend_from_slice(&part);
        let whole = std::mem::take(&mut self.held).freeze(); // its room goes with it: a stream keeps nothing of a large event
        Ok(Some(self.event(whole)))
    }

    /// What was begun and has not ended. When the stream is over, clients discard it (section 9.2.6).
    pub fn unfinished(&self) -> &[u8] {
        &self.held
    }

    /// How much memory that takes.
    pub fn bytes_held(&self) -> usize {
        self.held.capacity()
    }

    fn event(&mut self, raw: Bytes) -> Event {
        Event::new(raw, std::mem::take(&mut self.first))
    }

    /// How many bytes of the chunk finish the current event; remembers where in a line the chunk ended otherwise.
    fn find_end(&mut self) -> Option<usize> {
        let mut rest = &self.chunk[..];
        let total = rest.len();
        let used = |rest: &[u8]| total - rest.len();
        loop {
            let byte = *rest.first()?;
            match (self.at, byte) {
                (At::AfterEventCr, b'\n') => {
                    self.at = At::LineStart;
                    return Some(1);
                }
                (At::AfterCr, b'\n') => {
                    rest.advance(1);
                    self.at = At::LineStart;
                }
                (At::AfterEventCr | At::AfterCr, _) => self.at = At::LineStart,
                (At::LineStart, b'\n') => {
                    rest.advance(1);
                    return Some(used(rest));
                }
                (At::LineStart, b'\r') => {
                    rest.advance(1);
                    match rest.first() {
                        Some(b'\n') => rest.advance(1),
                        Some(_) => {}
                        None => self.at = At::AfterEventCr,
                    }
                    return Some(used(rest));
                }
                (At::LineStart | At::InLine, _) => {
                    let Some(end) = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) else {
                        self.at = At::InLine;
                        return None;
                    };
                    self.at = if rest.get(end) == Some(&b'\r') { At::AfterCr } else { At::LineStart };
                    rest.advance(end + 1);
                }
            }
        }
    }
}
