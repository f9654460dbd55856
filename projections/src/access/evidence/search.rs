//! Which aggregates a decision rests on, found from one to the next, and their fold.

use std::collections::BTreeSet;

use domain::event::Event;
use serde_json::Value;

use super::super::AccessView;
use super::{Evidence, EvidenceError, Fact, FactName, SetBy, Subject};

/// An aggregate: its type and its id.
pub(crate) type Name = (&'static str, String);

/// A search that asks for aggregates until it knows all that it needs.
pub(super) struct Search {
    subject: Subject,
    asked: BTreeSet<Name>,
    told: Vec<(SetBy, Event)>,
}

impl Search {
    pub(super) const fn new(subject: Subject) -> Self {
        Self { subject, asked: BTreeSet::new(), told: Vec::new() }
    }

    /// The aggregates whose events are wanted next; `None` when nothing is.
    pub(super) fn wants(&mut self) -> Option<Vec<Name>> {
        let wanted: Vec<Name> = self.needed().difference(&self.asked).cloned().collect();
        self.asked.extend(wanted.iter().cloned());
        (!wanted.is_empty()).then_some(wanted)
    }

    /// Takes all events of what was wanted.
    pub(super) fn take(&mut self, events: Vec<(SetBy, Event)>) -> Result<(), EvidenceError> {
        self.told.extend(events);
        self.told.sort_by_key(|(set_by, _)| set_by.position);
        self.fold(|_, _| {}).map(|_| ())
    }

    /// Everything that is known to matter, by what was told so far. An instance may have been in front of other connections before, and where
    /// a fact comes from is seen only with them.
    fn needed(&self) -> BTreeSet<Name> {
        let Subject { key, instance } = self.subject;
        let mut needed: BTreeSet<Name> = [
            ("deployment", "deployment".to_owned()),
            ("api_key", key.to_string()),
            ("instance", instance.to_string()),
        ]
        .into();
        let _ = self.fold(|view, _| {
            if let Some(key) = view.key_by_id(key) {
                needed.insert(("organization", key.organization.to_string()));
                needed.insert(("user", key.principal.to_string()));
            }
            let Some(instance) = view.instance(instance) else { return };
            needed.insert(("organization", instance.organization.to_string()));
            let Some(connection) = instance.connections.first() else { return };
            needed.insert(("connection", connection.to_string()));
            if let Some(connection) = view.connections.get(connection) {
                needed.insert(("server", connection.server.to_string()));
            }
        });
        needed
    }

    /// Folds what was told, in order, and shows the view after each event.
    fn fold(&self, mut after_each: impl FnMut(&AccessView, &SetBy)) -> Result<AccessView, EvidenceError> {
        let mut view = AccessView::default();
        for (set_by, fact) in &self.told {
            view.take_some(set_by.position, &set_by.aggregate_id, fact.clone())
                .map_err(|error| EvidenceError::Id(set_by.position, error))?;
            after_each(&view, set_by);
        }
        Ok(view)
    }

    /// Everything is told: the facts.
    pub(super) fn finish(self) -> Result<Evidence, EvidenceError> {
        let mut marks = Marks::of(self.subject);
        let view = self.fold(|view, set_by| marks.look(view, set_by))?;
        Ok(Evidence { view, facts: marks.facts })
    }
}

/// Every fact and the event that changed it last, kept up event by event.
pub(super) struct Marks {
    subject: Subject,
    pub(super) facts: Vec<Fact>,
}

impl Marks {
    pub(super) fn of(subject: Subject) -> Self {
        let nothing = AccessView::default();
        let fact = |name: FactName| {
            let value: Option<Value> = name.value(&nothing, subject);
            Fact { name, value, set_by: None }
        };
        Self { subject, facts: FactName::ALL.map(fact).into() }
    }

    /// Looks at the view right after an event.
    pub(super) fn look(&mut self, view: &AccessView, set_by: &SetBy) {
        for fact in &mut self.facts {
            let value = fact.name.value(view, self.subject);
            if value != fact.value {
                fact.value = value;
                fact.set_by = Some(set_by.clone());
            }
        }
    }
}
