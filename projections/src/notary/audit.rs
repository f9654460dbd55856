//! The audit: events, one after the other, against checkpoints, and the first bad position when they do not agree.
//!
//! Pure and in constant memory. Whoever calls brings the events in their order, the checkpoints by size, and, where they are at hand, the
//! leaf hashes that the notary stored. With those a flaw is found to the leaf: once a checkpoint has confirmed them, they tell which event is
//! another one now. Without them it is found to the stretch between the last checkpoint that agrees and the first that does not; only what
//! the positions themselves show, which are dense, is exact then too.

use std::fmt;

use super::leaf::leaf_of;
use super::merkle::{Hash, Tree};
use super::note::Checkpoint;
use crate::recorded::Recorded;

/// What is wrong, and from where on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// The first position that is known to be bad.
    pub position: u64,
    /// The last size that a checkpoint vouches for. What stands after it and before `position` could not be judged one by one.
    pub agreed: u64,
    /// What is wrong there.
    pub kind: FlawKind,
}

/// What is wrong at a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FlawKind {
    /// The event there is not the one that was signed.
    Changed,
    /// Somewhere from the position up to this size the events are not those that were signed.
    ChangedUpTo(u64),
    /// There is no event; the next one stands at this position.
    Missing(u64),
    /// There is one event too many, which says that it is at this position.
    Surplus(u64),
    /// The log ends before it; this size was signed.
    Truncated(u64),
    /// What stands there is no event.
    Malformed(String),
    /// The events are those that were signed, but the notary's stored hash of this one is another: proofs made from it are wrong.
    StoredHash,
    /// So many rows stand at no position, or at one that another row has: no reader by position sees them, and an aggregate would all the same.
    Outside(u64),
    /// Two checkpoints of this size were signed, with different roots: the key has signed two histories.
    Forked,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { position, agreed, kind } = self;
        write!(f, "first bad position {position}: ")?;
        match kind {
            FlawKind::Changed => write!(f, "the event there is not the one that was signed"),
            FlawKind::ChangedUpTo(size) => write!(
                f,
                "some event from there up to position {size} is not the one that was signed (exact to the stretch between two checkpoints)"
            ),
            FlawKind::Missing(next) => write!(f, "there is no event; the next one is at {next}"),
            FlawKind::Surplus(found) => write!(f, "an event stands there that says it is at {found}"),
            FlawKind::Truncated(size) => write!(f, "the log ends before it, and {size} events were signed"),
            FlawKind::Malformed(what) => write!(f, "{what}"),
            FlawKind::StoredHash => {
                write!(f, "the event is the one that was signed, but its stored hash was changed")
            }
            FlawKind::Outside(rows) => write!(f, "the log has {rows} rows more than positions"),
            FlawKind::Forked => write!(f, "two different histories were signed up to there"),
        }?;
        match kind {
            // Known to the leaf, or said already.
            FlawKind::Changed
            | FlawKind::ChangedUpTo(_)
            | FlawKind::StoredHash
            | FlawKind::Outside(_)
            | FlawKind::Forked => Ok(()),
            FlawKind::Missing(_) | FlawKind::Surplus(_) | FlawKind::Truncated(_) | FlawKind::Malformed(_) => {
                if agreed + 1 < *position {
                    write!(
                        f,
                        "; positions {} to {} stand after the last checkpoint that agrees and could not be judged one by one",
                        agreed + 1,
                        position - 1
                    )?;
                }
                Ok(())
            }
        }
    }
}

/// Why an audit ended early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// The log is not the one that was signed.
    Flaw(Flaw),
    /// Something cannot be read, or a checkpoint is not good: nothing is known.
    Unreadable(String),
}

/// Nothing is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// How many events there are.
    pub events: u64,
    /// How many of them checkpoints vouch for.
    pub vouched: u64,
    /// How many checkpoints agree.
    pub checkpoints: u64,
}

/// What is read: the next one, or why not.
pub type Reading<T> = Result<T, Ended>;

