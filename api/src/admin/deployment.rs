//! `/v1/deployment`: the deployment as a whole, for its administrators.

use axum::Json;
use axum::extract::State;
use commands::Ports;
use commands::deployment::{EndMaintenance, StartMaintenance};
use domain::value::{AddressRange, Scope, Timestamp};
use http::Method;
use projections::directory::deployment::{self as rows, AdministratorRow, MaintenanceRow};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::ask::{Answered, Asker, Found};
use super::shapes::{Changed, Nothing, moment};
use super::{Access, Admin, Area, Command, Listed, Paging};
use crate::problem::Problem;

const ONE: &str = "/v1/deployment";
const ADMINISTRATORS: &str = "/v1/deployment/administrators";
const MAINTENANCE: &str = "/v1/deployment/maintenance";

/// The routes.
pub(super) fn area<P: Ports + 'static>() -> Area<P> {
    let reads = || Access::Administrator(Scope::OrgRead);
    let writes = || Access::Administrator(Scope::OrgWrite);
    Area::new("Deployment", "The deployment as a whole.")
        .read::<Deployment, _, _>(
            ONE,
            reads(),
            "getDeployment",
            "Version, address, and the maintenance under way",
            get::<P>,
        )
        .list::<Listed<Administrator>, _, _>(
            ADMINISTRATORS,
            reads(),
            "listAdministrators",
            "Who administers the deployment",
            list_administrators::<P>,
        )
        .change::<NewMaintenance, Changed, _, _>(
            Method::POST,
            MAINTENANCE,
            writes(),
            "startMaintenance",
            "Answer only to some addresses, or change the terms of that",
            start_maintenance::<P>,
        )
        .act::<Changed, _, _>(
            Method::DELETE,
            MAINTENANCE,
            writes(),
            "endMaintenance",
            "Answer to everybody again",
            end_maintenance::<P>,
        )
}

/// The terms of a maintenance.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewMaintenance {
    /// When it is expected to end; left out, that is not known.
    #[serde(default, deserialize_with = "moment")]
    #[schema(value_type = Option<OffsetDateTime>)]
    until: Option<Timestamp>,
    /// Addresses and blocks, IPv4 and IPv6, that pass everywhere.
    #[serde(default)]
    #[schema(value_type = Vec<String>, example = json!(["192.0.2.0/24", "2001:db8::7"]))]
    allowed: Vec<AddressRange>,
}

/// The deployment.
#[derive(Debug, Serialize, ToSchema)]
struct Deployment {
    /// Version of the program that answers.
    version: &'static str,
    /// Where callers reach it.
    url: String,
    /// The maintenance under way; null when there is none.
    #[schema(required)]
    maintenance: Option<Maintenance>,
}

/// A maintenance under way.
#[derive(Debug, Serialize, ToSchema)]
struct Maintenance {
    /// When it is expected to end; null when that is not known.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    until: Option<OffsetDateTime>,
    /// Addresses and blocks that pass everywhere.
    allowed: Vec<String>,
    /// When it began.
    #[serde(with = "time::serde::rfc3339")]
    since: OffsetDateTime,
}

/// An administrator of the deployment.
#[derive(Debug, Serialize, ToSchema)]
struct Administrator {
    /// The user's id.
    user: Uuid,
    /// Name shown to people; null when it is not known.
    #[schema(required)]
    name: Option<String>,
    /// E-mail address; null when it is not known.
    #[schema(required)]
    email: Option<String>,
    /// Since when.
    #[serde(with = "time::serde::rfc3339")]
    since: OffsetDateTime,
}

impl From<MaintenanceRow> for Maintenance {
    fn from(row: MaintenanceRow) -> Self {
        let MaintenanceRow { until, allowed, created_at: since, .. } = row;
        Self { until, allowed, since }
    }
}

impl From<AdministratorRow> for Administrator {
    fn from(row: AdministratorRow) -> Self {
        let AdministratorRow { user_id: user, name, email, created_at: since, .. } = row;
        Self { user, name, email, since }
    }
}

async fn get<P: Ports + 'static>(State(admin): State<Admin<P>>) -> Found<Deployment> {
    let maintenance = rows::maintenance(&admin.pool).await?.map(Maintenance::from);
    Ok(Json(Deployment { version: env!("CARGO_PKG_VERSION"), url: admin.url.to_string(), maintenance }))
}

async fn list_administrators<P: Ports + 'static>(
    State(admin): State<Admin<P>>,
    page: Paging,
) -> Result<Listed<Administrator>, Problem> {
    let rows = rows::administrators(&admin.pool, page.after, page.rows).await?;
    Ok(Listed::of(rows, Administrator::from))
}

async fn start_maintenance<P: Ports + 'static>(
    asker: Asker<P>,
    Command { body: NewMaintenance { until, allowed }, order }: Command<NewMaintenance>,
) -> Answered<Changed> {
    let use_case = StartMaintenance { until, allowed: allowed.into_iter().collect() };
    asker.change(order, &use_case).await
}

async fn end_maintenance<P: Ports + 'static>(
    asker: Asker<P>,
    Command { body: Nothing {}, order }: Command<Nothing>,
) -> Answered<Changed> {
    asker.change(order, &EndMaintenance).await
}
