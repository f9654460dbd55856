//! What is asked for, read off the query. A parameter that nobody knows is refused: a misspelt filter would show more than was wanted.

use axum::extract::{FromRequestParts, Query};
use domain::value::{OrganizationId, Position};
use http::Uri;
use http::request::Parts;
use projections::directory::{Cursor, PAGE_ROWS_MAX};
use projections::history::{AggregateName, EventTypeName, Filter, Moment};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::admin::Parameter;
use crate::problem::Problem;

const PAGE_ROWS_DEFAULT: u32 = 50;
const ACTOR_CHARS_MAX: usize = 200;

const ORGANIZATION: Parameter = Parameter::optional("organization", "Only events of this organization");
const AGGREGATE: Parameter = Parameter::optional(
    "aggregate",
    "Only events of this type of aggregate, or of one aggregate: `api_key` or `api_key/0192f0c1-…`",
);
const ACTOR: Parameter = Parameter::optional(
    "actor",
    "Only events that this actor caused, as events name them: `user:0192f0c1-…`",
);
const TYPE: Parameter = Parameter::optional(
    "type",
    "Only events of this type: `revoked`, of whatever it happened to, or `api_key.revoked`",
);
const FROM: Parameter = Parameter::optional(
    "from",
    "Where to begin: a position, or a time in RFC 3339 by which events were recorded",
);
const TO: Parameter = Parameter::optional("to", "Where to end, inclusive: a position or a time");
const AFTER: Parameter = Parameter::optional(
    "after",
    "Begin after this position; without it and without `Last-Event-ID`, with what happens from now on",
);

pub(super) const OF_ALL: &[Parameter] = &[ORGANIZATION, AGGREGATE, ACTOR, TYPE, FROM, TO];
pub(super) const OF_ALL_LIVE: &[Parameter] = &[ORGANIZATION, AGGREGATE, ACTOR, TYPE, AFTER];
pub(super) const OF_ORGANIZATION: &[Parameter] = &[AGGREGATE, ACTOR, TYPE, FROM, TO];
pub(super) const OF_ORGANIZATION_LIVE: &[Parameter] = &[AGGREGATE, ACTOR, TYPE, AFTER];

/// Events of the past.
#[derive(Debug)]
pub(super) struct EventsQuery {
    pub(super) filter: Filter,
    pub(super) extent: Extent,
}

/// From where to where, and how many at a time.
#[derive(Debug)]
pub(super) struct Extent {
    pub(super) from: Option<Moment>,
    pub(super) to: Option<Moment>,
    pub(super) after: Cursor,
    pub(super) rows: u32,
    limited: bool,
}

impl Extent {
    /// An answer with everything has no limit: a part of it would look like the whole.
    pub(super) fn must_have_no_limit(&self) -> Result<(), Problem> {
        if self.limited {
            let detail = "lines come without limit; give `to` to end earlier, or leave the Accept header out for pages";
            return Err(Problem::bad_request("bad-limit", detail));
        }
        Ok(())
    }
}

/// Events to come.
#[derive(Debug)]
pub(super) struct LiveQuery {
    pub(super) filter: Filter,
    pub(super) after: Option<Position>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EventsText {
    organization: Option<String>,
    aggregate: Option<String>,
    actor: Option<String>,
    #[serde(rename = "type")]
    event_type: Option<String>,
    from: Option<String>,
    to: Option<String>,
    cursor: Option<String>,
    limit: Option<String>,
    #[serde(rename = "at_least")]
    _at_least: Option<String>, // the check in front of the handler has waited for it
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LiveText {
    organization: Option<String>,
    aggregate: Option<String>,
    actor: Option<String>,
    #[serde(rename = "type")]
    event_type: Option<String>,
    after: Option<String>,
    #[serde(rename = "at_least")]
    _at_least: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for EventsQuery {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let EventsText { organization, aggregate, actor, event_type, from, to, cursor, limit, _at_least } =
            read(&parts.uri)?;
        let filter = filter(organization.as_deref(), aggregate.as_deref(), actor, event_type.as_deref())?;
        let moment = |name, text: Option<String>| {
            text.map(|text| Moment::parse(&text))
                .transpose()
                .map_err(|error| Problem::bad_request("bad-moment", format!("{name}: {error}")))
        };
        let after = cursor
            .map_or(Ok(Cursor::default()), |text| Cursor::parse(&text))
            .map_err(|error| Problem::bad_request("bad-cursor", error.to_string()))?;
        let limited = limit.is_some();
        let rows = limit
            .map_or(Some(PAGE_ROWS_DEFAULT), |text| text.parse().ok())
            .filter(|rows| (1..=PAGE_ROWS_MAX).contains(rows))
            .ok_or_else(|| Problem::bad_request("bad-limit", format!("limit is 1 to {PAGE_ROWS_MAX}")))?;
        let extent = Extent { from: moment("from", from)?, to: moment("to", to)?, after, rows, limited };
        Ok(Self { filter, extent })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for LiveQuery {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let LiveText { organization, aggregate, actor, event_type, after, _at_least } = read(&parts.uri)?;
        let filter = filter(organization.as_deref(), aggregate.as_deref(), actor, event_type.as_deref())?;
        // A browser that reconnects repeats the address as it was, and says in the header how far it got.
        let resumed = parts.headers.get("last-event-id").map(|value| value.to_str().unwrap_or_default());
        let after = resumed.or(after.as_deref()).map(position).transpose()?;
        Ok(Self { filter, after })
    }
}

fn read<T: DeserializeOwned>(uri: &Uri) -> Result<T, Problem> {
    Query::<T>::try_from_uri(uri)
        .map(|Query(text)| text)
        .map_err(|error| Problem::bad_request("bad-query", error.body_text()))
}

fn position(text: &str) -> Result<Position, Problem> {
    let number: Option<u64> = text.parse().ok().filter(|number| i64::try_from(*number).is_ok());
    let detail = "after and Last-Event-ID are positions such as 412";
    number.map(Position::new).ok_or_else(|| Problem::bad_request("bad-position", detail))
}

fn filter(
    organization: Option<&str>,
    aggregate: Option<&str>,
    actor: Option<String>,
    event_type: Option<&str>,
) -> Result<Filter, Problem> {
    let bad = |name: &str, error: &dyn std::fmt::Display| {
        Problem::bad_request("bad-filter", format!("{name}: {error}"))
    };
    if actor.as_ref().is_some_and(|actor| actor.chars().count() > ACTOR_CHARS_MAX) {
        return Err(bad("actor", &format!("an actor has at most {ACTOR_CHARS_MAX} characters")));
    }
    Ok(Filter {
        organization: organization
            .map(OrganizationId::parse)
            .transpose()
            .map_err(|error| bad("organization", &error))?,
        aggregate: aggregate
            .map(AggregateName::parse)
            .transpose()
            .map_err(|error| bad("aggregate", &error))?,
        actor,
        event_type: event_type.map(EventTypeName::parse).transpose().map_err(|error| bad("type", &error))?,
    })
}

/// The organization is in the path there.
pub(super) fn must_name_no_organization(filter: &Filter) -> Result<(), Problem> {
    match filter.organization {
        None => Ok(()),
        Some(_) => Err(Problem::bad_request("bad-query", "the organization is named in the path alone")),
    }
}
