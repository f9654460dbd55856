//! The bytes that this process holds for others at one time: a limit on each message bounds one caller, this bounds all of them together.
//!
//! Counted is what is gathered: a request body, an answer that must be read whole, an event whose end has not come. What is gathered stays
//! counted until its last reader lets go of it, the socket to a slow client included. Bytes on their way through are not counted: each
//! connection bounds those by its own small buffer.
//!
//! A budget may be one part of another: what is held in the part is held in the whole too, so nobody who has a part can use up the whole.
//!
//! Nobody waits for room: those who wait would hold what others wait for.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::{Bytes, BytesMut};
use thiserror::Error;

/// How much may be held at once, unless configured otherwise.
pub const HELD_BYTES_MAX: usize = 256 * 1024 * 1024;

/// The budget. Clones share it.
#[derive(Clone)]
pub struct ByteBudget(Arc<Pool>);

struct Pool {
    bytes_max: usize,
    held: AtomicUsize,
    /// What this is a part of.
    whole: Option<ByteBudget>,
}

/// The budget is used up: to be tried again when others are done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("this node holds as many bytes of requests and answers as it may")]
pub struct NoRoom;

/// Some bytes of the budget; given back when dropped.
#[derive(Debug)]
pub struct Held {
    budget: ByteBudget,
    bytes: usize,
}

impl ByteBudget {
    /// So many bytes for everybody together.
    pub fn new(bytes_max: usize) -> Self {
        Self(Arc::new(Pool { bytes_max, held: AtomicUsize::new(0), whole: None }))
    }

    /// So many bytes of these, for one of those who share them.
    #[must_use]
    pub fn part(&self, bytes_max: usize) -> Self {
        Self(Arc::new(Pool { bytes_max, held: AtomicUsize::new(0), whole: Some(self.clone()) }))
    }

    /// How many may be held.
    pub fn bytes_max(&self) -> usize {
        self.0.bytes_max
    }

    /// Whether nobody else has a hand on it.
    pub fn is_unused(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }

    /// How many are held right now.
    pub fn bytes_held(&self) -> usize {
        self.0.held.load(Ordering::Relaxed)
    }

    /// Holds nothing yet.
    pub fn hold(&self) -> Held {
        Held { budget: self.clone(), bytes: 0 }
    }

    /// Gathers pieces within the budget.
    pub fn gather(&self) -> Gathered {
        Gathered { pieces: Pieces::One(Bytes::new()), held: self.hold() }
    }

    fn take(&self, bytes: usize) -> Result<(), NoRoom> {
        let pool = &self.0;
        let within = |held: usize| held.checked_add(bytes).filter(|held| *held <= pool.bytes_max);
        pool.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, within).map_err(|_| NoRoom)?;
        let taken = pool.whole.as_ref().map_or(Ok(()), |whole| whole.take(bytes));
        taken.inspect_err(|NoRoom| {
            pool.held.fetch_sub(bytes, Ordering::Relaxed);
        })
    }

    fn give_back(&self, bytes: usize) {
        self.0.held.fetch_sub(bytes, Ordering::Relaxed);
        if let Some(whole) = &self.0.whole {
            whole.give_back(bytes);
        }
    }
}

impl fmt::Debug for ByteBudget {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ByteBudget({} of {} bytes)", self.bytes_held(), self.0.bytes_max)
    }
}

impl Held {
    /// How many bytes these are.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Of the same budget, holding nothing yet.
    #[must_use]
    pub fn another(&self) -> Self {
        self.budget.hold()
    }

    /// Holds so many from now on. Where there is no room for more, it holds what it held.
    pub fn resize(&mut self, bytes: usize) -> Result<(), NoRoom> {
        if bytes > self.bytes {
            self.budget.take(bytes - self.bytes)?;
        } else {
            self.budget.give_back(self.bytes - bytes);
        }
        self.bytes = bytes;
        Ok(())
    }

    /// The same bytes, which give this back when the last clone or slice of them is gone.
    pub fn until_gone(self, bytes: Bytes) -> Bytes {
        if self.bytes == 0 { bytes } else { Bytes::from_owner(Counted { bytes, _held: self }) }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.budget.give_back(self.bytes);
        }
    }
}

