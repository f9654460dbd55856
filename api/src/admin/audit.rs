//! `/v1/audit/blast-radius`: what a key, grant or client could do in a span of time, and what it did.

use axum::Json;
use axum::extract::{FromRequestParts, Query, State};
use commands::Ports;
use domain::value::Scope;
use http::request::Parts;
use projections::LogReader;
use projections::calls::took_too_long;
use projections::history::{History, Moment};
use serde::Deserialize;

use super::admit::Admission;
use super::ask::Found;
use super::{Access, Admin, Area, Parameter};
use crate::blast_radius::{BlastRadius, BlastRadiusError, Question, blast_radius};
use crate::explain::{ExplainError, Principal, QuestionError};
use crate::problem::Problem;

const PARAMETERS: &[Parameter] = &[
    Parameter::required(
        "credential",
        "An API key, by its id or its 22 characters, or a grant or client, by its id; `api_key:`, `grant:` or `client:` may stand in front",
    ),
    Parameter::optional("from", "From when: a position or a time in RFC 3339; left out, from its beginning"),
    Parameter::optional("to", "Until when: a position or a time in RFC 3339; left out, now"),
];

/// The routes.
pub(super) fn area<P: Ports + 'static>() -> Area<P> {
    let about = "How far an API key, a grant or a client reached: everything that it could do in a span of time by the decision of the gateway, event by event, and what it did, \
                 in the log and by its calls. A key asks about credentials of its organization, that of an administrator of the deployment about every one.";
    Area::new("Blast radius", about)
        .read::<BlastRadius, _, _>(
            "/v1/audit/blast-radius",
            Access::Key(Scope::AuditRead),
            "getBlastRadius",
            "What an API key, a grant or a client could do in a span of time, and what it did",
            get::<P>,
        )
        .taking(PARAMETERS)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct QuestionText {
    credential: String,
    from: Option<String>,
    to: Option<String>,
    #[serde(rename = "at_least")]
    _at_least: Option<String>, // the check in front of the handler has waited for it
}

impl<S: Send + Sync> FromRequestParts<S> for Question {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Query(text) = Query::<QuestionText>::try_from_uri(&parts.uri)
            .map_err(|error| Problem::bad_request("bad-query", error.body_text()))?;
        let moment = |name, text: Option<String>| {
            let read = text.as_deref().map(Moment::parse).transpose();
            read.map_err(|error| QuestionError::Moment(name, error))
        };
        Ok(Self {
            credential: Principal::parse(&text.credential).map_err(QuestionError::from)?,
            from: moment("from", text.from)?,
            to: moment("to", text.to)?,
        })
    }
}

impl From<BlastRadiusError> for Problem {
    fn from(error: BlastRadiusError) -> Self {
        match error {
            BlastRadiusError::NotFound => Self::not_found("API key, grant or client"),
            BlastRadiusError::NoCredential | BlastRadiusError::Homeless | BlastRadiusError::Backwards => {
                Self::bad_request("bad-question", error.to_string())
            }
            BlastRadiusError::NotYet(error) => ExplainError::from(error).into(),
            BlastRadiusError::Evidence(error) => ExplainError::from(error).into(),
            BlastRadiusError::Counting(error) if took_too_long(&error) => Self::too_many_records(),
            BlastRadiusError::Counting(error) => error.into(),
        }
    }
}

async fn get<P: Ports + 'static>(
    State(admin): State<Admin<P>>,
    admission: Admission,
    question: Question,
) -> Found<BlastRadius> {
    let within = (!admission.sees_everything(&admin)?).then(|| admission.organization());
    let _turn = admin.places.count().await?;
    let history = History::new(LogReader::new(admin.pool.clone()));
    Ok(Json(blast_radius(&history, &admin.pool, within, &question).await?))
}