/// Where things come from.
pub struct Sources<'a> {
    /// The events, from position 1 on, or what is wrong with one. Asked again after its end while a checkpoint waits for more: a log may grow
    /// while it is read, and whoever signed has seen what was signed.
    pub events: Box<dyn Iterator<Item = Reading<Result<Recorded, String>>> + 'a>,
    /// Checkpoints that were opened, each source by size.
    pub checkpoints: Vec<Box<dyn Iterator<Item = Reading<Checkpoint>> + 'a>>,
    /// The leaf hashes that the notary stored, from position 1 on.
    pub stored: Option<Box<dyn Iterator<Item = Reading<Hash>> + 'a>>,
}

impl fmt::Debug for Sources<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sources").field("checkpoints", &self.checkpoints.len()).finish_non_exhaustive()
    }
}

/// Audits.
pub fn audit(sources: Sources<'_>) -> Result<Report, Ended> {
    let Sources { mut events, checkpoints, stored } = sources;
    let mut audit = Audit {
        tree: Tree::default(),
        stored: stored.map(|hashes| Stored { hashes, tree: Tree::default(), differs: None }),
        checkpoints: Checkpoints::of(checkpoints)?,
        report: Report::default(),
    };
    loop {
        audit.settle()?;
        match (events.next(), audit.checkpoints.due) {
            (Some(event), _) => audit.take(event?)?,
            (None, Some(size)) => {
                let after = audit.tree.size() + 1;
                return Err(audit.flaw_at(after, FlawKind::Truncated(size)));
            }
            (None, None) => break,
        }
    }
    audit.report.events = audit.tree.size();
    Ok(audit.report)
}

struct Audit<'a> {
    /// Over the events.
    tree: Tree,
    stored: Option<Stored<'a>>,
    checkpoints: Checkpoints<'a>,
    report: Report,
}

struct Stored<'a> {
    hashes: Box<dyn Iterator<Item = Reading<Hash>> + 'a>,
    /// Over the stored hashes.
    tree: Tree,
    /// The first position since the last checkpoint at which the stored hash is another than the event's.
    differs: Option<u64>,
}

impl Stored<'_> {
    /// Takes the next one, if there is one.
    fn advance(&mut self) -> Reading<Option<Hash>> {
        let next = self.hashes.next().transpose()?;
        if let Some(hash) = next {
            self.tree.append(hash, |_, _, _| {});
        }
        Ok(next)
    }
}

