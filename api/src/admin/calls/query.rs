//! What is asked for, read off the query. A parameter that nobody knows is refused: a misspelt filter would show more than was wanted.

use axum::extract::{FromRequestParts, Query};
use domain::value::Timestamp;
use http::Uri;
use http::request::Parts;
use projections::calls::{CallFilter, Decision};
use projections::directory::PAGE_ROWS_MAX;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::admin::Parameter;
use crate::problem::Problem;

const PAGE_ROWS_DEFAULT: u32 = 50;
const TEXT_CHARS_MAX: usize = 256;

const ORGANIZATION: Parameter = Parameter::optional("organization", "Only calls of this organization");
const INSTANCE: Parameter = Parameter::optional("instance", "Only calls to this instance");
const TOOL: Parameter = Parameter::optional("tool", "Only calls of this tool, as it was asked for");
const CREDENTIAL: Parameter = Parameter::optional(
    "credential",
    "Only calls with this API key, by its id; or with access tokens of this grant, or of this client's own",
);
const CLIENT: Parameter =
    Parameter::optional("client", "Only calls with access tokens of this client, in whosever name");
const GRANT: Parameter = Parameter::optional("grant", "Only calls with access tokens of this grant");
const PRINCIPAL: Parameter = Parameter::optional("principal", "Only calls in this user's name, by their id");
const DECISION: Parameter = Parameter::optional(
    "decision",
    "Only calls about which this was decided: `permit`, `denial`, or `none` for those refused before",
);
const REASON: Parameter =
    Parameter::optional("reason", "Only calls that were denied or failed for this reason: its stable code");
const FROM: Parameter = Parameter::optional("from", "Only calls that began then or later, RFC 3339");
const TO: Parameter = Parameter::optional("to", "Only calls that began before, RFC 3339");
const ARGUMENTS: Parameter = Parameter::optional(
    "arguments",
    "`true` opens the arguments, where they are kept; this is logged with the key that asked",
);

pub(super) const OF_ALL: &[Parameter] =
    &[ORGANIZATION, INSTANCE, TOOL, CREDENTIAL, CLIENT, GRANT, PRINCIPAL, DECISION, REASON, FROM, TO];
pub(super) const OF_ORGANIZATION: &[Parameter] =
    &[INSTANCE, TOOL, CREDENTIAL, CLIENT, GRANT, PRINCIPAL, DECISION, REASON, FROM, TO];
pub(super) const ONE: &[Parameter] = &[ARGUMENTS];

/// Which records, and how many at a time.
#[derive(Debug)]
pub(super) struct CallsQuery {
    pub(super) filter: CallFilter,
    pub(super) after: Option<Uuid>,
    pub(super) rows: u32,
    limited: bool,
}

/// How much of one record.
#[derive(Debug)]
pub(super) struct OneQuery {
    pub(super) arguments: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CallsText {
    organization: Option<String>,
    instance: Option<String>,
    tool: Option<String>,
    credential: Option<String>,
    client: Option<String>,
    grant: Option<String>,
    principal: Option<String>,
    decision: Option<String>,
    reason: Option<String>,
    from: Option<String>,
    to: Option<String>,
    cursor: Option<String>,
    limit: Option<String>,
    #[serde(rename = "at_least")]
    _at_least: Option<String>, // the check in front of the handler has waited for it
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OneText {
    arguments: Option<String>,
    #[serde(rename = "at_least")]
    _at_least: Option<String>,
}

impl CallsQuery {
    /// An answer with everything has no limit: a part of it would look like the whole.
    pub(super) fn must_have_no_limit(&self) -> Result<(), Problem> {
        if self.limited {
            let detail = "lines come without limit; give `to` to end earlier, or leave the Accept header out for pages";
            return Err(Problem::bad_request("bad-limit", detail));
        }
        Ok(())
    }

    /// The organization is in the path there.
    pub(super) fn must_name_no_organization(&self) -> Result<(), Problem> {
        match self.filter.organization {
            None => Ok(()),
            Some(_) => Err(Problem::bad_request("bad-query", "the organization is named in the path alone")),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for CallsQuery {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let text: CallsText = read(&parts.uri)?;
        let after = text.cursor.map(|text| {
            Uuid::try_parse(&text).map_err(|_| {
                let detail =
                    "the cursor is not one that this API gave out; leave it away to start from the beginning";
                Problem::bad_request("bad-cursor", detail)
            })
        });
        let rows = text.limit.as_ref().map_or(Some(PAGE_ROWS_DEFAULT), |text| text.parse().ok());
        let rows = rows
            .filter(|rows| (1..=PAGE_ROWS_MAX).contains(rows))
            .ok_or_else(|| Problem::bad_request("bad-limit", format!("limit is 1 to {PAGE_ROWS_MAX}")))?;
        let filter = CallFilter {
            organization: id("organization", text.organization)?,
            instance: id("instance", text.instance)?,
            tool: brief("tool", text.tool)?,
            credential: id("credential", text.credential)?,
            client: id("client", text.client)?,
            grant: id("grant", text.grant)?,
            principal: id("principal", text.principal)?,
            decision: decision(text.decision.as_deref())?,
            reason: brief("reason", text.reason)?,
            from: moment("from", text.from)?.map(Timestamp::get),
            to: moment("to", text.to)?.map(Timestamp::get),
        };
        Ok(Self { filter, after: after.transpose()?, rows, limited: text.limit.is_some() })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for OneQuery {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let OneText { arguments, _at_least } = read(&parts.uri)?;
        match arguments.as_deref() {
            None | Some("false") => Ok(Self { arguments: false }),
            Some("true") => Ok(Self { arguments: true }),
            Some(_) => Err(Problem::bad_request("bad-query", "arguments is true or false")),
        }
    }
}

fn read<T: DeserializeOwned>(uri: &Uri) -> Result<T, Problem> {
    Query::<T>::try_from_uri(uri)
        .map(|Query(text)| text)
        .map_err(|error| Problem::bad_request("bad-query", error.body_text()))
}

fn id(name: &str, text: Option<String>) -> Result<Option<Uuid>, Problem> {
    let bad = |_| {
        Problem::bad_request(
            "bad-filter",
            format!("{name} is an id such as 0192f0c1-2b3c-7d4e-8f50-112233445566"),
        )
    };
    text.map(|text| Uuid::try_parse(&text).map_err(bad)).transpose()
}

/// A text that may stand in a record. One with a NUL stands in none, and Postgres would take it for a mistake.
fn brief(name: &str, text: Option<String>) -> Result<Option<String>, Problem> {
    match text {
        Some(text) if text.chars().count() > TEXT_CHARS_MAX || text.contains('\0') => {
            let detail = format!("{name} has at most {TEXT_CHARS_MAX} characters");
            Err(Problem::bad_request("bad-filter", detail))
        }
        text => Ok(text),
    }
}

fn decision(text: Option<&str>) -> Result<Option<Decision>, Problem> {
    let known = |text: &str| Decision::ALL.into_iter().find(|decision| decision.as_str() == text);
    let bad = || Problem::bad_request("bad-filter", "decision is permit, denial or none");
    text.map(|text| known(text).ok_or_else(bad)).transpose()
}

fn moment(name: &str, text: Option<String>) -> Result<Option<Timestamp>, Problem> {
    let bad =
        |error: domain::value::TimestampError| Problem::bad_request("bad-moment", format!("{name}: {error}"));
    text.map(|text| Timestamp::parse(&text).map_err(bad)).transpose()
}
