//! `/v1/authz/explain`: whether a call is or was allowed, and by which events.

use axum::extract::{FromRequestParts, Query, State};
use commands::Ports;
use domain::value::{InstanceId, Scope, ToolName};
use http::StatusCode;
use http::request::Parts;
use projections::LogReader;
use projections::access::evidence::EvidenceError;
use projections::history::{History, Moment, NotYet};
use serde::Deserialize;

use super::admit::Admission;
use super::ask::Found;
use super::{Access, Admin, Area, Parameter};
use crate::explain::{ExplainError, Explanation, Principal, Question, QuestionError, explain};
use crate::problem::Problem;

const PARAMETERS: &[Parameter] = &[
    Parameter::required(
        "principal",
        "Who calls: an API key, by its id or its 22 characters, or a user, by their id; `api_key:` or `user:` may stand in front",
    ),
    Parameter::required("instance", "Where the call goes: the id of an instance"),
    Parameter::required("tool", "The tool that is called"),
    Parameter::optional(
        "at",
        "As of when: a position (right after that event) or a time in RFC 3339; left out, now",
    ),
    Parameter::optional(
        "read_only",
        "`true` when the upstream calls the tool read-only, which is not in the log; left out, false",
    ),
];

/// The routes.
pub(super) fn area<P: Ports + 'static>() -> Area<P> {
    Area::new("Authorization", "Why calls are and were allowed or denied, by the decision of the gateway itself.")
        .read::<Explanation, _, _>(
            "/v1/authz/explain",
            Access::Key(Scope::AuditRead),
            "explainAuthorization",
            "Whether a call is or was allowed, and the events that decide it; an administrator of the deployment may ask about any organization",
            get::<P>,
        )
        .taking(PARAMETERS)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    principal: String,
    instance: String,
    tool: String,
    at: Option<String>,
    read_only: Option<String>,
    #[serde(rename = "at_least")]
    _at_least: Option<String>, // the check in front of the handler has waited for it
}

impl Text {
    fn parse(self) -> Result<Question, QuestionError> {
        Ok(Question {
            principal: Principal::parse(&self.principal)?,
            instance: InstanceId::parse(&self.instance)?,
            tool: ToolName::parse(&self.tool)?,
            at: self.at.map(|at| Moment::parse(&at)).transpose()?,
            read_only: match self.read_only.as_deref() {
                None | Some("false") => false,
                Some("true") => true,
                Some(_) => return Err(QuestionError::ReadOnly),
            },
        })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Question {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Query(text) = Query::<Text>::try_from_uri(&parts.uri)
            .map_err(|error| Problem::bad_request("bad-query", error.body_text()))?;
        text.parse().map_err(|error| Problem::bad_request("bad-question", error.to_string()))
    }
}

impl From<ExplainError> for Problem {
    fn from(error: ExplainError) -> Self {
        let detail = error.to_string();
        match error {
            ExplainError::NotFound(what) => Self::not_found(what),
            ExplainError::TooManyKeys => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "too-many-keys", detail),
            ExplainError::NotYet(NotYet::Position { .. } | NotYet::Time { .. }) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "not-yet", detail)
            }
            ExplainError::NotYet(NotYet::Log(error)) | ExplainError::Evidence(EvidenceError::Log(error)) => {
                error.into()
            }
            ExplainError::Evidence(EvidenceError::Undecodable(..) | EvidenceError::Id(..)) => {
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "log-broken", detail)
            }
        }
    }
}

async fn get<P: Ports + 'static>(
    State(admin): State<Admin<P>>,
    admission: Admission,
    question: Question,
) -> Found<Explanation> {
    let administrator = admission.as_administrator(Scope::AuditRead);
    let everything = administrator.holds(&admin, &admin.view.load()).is_ok();
    let within = (!everything).then(|| admission.organization());
    let history = History::new(LogReader::new(admin.pool.clone()));
    Ok(axum::Json(explain(&history, within, &question).await?))
}
