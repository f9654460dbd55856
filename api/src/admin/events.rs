//! `/v1/events` and `/v1/organizations/{organization}/events`: the history, page by page, as a whole, or live.
//!
//! A tenant's history has the address of everything that is a tenant's. `/v1/events` is whatever the key may read: all of the deployment for its
//! administrator (with `organization`, of one tenant), the key's own organization for anybody else. That takes no further kind of access: the
//! route asks for the scope, as `Access::Key` does, and how far it reaches is the same judgment as that of `Access::Administrator`, made in the
//! handler and made again for as long as the answer goes on.

mod export;
mod live;
mod query;
mod shape;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use commands::Ports;
use domain::value::{OrganizationId, Position, Scope};
use http::HeaderMap;
use projections::LogReader;
use projections::directory::Cursor;
use projections::history::{Filter, History, Range};

use self::query::{EventsQuery, Extent, LiveQuery};
use self::shape::Event;
use super::admit::Admission;
use super::places::Place;
use super::{Access, Admin, Area, Listed, Path};
use crate::ndjson::{self, NDJSON};
use crate::problem::Problem;

/// Statements that one page may take. A page of a rare kind of event in a long history may hold few events, or none, and still lead on.
const STATEMENTS_MAX: usize = 50;

const OF_ALL: &str = "/v1/events";
const OF_ALL_LIVE: &str = "/v1/events/stream";
const OF_ORGANIZATION: &str = "/v1/organizations/{organization}/events";
const OF_ORGANIZATION_LIVE: &str = "/v1/organizations/{organization}/events/stream";

const PAGES_OR_LINES: &[&str] = &["application/json", NDJSON];
const LIVE: &[&str] = &["text/event-stream"];

/// The routes.
pub(super) fn area<P: Ports + 'static>() -> Area<P> {
    let about = "What happened, as it was written: the envelope is the same as on NATS, and personal data are sealed. Pages come as JSON; with \
                 `Accept: application/x-ndjson` everything comes in one answer, a line for each event, and is whole when the last line is `end`.";
    Area::new("History", about)
        .list::<Listed<Event>, _, _>(
            OF_ALL,
            Access::Key(Scope::AuditRead),
            "listEvents",
            "The events that the key may read: all for an administrator of the deployment, else those of the key's organization",
            of_all::<P>,
        )
        .taking(query::OF_ALL)
        .answering_as(PAGES_OR_LINES)
        .read::<Event, _, _>(
            OF_ALL_LIVE,
            Access::Key(Scope::AuditRead),
            "followEvents",
            "The same events as they are written, as server-sent events; resumes after `Last-Event-ID`",
            live_of_all::<P>,
        )
        .taking(query::OF_ALL_LIVE)
        .answering_as(LIVE)
        .list::<Listed<Event>, _, _>(
            OF_ORGANIZATION,
            Access::Organization(Scope::AuditRead),
            "listOrganizationEvents",
            "The events of the organization",
            of_organization::<P>,
        )
        .taking(query::OF_ORGANIZATION)
        .answering_as(PAGES_OR_LINES)
        .read::<Event, _, _>(
            OF_ORGANIZATION_LIVE,
            Access::Organization(Scope::AuditRead),
            "followOrganizationEvents",
            "The events of the organization as they are written, as server-sent events; resumes after `Last-Event-ID`",
            live_of_organization::<P>,
        )
        .taking(query::OF_ORGANIZATION_LIVE)
        .answering_as(LIVE)
}

/// Somebody who reads the history, and which part of it.
struct Reading<P> {
    admin: Admin<P>,
    /// Why they may. Looked at again for as long as they read.
    admission: Admission,
    history: History,
    filter: Filter,
}

