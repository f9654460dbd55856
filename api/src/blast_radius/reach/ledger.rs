//! The intervals in which something was allowed.

use std::collections::BTreeMap;

use domain::value::{Position, Timestamp};
use projections::access::evidence::SetBy;

use super::{Access, Deed, Span};

/// Where an interval begins or ends.
#[derive(Debug, Clone)]
pub(in crate::blast_radius) struct Mark {
    /// From this position on it is so.
    pub(in crate::blast_radius) position: Position,
    pub(in crate::blast_radius) at: Timestamp,
    /// The event; none when time alone did it.
    pub(in crate::blast_radius) set_by: Option<SetBy>,
    /// Why it is denied from here on.
    pub(in crate::blast_radius) reason: Option<&'static str>,
}

impl Mark {
    pub(super) fn of_event(set_by: &SetBy) -> Self {
        Self { position: set_by.position, at: set_by.recorded_at, set_by: Some(set_by.clone()), reason: None }
    }

    /// The position is found out later.
    pub(super) const fn of_time(at: Timestamp, reason: &'static str) -> Self {
        Self { position: Position::START, at, set_by: None, reason: Some(reason) }
    }
}

/// From when to when something was allowed.
#[derive(Debug, Clone)]
pub(in crate::blast_radius) struct Interval {
    pub(in crate::blast_radius) access: Access,
    pub(in crate::blast_radius) from: Mark,
    /// None: it still is at the end of the span.
    pub(in crate::blast_radius) to: Option<Mark>,
}

/// What was allowed when.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    open: BTreeMap<Deed, (Access, Mark)>,
    closed: Vec<(Deed, Interval)>,
}

impl Ledger {
    /// Notes what is allowed from a mark on, or why it is not.
    pub(super) fn note(&mut self, deed: Deed, may: Result<Access, &'static str>, mark: &Mark) {
        let held = self.open.get(&deed).map(|(access, _)| *access);
        if held == may.ok() {
            return;
        }
        self.close(&deed, &Mark { reason: may.err(), ..mark.clone() });
        if let Ok(access) = may {
            self.open.insert(deed, (access, mark.clone()));
        }
    }

    /// Ends everything.
    pub(super) fn close_all(&mut self, mark: &Mark) {
        let deeds: Vec<Deed> = self.open.keys().cloned().collect();
        for deed in &deeds {
            self.close(deed, mark);
        }
    }

    fn close(&mut self, deed: &Deed, mark: &Mark) {
        if let Some((access, from)) = self.open.remove(deed) {
            self.closed.push((deed.clone(), Interval { access, from, to: Some(mark.clone()) }));
        }
    }

    /// The time at which something ended without an event.
    pub(super) fn ended_by_itself(&self) -> Option<Timestamp> {
        let mut ends = self.closed.iter().filter_map(|(_, interval)| interval.to.as_ref());
        ends.find(|end| end.set_by.is_none()).map(|end| end.at)
    }

    /// Says at which position that was.
    pub(super) fn resolve(&mut self, position: Position) {
        for (_, interval) in &mut self.closed {
            if let Some(end) = interval.to.as_mut().filter(|end| end.set_by.is_none()) {
                end.position = position;
            }
        }
    }

    /// All intervals that have a moment of the span in them, in the order in which they began.
    pub(super) fn within(self, span: Span) -> Vec<(Deed, Interval)> {
        let open =
            self.open.into_iter().map(|(deed, (access, from))| (deed, Interval { access, from, to: None }));
        let mut all: Vec<_> = self.closed.into_iter().chain(open).collect();
        all.retain(|(_, interval)| interval.to.as_ref().is_none_or(|to| is_within(to, span)));
        all.sort_by_key(|(_, interval)| interval.from.position);
        all
    }
}

/// Whether something that ended here still held at the beginning of a span.
fn is_within(end: &Mark, span: Span) -> bool {
    end.position > span.from && (end.set_by.is_some() || end.at > span.from_time)
}
