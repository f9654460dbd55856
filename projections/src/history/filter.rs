//! Which events are wanted.

use domain::event::Event;
use domain::value::OrganizationId;

/// Which events are wanted: all that every part of it fits. The organization comes first, and for a tenant it is never left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Events of this tenant only.
    pub organization: Option<OrganizationId>,
    /// Events of this aggregate, or of all aggregates of this type.
    pub aggregate: Option<AggregateName>,
    /// Events that this actor caused, as the metadata name them: `user:<id>`.
    pub actor: Option<String>,
    /// Events of this type.
    pub event_type: Option<EventTypeName>,
}

/// A type of aggregate, or one aggregate of it: `api_key` or `api_key/0192f0c1-2b3c-7d4e-8f50-112233445566`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AggregateName {
    kind: &'static str,
    id: Option<String>,
}

/// A type of event within its aggregate, such as `revoked`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventTypeName(&'static str);

/// There is nothing of this name. Misspelt, a filter would otherwise find nothing and look like an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// No such type of aggregate.
    #[error("there is no aggregate type {0:?}: expected TYPE or TYPE/ID with one of {1}")]
    Aggregate(String, String),
    /// No such type of event.
    #[error("there is no event type {0:?}: expected one of {1}")]
    EventType(String, String),
}

const NAME_CHARS_SHOWN_MAX: usize = 64;

impl AggregateName {
    /// Reads `TYPE` or `TYPE/ID`.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let (kind, id) = text.split_once('/').map_or((text, None), |(kind, id)| (kind, Some(id.to_owned())));
        let known = || Event::catalogue().map(|(aggregate, _, _)| aggregate);
        let found = known().find(|known| *known == kind).filter(|_| id.as_deref() != Some(""));
        found
            .map(|kind| Self { kind, id })
            .ok_or_else(|| FilterError::Aggregate(brief(text), listed(known())))
    }

    /// The type.
    pub const fn kind(&self) -> &'static str {
        self.kind
    }

    /// The id, when one aggregate is meant.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }
}

impl EventTypeName {
    /// Reads the name of a type.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let known = || Event::catalogue().map(|(_, event_type, _)| event_type);
        known()
            .find(|known| *known == text)
            .map(Self)
            .ok_or_else(|| FilterError::EventType(brief(text), listed(known())))
    }

    /// The name.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl std::str::FromStr for AggregateName {
    type Err = FilterError;
    fn from_str(text: &str) -> Result<Self, FilterError> {
        Self::parse(text)
    }
}

impl std::str::FromStr for EventTypeName {
    type Err = FilterError;
    fn from_str(text: &str) -> Result<Self, FilterError> {
        Self::parse(text)
    }
}

fn brief(text: &str) -> String {
    text.chars().take(NAME_CHARS_SHOWN_MAX).collect()
}

fn listed(names: impl Iterator<Item = &'static str>) -> String {
    let names: std::collections::BTreeSet<_> = names.collect();
    names.into_iter().collect::<Vec<_>>().join(", ")
}

impl Filter {
    /// Whether every event fits.
    pub fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    /// Whether only events of one aggregate fit.
    pub(super) fn is_one_aggregate(&self) -> bool {
        self.aggregate.as_ref().is_some_and(|aggregate| aggregate.id.is_some())
    }

    /// Whether an index of the log leads to these events and hardly any others.
    pub(super) fn follows_an_index(&self) -> bool {
        let Self { organization: _, aggregate, actor, event_type } = self;
        self.is_one_aggregate() || (aggregate.is_none() && actor.is_none() && event_type.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_is_refused_and_the_right_ones_are_told() {
        let refused = AggregateName::parse("apikey").unwrap_err().to_string();
        assert!(refused.contains("api_key") && refused.contains("organization"), "{refused}");
        assert!(AggregateName::parse("api_key/").is_err());
        let refused = EventTypeName::parse("revokd").unwrap_err().to_string();
        assert!(refused.contains("revoked"), "{refused}");
    }

    #[test]
    fn an_aggregate_is_a_type_or_a_type_and_an_id() {
        let all = AggregateName::parse("organization").unwrap();
        assert_eq!((all.kind(), all.id()), ("organization", None));
        let one = AggregateName::parse("deployment/deployment").unwrap();
        assert_eq!((one.kind(), one.id()), ("deployment", Some("deployment")));
    }
}