impl<P: Ports + 'static> Reading<P> {
    /// Of one organization, as whoever was let through to it.
    fn of_organization(
        admin: Admin<P>,
        admission: Admission,
        organization: OrganizationId,
        filter: Filter,
    ) -> Self {
        let filter = Filter { organization: Some(organization), ..filter };
        let history = History::new(LogReader::new(admin.pool.clone()));
        Self { admin, admission, history, filter }
    }

    /// Of everything that the key may read, or of one organization out of that.
    fn of_all(admin: Admin<P>, admission: Admission, filter: Filter) -> Result<Self, Problem> {
        if admission.sees_everything(&admin)? {
            let administrator = admission.as_administrator(Scope::AuditRead);
            let history = History::new(LogReader::new(admin.pool.clone()));
            return Ok(Self { admin, admission: administrator, history, filter });
        }
        let own = admission.organization();
        match filter.organization {
            Some(other) if other != own => Err(Problem::not_found("organization")),
            Some(_) | None => Ok(Self::of_organization(admin, admission, own, filter)),
        }
    }

    /// Whether they may still.
    fn may_go_on(&self) -> Result<(), Problem> {
        self.admission.holds(&self.admin)
    }

    fn place(&self) -> Result<Place, Problem> {
        self.admin.places.take(self.admission.organization())
    }

    /// The range between two moments, as far as history has got; a cursor is a later beginning.
    async fn range(&self, extent: &Extent) -> Result<Range, Problem> {
        let from = match extent.from {
            Some(from) => self.history.before(from).await?,
            None => Position::START,
        };
        let to = match extent.to {
            Some(to) => self.history.at_most(to).await?,
            None => self.history.head().await?,
        };
        Ok(Range { after: from.max(Position::new(extent.after.get().unsigned_abs())), to })
    }

    async fn page(&self, extent: &Extent) -> Result<Listed<Event>, Problem> {
        let Range { mut after, to } = self.range(extent).await?;
        let mut items = Vec::new();
        for _ in 0..STATEMENTS_MAX {
            let left = extent.rows.saturating_sub(u32::try_from(items.len()).unwrap_or(u32::MAX));
            if left == 0 || after >= to {
                break;
            }
            let slice = self.history.slice(&self.filter, Range { after, to }, left).await?;
            after = slice.reached;
            items.extend(slice.events.into_iter().map(Event::from));
        }
        let next = (after < to).then(|| Cursor::after(i64::try_from(after.get()).unwrap_or(i64::MAX)));
        Ok(Listed { items, next_cursor: next.map(|cursor| cursor.to_string()) })
    }

    async fn answer(self, headers: &HeaderMap, extent: &Extent) -> Result<Response, Problem> {
        if !ndjson::is_wanted(headers) {
            return Ok(self.page(extent).await?.into_response());
        }
        extent.must_have_no_limit()?;
        let range = self.range(extent).await?;
        export::start(self, range)
    }
}

async fn of_all<P: Ports + 'static>(
    State(admin): State<Admin<P>>,
    admission: Admission,
    headers: HeaderMap,
    EventsQuery { filter, extent }: EventsQuery,
) -> Result<Response, Problem> {
    Reading::of_all(admin, admission, filter)?.answer(&headers, &extent).await
}

async fn of_organization<P: Ports + 'static>(
    State(admin): State<Admin<P>>,
    admission: Admission,
    Path(organization): Path<OrganizationId>,
    headers: HeaderMap,
    EventsQuery { filter, extent }: EventsQuery,
) -> Result<Response, Problem> {
    query::must_name_no_organization(&filter)?;
    Reading::of_organization(admin, admission, organization, filter).answer(&headers, &extent).await
}

async fn live_of_all<P: Ports + 'static>(
    State(admin): State<Admin<P>>,
    admission: Admission,
    LiveQuery { filter, after }: LiveQuery,
) -> Result<Response, Problem> {
    live::start(Reading::of_all(admin, admission, filter)?, after).await
}

async fn live_of_organization<P: Ports + 'static>(
    State(admin): State<Admin<P>>,
    admission: Admission,
    Path(organization): Path<OrganizationId>,
    LiveQuery { filter, after }: LiveQuery,
) -> Result<Response, Problem> {
    query::must_name_no_organization(&filter)?;
    live::start(Reading::of_organization(admin, admission, organization, filter), after).await
}
