//! Heads of the log that were read at known moments, kept until the view has reached them.

use std::collections::VecDeque;

use domain::value::Position;

use super::mono::Mono;

/// Heads that are waited for. A view that is further behind than these is stale anyway.
const WAITING_MAX: usize = 64;

/// What is proved, and what will be when the view gets there.
#[derive(Debug, Default)]
pub struct Proofs {
    applied: Position,
    /// By head, each proving a later moment than the one before it.
    waiting: VecDeque<(Position, Mono)>,
}

impl Proofs {
    /// Everything up to `head` was all that had been committed at `as_of`. Tells the moment, if the view holds that already.
    pub fn add(&mut self, head: Position, as_of: Mono) -> Option<Mono> {
        if head <= self.applied {
            return Some(as_of);
        }
        // Whatever has a head that is not lower and proves no more is of no use beside this one.
        self.waiting.retain(|(other, moment)| *other < head || *moment > as_of);
        let place = self.waiting.partition_point(|(other, _)| *other <= head);
        let is_news = place == 0 || self.waiting.get(place - 1).is_some_and(|(_, moment)| *moment < as_of);
        if is_news && self.waiting.len() < WAITING_MAX {
            self.waiting.insert(place, (head, as_of));
        }
        None
    }

    /// The view holds everything up to here. Tells what that proves.
    pub fn applied(&mut self, position: Position) -> Option<Mono> {
        self.applied = self.applied.max(position);
        let reached = self.waiting.partition_point(|(head, _)| *head <= self.applied);
        self.waiting.drain(..reached).map(|(_, moment)| moment).max()
    }

    /// How far the view is.
    pub const fn position(&self) -> Position {
        self.applied
    }

    /// The first head that the view has not reached, and the moment that it would prove.
    pub fn oldest(&self) -> Option<(Position, Mono)> {
        self.waiting.front().copied()
    }
}