struct Counted {
    bytes: Bytes,
    _held: Held,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Pieces on their way to become one.
#[derive(Debug)]
pub struct Gathered {
    pieces: Pieces,
    held: Held,
}

/// Small messages come in one piece, which is then never copied.
#[derive(Debug)]
enum Pieces {
    One(Bytes),
    Many(BytesMut),
}

impl Gathered {
    /// How many bytes have come.
    pub fn len(&self) -> usize {
        match &self.pieces {
            Pieces::One(piece) => piece.len(),
            Pieces::Many(joined) => joined.len(),
        }
    }

    /// Whether none has come.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One piece more.
    pub fn push(&mut self, piece: Bytes) -> Result<(), NoRoom> {
        match &mut self.pieces {
            Pieces::One(first) if first.is_empty() => {
                self.held.resize(piece.len())?;
                *first = piece;
            }
            Pieces::One(first) => {
                let room = 2 * (first.len() + piece.len());
                self.held.resize(room)?;
                let mut joined = BytesMut::with_capacity(room);
                joined.extend_from_slice(first);
                joined.extend_from_slice(&piece);
                self.pieces = Pieces::Many(joined);
            }
            Pieces::Many(joined) => {
                let wanted = joined.len() + piece.len();
                if wanted > joined.capacity() {
                    self.held.resize(self.held.bytes().max(2 * joined.capacity()).max(wanted))?;
                }
                joined.extend_from_slice(&piece);
            }
        }
        Ok(())
    }

    /// All of it; counted until the last clone of it is gone.
    pub fn into_bytes(self) -> Bytes {
        let (bytes, held) = self.into_parts();
        held.until_gone(bytes)
    }

    /// All of it, and what it counts for: for whoever makes something else of it.
    pub fn into_parts(self) -> (Bytes, Held) {
        let bytes = match self.pieces {
            Pieces::One(piece) => piece,
            Pieces::Many(joined) => joined.freeze(),
        };
        (bytes, self.held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_the_budget_is_refused_and_takes_nothing_from_it() {
        let budget = ByteBudget::new(100);
        let (mut one, mut other) = (budget.hold(), budget.hold());
        one.resize(60).unwrap();
        assert_eq!(other.resize(41), Err(NoRoom));
        assert_eq!((other.resize(usize::MAX), budget.bytes_held()), (Err(NoRoom), 60));
        other.resize(40).unwrap();
        one.resize(10).unwrap();
        assert_eq!(budget.bytes_held(), 50);
        drop((one, other));
        assert_eq!(budget.bytes_held(), 0);
    }

    #[test]
    fn who_has_a_part_uses_up_the_part_and_leaves_the_rest_to_others() {
        let whole = ByteBudget::new(100);
        let (part, other) = (whole.part(60), whole.part(60));
        let (mut first, mut second) = (part.hold(), other.hold());
        assert_eq!(first.resize(61), Err(NoRoom));
        first.resize(60).unwrap();
        assert_eq!((second.resize(41), other.bytes_held(), whole.bytes_held()), (Err(NoRoom), 0, 60));
        second.resize(40).unwrap();
        first.resize(10).unwrap();
        assert_eq!((part.bytes_held(), whole.bytes_held()), (10, 50));
        drop((first, second));
        assert_eq!((part.bytes_held(), other.bytes_held(), whole.bytes_held()), (0, 0, 0));
    }

    #[test]
    fn gathered_bytes_count_until_the_last_slice_of_them_is_gone() {
        let budget = ByteBudget::new(1000);
        let mut gathered = budget.gather();
        for piece in ["one ", "and two ", "and three"] {
            gathered.push(Bytes::from_static(piece.as_bytes())).unwrap();
        }
        let (bytes, counted) = (gathered.into_bytes(), budget.bytes_held());
        assert_eq!(bytes, "one and two and three");
        assert!(counted >= bytes.len(), "{counted}");
        let slice = bytes.slice(4..5);
        drop(bytes);
        assert_eq!(budget.bytes_held(), counted);
        drop(slice);
        assert_eq!(budget.bytes_held(), 0);
    }

    #[test]
    fn gathering_stops_where_there_is_no_room_and_gives_back_what_it_took() {
        let budget = ByteBudget::new(100);
        let mut gathered = budget.gather();
        let refused = (0..100).find_map(|_| gathered.push(Bytes::from_static(b"ten bytes.")).err());
        assert_eq!(refused, Some(NoRoom));
        drop(gathered);
        assert_eq!(budget.bytes_held(), 0);
    }
}