impl Audit<'_> {
    /// Compares with every checkpoint of what was taken so far.
    fn settle(&mut self) -> Result<(), Ended> {
        while self.checkpoints.due.is_some_and(|size| size <= self.tree.size()) {
            self.compare()?;
            self.checkpoints.pass()?;
        }
        Ok(())
    }

    fn compare(&mut self) -> Result<(), Ended> {
        let Some(checkpoint) = self.checkpoints.first() else { return Ok(()) };
        let (size, agreed) = (checkpoint.size, self.report.vouched);
        if checkpoint.root != self.tree.root() {
            let fork = Flaw { position: size, agreed, kind: FlawKind::Forked };
            let changed = FlawKind::ChangedUpTo(size);
            return Err(if size == agreed { Ended::Flaw(fork) } else { self.flaw_at(agreed + 1, changed) });
        }
        if let Some(position) = self.stored.as_ref().and_then(|stored| stored.differs) {
            return Err(Ended::Flaw(Flaw { position, agreed, kind: FlawKind::StoredHash }));
        }
        self.report.vouched = size;
        self.report.checkpoints += 1;
        Ok(())
    }

    fn take(&mut self, event: Result<Recorded, String>) -> Result<(), Ended> {
        let expected = self.tree.size() + 1;
        let event = event.map_err(|what| self.flaw_at(expected, FlawKind::Malformed(what)))?;
        let found = event.position.get();
        if found != expected {
            let kind = if found > expected { FlawKind::Missing(found) } else { FlawKind::Surplus(found) };
            return Err(self.flaw_at(expected, kind));
        }
        let leaf = leaf_of(&event);
        self.tree.append(leaf, |_, _, _| {});
        // What no checkpoint covers yet has no stored hash that could be relied on.
        if self.checkpoints.due.is_some_and(|size| expected <= size)
            && let Some(stored) = &mut self.stored
        {
            match stored.advance()? {
                Some(hash) if hash != leaf => _ = stored.differs.get_or_insert(expected),
                Some(_) => {}
                None => self.stored = None, // tiles were taken away: go on by checkpoints alone
            }
        }
        Ok(())
    }

    /// The first bad position, given that this one is. The stored hashes may know of an earlier one, if the next checkpoint confirms them.
    fn flaw_at(&mut self, position: u64, kind: FlawKind) -> Ended {
        let agreed = self.report.vouched;
        let flaw = Flaw { position, agreed, kind: kind.clone() };
        let earlier = match self.confirm_stored() {
            Ok(StoredHashes::Unconfirmed) => return Ended::Flaw(flaw),
            Ok(StoredHashes::AsTheEvents) => None,
            Ok(StoredHashes::DifferFrom(at)) => {
                Some(at).filter(|at| *at < position || matches!(kind, FlawKind::ChangedUpTo(_)))
            }
            Err(ended) => return ended,
        };
        Ended::Flaw(match earlier {
            Some(position) => Flaw { position, agreed: position - 1, kind: FlawKind::Changed },
            None => Flaw { position, agreed: position - 1, kind }, // all before it are those that were signed
        })
    }

    fn confirm_stored(&mut self) -> Reading<StoredHashes> {
        let (Some(stored), Some(next)) = (&mut self.stored, self.checkpoints.first()) else {
            return Ok(StoredHashes::Unconfirmed);
        };
        while stored.tree.size() < next.size {
            if stored.advance()?.is_none() {
                return Ok(StoredHashes::Unconfirmed);
            }
        }
        if stored.tree.size() != next.size || stored.tree.root() != next.root {
            return Ok(StoredHashes::Unconfirmed);
        }
        Ok(stored.differs.map_or(StoredHashes::AsTheEvents, StoredHashes::DifferFrom))
    }
}

/// What the stored hashes say, once the next checkpoint was asked whether they are those that were signed.
enum StoredHashes {
    /// They are not, or there are none.
    Unconfirmed,
    /// The events taken so far are those that were signed.
    AsTheEvents,
    /// The event at this position is not, and all before it are.
    DifferFrom(u64),
}

/// Checkpoints of several sources, by size.
struct Checkpoints<'a> {
    sources: Vec<Box<dyn Iterator<Item = Reading<Checkpoint>> + 'a>>,
    /// The next one of each source.
    next: Vec<Option<Checkpoint>>,
    /// The size of the first of those.
    due: Option<u64>,
}

impl<'a> Checkpoints<'a> {
    fn of(mut sources: Vec<Box<dyn Iterator<Item = Reading<Checkpoint>> + 'a>>) -> Reading<Self> {
        let next: Vec<Option<Checkpoint>> =
            sources.iter_mut().map(|source| source.next().transpose()).collect::<Reading<_>>()?;
        let due = next.iter().flatten().map(|next| next.size).min();
        Ok(Self { sources, next, due })
    }

    /// The smallest one that has not been passed.
    fn first(&self) -> Option<&Checkpoint> {
        self.next.iter().flatten().min_by_key(|next| next.size)
    }

    /// Goes on to the next one.
    fn pass(&mut self) -> Reading<()> {
        let due = self.due;
        let slots = self.next.iter_mut().zip(&mut self.sources);
        let mut waiting = slots.filter(|(next, _)| next.as_ref().map(|next| next.size) == due);
        if let Some((next, source)) = waiting.next() {
            *next = source.next().transpose()?;
            if let Some(size) = next.as_ref().map(|next| next.size).filter(|size| Some(*size) < due) {
                let text = format!(
                    "a checkpoint of size {size} stands after one of size {}: they are read in the order of their sizes",
                    due.unwrap_or_default()
                );
                return Err(Ended::Unreadable(text));
            }
        }
        self.due = self.next.iter().flatten().map(|next| next.size).min();
        Ok(())
    }
}

#[cfg(test)]
#[path = "audit_tests.rs"]
mod tests;
