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

/// A type of event: `revoked`, of whatever it happened to, or `api_key.revoked`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventTypeName {
    aggregate: Option<&'static str>,
    event_type: &'static str,
}

/// There is nothing of this name. Misspelt, a filter would otherwise find nothing and look like an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// No such type of aggregate.
    #[error("there is no aggregate type {0:?}: expected TYPE or TYPE/ID with one of {1}")]
    Aggregate(String, String),
    /// No such type of event.
    #[error(
        "there is no event type {0:?}: did you mean {1}? Expected AGGREGATE.TYPE or TYPE with one of {2}"
    )]
    EventType(String, String, String),
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
    /// Reads `TYPE` or `AGGREGATE.TYPE`.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let (of, named) = text.split_once('.').map_or((None, text), |(of, named)| (Some(of), named));
        let fits = |(aggregate, event_type): &(&str, &str)| {
            *event_type == named && of.is_none_or(|of| of == *aggregate)
        };
        let known = || Event::catalogue().map(|(aggregate, event_type, _)| (aggregate, event_type));
        let found = known().find(fits);
        let found =
            found.map(|(aggregate, event_type)| Self { aggregate: of.map(|_| aggregate), event_type });
        found.ok_or_else(|| {
            let text = brief(text);
            let offered = known().map(|(aggregate, event_type)| match of {
                Some(_) => format!("{aggregate}.{event_type}"),
                None => event_type.to_owned(),
            });
            let nearest = nearest(&text, offered);
            FilterError::EventType(text, nearest, listed(known().map(|(_, event_type)| event_type)))
        })
    }

    /// The type of aggregate that it is bound to, if it is.
    pub const fn aggregate(self) -> Option<&'static str> {
        self.aggregate
    }

    /// The name within its aggregate.
    pub const fn as_str(self) -> &'static str {
        self.event_type
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

/// The name that takes the fewest letters put in, left out or replaced to come to.
fn nearest(text: &str, names: impl Iterator<Item = String>) -> String {
    names.min_by_key(|name| distance(text, name)).unwrap_or_default()
}

/// Levenshtein's distance, row by row.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (number, letter) in one.chars().enumerate() {
        let mut next = vec![number + 1];
        for (pair, wanted) in row.windows(2).zip(&other) {
            let (Some(diagonal), Some(above), Some(left)) = (pair.first(), pair.last(), next.last()) else {
                continue; // a window of two has both, and the row begins with one
            };
            let replaced = diagonal + usize::from(letter != *wanted);
            next.push(replaced.min(above + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
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
        for (misspelt, meant) in [
            ("revokd", "did you mean revoked?"),
            ("api_key.isued", "did you mean api_key.issued?"),
            ("apikey.issued", "did you mean api_key.issued?"),
            ("organization.issued", "did you mean "),
            ("", "did you mean "),
        ] {
            let refused = EventTypeName::parse(misspelt).unwrap_err().to_string();
            assert!(refused.contains(meant), "{misspelt}: {refused}");
        }
    }

    #[test]
    fn the_distance_of_two_words_is_what_has_to_be_changed() {
        for (one, other, changes) in
            [("", "", 0), ("a", "", 1), ("", "ab", 2), ("kitten", "sitting", 3), ("revokd", "revoked", 1)]
        {
            assert_eq!(distance(one, other), changes, "{one} {other}");
            assert_eq!(distance(other, one), changes, "{other} {one}");
        }
    }

    #[test]
    fn a_type_of_event_is_a_name_or_an_aggregate_and_a_name() {
        let all = EventTypeName::parse("revoked").unwrap();
        assert_eq!((all.aggregate(), all.as_str()), (None, "revoked"));
        let one = EventTypeName::parse("api_key.revoked").unwrap();
        assert_eq!((one.aggregate(), one.as_str()), (Some("api_key"), "revoked"));
    }

    #[test]
    fn an_aggregate_is_a_type_or_a_type_and_an_id() {
        let all = AggregateName::parse("organization").unwrap();
        assert_eq!((all.kind(), all.id()), ("organization", None));
        let one = AggregateName::parse("deployment/deployment").unwrap();
        assert_eq!((one.kind(), one.id()), ("deployment", Some("deployment")));
    }
}
