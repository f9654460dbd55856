//! `/v1/authz/explain` and `/v1/authz/who`: whether a call is or was allowed, by which events, and to whom.

use axum::Json;
use axum::extract::{FromRequestParts, Query, State};
use commands::Ports;
use domain::value::{InstanceId, OrganizationId, Scope, ToolName};
use http::request::Parts;
use http::{StatusCode, Uri};
use projections::LogReader;
use projections::access::evidence::EvidenceError;
use projections::history::{History, Moment, NotYet};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::admit::Admission;
use super::ask::Found;
use super::{Access, Admin, Area, Paging, Parameter};
use crate::explain::{
    AllowedCaller, Assumed, Call, ExplainError, Explanation, Principal, Question, QuestionError, explain, who,
};
use crate::problem::Problem;

const PRINCIPAL: Parameter = Parameter::required(
    "principal",
    "Who calls: an API key, by its id or its 22 characters; a grant, a client in its own name, or a user with whatever they have, by their id; \
     `api_key:`, `grant:`, `client:` or `user:` may stand in front",
);
const INSTANCE: Parameter = Parameter::required("instance", "Where the call goes: the id of an instance");
const TOOL: Parameter = Parameter::required("tool", "The tool that is called");
const AT: Parameter = Parameter::optional(
    "at",
    "As of when: a position (right after that event) or a time in RFC 3339; left out, now",
);
const READ_ONLY: Parameter = Parameter::optional(
    "read_only",
    "Whether the upstream calls the tool read-only, `true` or `false`, which is not in the log; left out, the tool is taken as one that writes, and \
     `assumed` says so",
);

/// The routes.
pub(super) fn area<P: Ports + 'static>() -> Area<P> {
    let about = "Why calls are and were allowed or denied, by the decision of the gateway itself. A key asks within its organization, that of an \
                 administrator of the deployment about every one.";
    Area::new("Authorization", about)
        .read::<Explanation, _, _>(
            "/v1/authz/explain",
            Access::Key(Scope::AuditRead),
            "explainAuthorization",
            "Whether a call is or was allowed, and the events that decide it",
            get::<P>,
        )
        .taking(&[PRINCIPAL, INSTANCE, TOOL, AT, READ_ONLY])
        .list::<AllowedCallers, _, _>(
            "/v1/authz/who",
            Access::Key(Scope::AuditRead),
            "listAllowedCallers",
            "Every API key, grant and client that could make a call, in the order in which they came to be; a page judges `limit` of them and shows \
             those that could",
            list::<P>,
        )
        .taking(&[INSTANCE, TOOL, AT, READ_ONLY])
}

/// One page of those who could make a call.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AllowedCallers {
    /// Those of this page.
    items: Vec<AllowedCaller>,
    /// Give this back as `cursor` to get the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
    /// What the log does not hold and was taken as given.
    assumed: Assumed,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct QuestionText {
    principal: String,
    instance: String,
    tool: String,
    at: Option<String>,
    read_only: Option<String>,
    #[serde(rename = "at_least")]
    _at_least: Option<String>, // the check in front of the handler has waited for it
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CallText {
    instance: String,
    tool: String,
    at: Option<String>,
    read_only: Option<String>,
    #[serde(rename = "cursor")]
    _cursor: Option<String>, // these two are read as the page
    #[serde(rename = "limit")]
    _limit: Option<String>,
    #[serde(rename = "at_least")]
    _at_least: Option<String>,
}

fn call(
    instance: &str,
    tool: &str,
    at: Option<&str>,
    read_only: Option<&str>,
) -> Result<Call, QuestionError> {
    Ok(Call {
        instance: InstanceId::parse(instance)?,
        tool: ToolName::parse(tool)?,
        at: at.map(Moment::parse).transpose().map_err(|error| QuestionError::Moment("at", error))?,
        read_only: match read_only {
            None => None,
            Some("false") => Some(false),
            Some("true") => Some(true),
            Some(_) => return Err(QuestionError::ReadOnly),
        },
    })
}

fn read<T: DeserializeOwned>(uri: &Uri) -> Result<T, Problem> {
    Query::<T>::try_from_uri(uri)
        .map(|Query(text)| text)
        .map_err(|error| Problem::bad_request("bad-query", error.body_text()))
}

impl From<QuestionError> for Problem {
    fn from(error: QuestionError) -> Self {
        Self::bad_request("bad-question", error.to_string())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Question {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let text: QuestionText = read(&parts.uri)?;
        let principal = Principal::parse(&text.principal).map_err(QuestionError::from)?;
        let call = call(&text.instance, &text.tool, text.at.as_deref(), text.read_only.as_deref())?;
        Ok(Self { principal, call })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Call {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let text: CallText = read(&parts.uri)?;
        Ok(call(&text.instance, &text.tool, text.at.as_deref(), text.read_only.as_deref())?)
    }
}

impl From<ExplainError> for Problem {
    fn from(error: ExplainError) -> Self {
        let detail = error.to_string();
        match error {
            ExplainError::NotFound(what) => Self::not_found(what),
            ExplainError::TooManyCredentials => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "too-many-credentials", detail)
            }
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

/// The organization that may be asked about; `None` when every one may.
fn within<P: Ports + 'static>(
    admin: &Admin<P>,
    admission: &Admission,
) -> Result<Option<OrganizationId>, Problem> {
    let everything = admission.sees_everything(admin)?;
    Ok((!everything).then(|| admission.organization()))
}

async fn get<P: Ports + 'static>(
    State(admin): State<Admin<P>>,
    admission: Admission,
    question: Question,
) -> Found<Explanation> {
    let history = History::new(LogReader::new(admin.pool.clone()));
    Ok(Json(explain(&history, within(&admin, &admission)?, &question).await?))
}

async fn list<P: Ports + 'static>(
    State(admin): State<Admin<P>>,
    admission: Admission,
    call: Call,
    page: Paging,
) -> Found<AllowedCallers> {
    let history = History::new(LogReader::new(admin.pool.clone()));
    let (items, next) = who(&history, within(&admin, &admission)?, &call, page.after, page.rows).await?;
    let next_cursor = next.map(|cursor| cursor.to_string());
    Ok(Json(AllowedCallers { items, next_cursor, assumed: Assumed::of(&call) }))
}
