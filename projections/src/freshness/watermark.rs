//! What one node tells the others of the log: its head, and what Postgres' clock said before that was read.

use bytes::Bytes;
use domain::value::Position;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::clock_map::ServerClock;
use super::look::Look;

/// The head of the log at a time of Postgres.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watermark {
    /// Everything up to here had been committed.
    pub head: Position,
    /// At this reading of Postgres' clock.
    pub clock: ServerClock,
    /// Who says so.
    pub relay: Uuid,
}

/// As it travels.
#[derive(Serialize, Deserialize)]
struct Wire {
    head: u64,
    clock_micros: i64,
    started_micros: i64,
    relay: Uuid,
}

impl Watermark {
    /// What a look is for the others.
    pub const fn of(look: &Look, relay: Uuid) -> Self {
        Self { head: look.head, clock: look.clock, relay }
    }

    /// The bytes to be signed and sent.
    pub fn to_bytes(self) -> Option<Bytes> {
        let ServerClock { micros, started_micros } = self.clock;
        let wire = Wire { head: self.head.get(), clock_micros: micros, started_micros, relay: self.relay };
        serde_json::to_vec(&wire).ok().map(Bytes::from)
    }

    /// Out of bytes whose signature is good.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let Wire { head, clock_micros, started_micros, relay } = serde_json::from_slice(bytes).ok()?;
        let clock = ServerClock { micros: clock_micros, started_micros };
        Some(Self { head: Position::new(head), clock, relay })
    }
}
