//! Which aggregates a decision rests on, found from one to the next, and their fold.

use std::collections::BTreeSet;

use domain::event::Event;

use super::super::AccessView;
use super::fact::About;
use super::{Evidence, EvidenceError, Fact, FactName, SetBy, Subject};

/// An aggregate: its type and its id.
pub(super) type Name = (&'static str, String);

/// A search that asks for aggregates until it knows all that it needs.
pub(super) struct Search<'a> {
    subject: Subject<'a>,
    asked: BTreeSet<Name>,
    told: Vec<(SetBy, Event)>,
    /// Everything that was told, folded.
    view: AccessView,
}

impl<'a> Search<'a> {
    pub(super) fn new(subject: Subject<'a>) -> Self {
        Self { subject, asked: BTreeSet::new(), told: Vec::new(), view: AccessView::default() }
    }

    /// The aggregates whose events are wanted next; `None` when nothing is.
    pub(super) fn wants(&mut self) -> Option<Vec<Name>> {
        let needed = About::of(&self.view, self.subject).names();
        let wanted: Vec<Name> = needed.difference(&self.asked).cloned().collect();
        self.asked.extend(wanted.iter().cloned());
        (!wanted.is_empty()).then_some(wanted)
    }

    /// Takes all events of what was wanted.
    pub(super) fn take(&mut self, events: Vec<(SetBy, Event)>) -> Result<(), EvidenceError> {
        self.told.extend(events);
        self.told.sort_by_key(|(set_by, _)| set_by.position);
        self.view = fold(&self.told, |_, _| {})?;
        Ok(())
    }

    /// Everything is told: the facts.
    pub(super) fn finish(self) -> Result<Evidence, EvidenceError> {
        let mut marks = Marks::of(About::of(&self.view, self.subject));
        let view = fold(&self.told, |view, set_by| marks.look(view, set_by))?;
        Ok(Evidence { view, facts: marks.facts })
    }
}

/// Folds events, in order, and shows the view after each.
fn fold(
    told: &[(SetBy, Event)],
    mut after_each: impl FnMut(&AccessView, &SetBy),
) -> Result<AccessView, EvidenceError> {
    let mut view = AccessView::default();
    for (set_by, fact) in told {
        view.take_some(set_by.position, &set_by.aggregate_id, fact.clone())
            .map_err(|error| EvidenceError::Id(set_by.position, error))?;
        after_each(&view, set_by);
    }
    Ok(view)
}

/// Every fact and the event that changed it last, kept up event by event.
pub(super) struct Marks<'a> {
    about: About<'a>,
    pub(super) facts: Vec<Fact>,
}

impl<'a> Marks<'a> {
    pub(super) fn of(about: About<'a>) -> Self {
        let nothing = AccessView::default();
        let fact = |name: &FactName| Fact { name: *name, value: name.value(&nothing, about), set_by: None };
        Self { about, facts: about.facts().iter().map(fact).collect() }
    }

    /// Looks at the view right after an event.
    pub(super) fn look(&mut self, view: &AccessView, set_by: &SetBy) {
        for fact in &mut self.facts {
            let value = fact.name.value(view, self.about);
            if value != fact.value {
                fact.value = value;
                fact.set_by = Some(set_by.clone());
            }
        }
    }
}
