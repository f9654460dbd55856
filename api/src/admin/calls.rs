//! `/v1/calls` and `/v1/organizations/{organization}/calls`: what MCP calls left behind, page by page, or as a whole.
//!
//! As with events, a tenant's records have the address of everything that is a tenant's, and `/v1/calls` is whatever the key may read. Every answer
//! says where records are lacking: `incomplete` is part of the answer, and empty when nothing is.

mod export;
mod query;
mod shape;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use commands::Ports;
use domain::value::{OrganizationId, Scope};
use http::HeaderMap;
use projections::calls::{self, CallFilter, CallRecord};
use uuid::Uuid;

use self::query::{CallsQuery, OneQuery};
use self::shape::{CallPage, KeptArguments, Lacking, RecordedCall};
use super::admit::Admission;
use super::ask::Within;
use super::{Access, Admin, Area, Path};
use crate::gateway::ARGUMENT_BYTES_MAX;
use crate::ndjson::{self, NDJSON};
use crate::problem::Problem;

const OF_ALL: &str = "/v1/calls";
const OF_ORGANIZATION: &str = "/v1/organizations/{organization}/calls";
const ONE: &str = "/v1/organizations/{organization}/calls/{call}";

const PAGES_OR_LINES: &[&str] = &["application/json", NDJSON];

/// The routes.
pub(super) fn area<P: Ports + 'static>() -> Area<P> {
    let about = "What MCP calls left behind: who asked for what, what was decided at which position, how it ended. Every call whose credential is known \
                 leaves a record, refused or not; `incomplete` says where records are lacking. Pages come as JSON; with `Accept: application/x-ndjson` \
                 everything comes in one answer, a line for each call, and is whole when the last line is `end`.";
    Area::new("Calls", about)
        .list::<CallPage, _, _>(
            OF_ALL,
            Access::Key(Scope::AuditRead),
            "listCalls",
            "The calls that the key may read of: all for an administrator of the deployment, else those of the key's organization",
            of_all::<P>,
        )
        .taking(query::OF_ALL)
        .answering_as(PAGES_OR_LINES)
        .list::<CallPage, _, _>(
            OF_ORGANIZATION,
            Access::Organization(Scope::AuditRead),
            "listOrganizationCalls",
            "The calls of the organization, in the order in which they began",
            of_organization::<P>,
        )
        .taking(query::OF_ORGANIZATION)
        .answering_as(PAGES_OR_LINES)
        .read::<RecordedCall, _, _>(
            ONE,
            Access::Organization(Scope::AuditRead),
            "getCall",
            "One call; with `arguments=true` its arguments too, where the instance keeps them. That they were read is logged",
            one::<P>,
        )
        .taking(query::ONE)
}

/// Somebody who reads records, and which of them.
struct Reading<P> {
    admin: Admin<P>,
    /// Why they may. Looked at again for as long as they read.
    admission: Admission,
    filter: CallFilter,
}

impl<P: Ports + 'static> Reading<P> {
    fn of_organization(
        admin: Admin<P>,
        admission: Admission,
        organization: OrganizationId,
        filter: CallFilter,
    ) -> Self {
        let filter = CallFilter { organization: Some(organization.uuid()), ..filter };
        Self { admin, admission, filter }
    }

    /// Of everything that the key may read, or of one organization out of that.
    fn of_all(admin: Admin<P>, admission: Admission, filter: CallFilter) -> Result<Self, Problem> {
        if admission.sees_everything(&admin)? {
            let administrator = admission.as_administrator(Scope::AuditRead);
            return Ok(Self { admin, admission: administrator, filter });
        }
        let own = admission.organization();
        match filter.organization {
            Some(other) if other != own.uuid() => Err(Problem::not_found("organization")),
            Some(_) | None => Ok(Self::of_organization(admin, admission, own, filter)),
        }
    }

    async fn records(&self, after: Option<Uuid>, rows_max: u32) -> Result<Vec<CallRecord>, Problem> {
        Ok(calls::page(&self.admin.pool, &self.filter, after, rows_max).await?)
    }

    /// Where records of these are lacking. What nobody can tell the owner of is told to everybody, without a number.
    async fn lacking(&self) -> Result<Vec<Lacking>, Problem> {
        let CallFilter { organization, from, to, .. } = self.filter;
        let found = calls::incomplete(&self.admin.pool, organization, from, to).await?;
        Ok(found.iter().map(Lacking::of).collect())
    }

    async fn page(&self, after: Option<Uuid>, rows: u32) -> Result<CallPage, Problem> {
        let mut records = self.records(after, rows.saturating_add(1)).await?;
        let wanted = usize::try_from(rows).unwrap_or(usize::MAX);
        let more = records.len() > wanted;
        records.truncate(wanted);
        let next_cursor = records.last().filter(|_| more).map(|last| last.id.to_string());
        let items = records.into_iter().map(RecordedCall::of).collect();
        Ok(CallPage { items, incomplete: self.lacking().await?, next_cursor })
    }

    async fn answer(self, headers: &HeaderMap, query: &CallsQuery) -> Result<Response, Problem> {
        if ndjson::is_wanted(headers) {
            query.must_have_no_limit()?;
            return export::start(self, query.after);
        }
        Ok(Json(self.page(query.after, query.rows).await?).into_response())
    }
}

async fn of_all<P: Ports + 'static>(
    State(admin): State<Admin<P>>,
    admission: Admission,
    headers: HeaderMap,
    query: CallsQuery,
) -> Result<Response, Problem> {
    Reading::of_all(admin, admission, query.filter.clone())?.answer(&headers, &query).await
}

async fn of_organization<P: Ports + 'static>(
    State(admin): State<Admin<P>>,
    admission: Admission,
    Path(organization): Path<OrganizationId>,
    headers: HeaderMap,
    query: CallsQuery,
) -> Result<Response, Problem> {
    query.must_name_no_organization()?;
    let filter = query.filter.clone();
    Reading::of_organization(admin, admission, organization, filter).answer(&headers, &query).await
}

async fn one<P: Ports + 'static>(
    State(admin): State<Admin<P>>,
    admission: Admission,
    Path((organization, call)): Within<Uuid>,
    OneQuery { arguments }: OneQuery,
) -> Result<Json<RecordedCall>, Problem> {
    let record = calls::by_id(&admin.pool, Some(organization.uuid()), call).await?;
    let record = record.ok_or_else(|| Problem::not_found("call"))?;
    let until = record.arguments_until;
    let mut shown = RecordedCall::of(record);
    if let Some(until) = until.filter(|_| arguments) {
        tracing::info!(
            call.id = %call, organization.id = %organization, credential.id = %admission.credential(),
            "the sealed arguments of a call were read"
        );
        shown.arguments = kept(&admin, until, call).await?;
    }
    Ok(Json(shown))
}

async fn kept<P>(admin: &Admin<P>, until: time::Date, call: Uuid) -> Result<Option<KeptArguments>, Problem> {
    let Some(sealed) = calls::sealed_arguments(&admin.pool, until, call).await? else { return Ok(None) };
    let opened = admin.calls.open(call, &sealed);
    let clear = opened.ok_or_else(|| Problem::unavailable("arguments-not-opened", &"no key opens them"))?;
    let cut = clear.len() >= ARGUMENT_BYTES_MAX;
    Ok(Some(match std::str::from_utf8(&clear) {
        Ok(text) => KeptArguments { text: Some(text.to_owned()), base64: None, cut },
        Err(_) => KeptArguments { text: None, base64: Some(STANDARD.encode(&*clear)), cut }, // cut within a character
    }))
}
