//! `/v1/organizations`: the tenant itself and its members.

use axum::extract::State;
use axum::{Extension, Json};
use commands::organization::{CreateTeam, TeamCreated};
use commands::{Actor, Ports};
use domain::value::{DisplayName, OrganizationId, Scope, Slug};
use projections::directory::organizations::{self as rows, OrganizationRow};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Access, Admin, Area, Written};
use crate::extract::{Command, Path};
use crate::problem::Problem;

/// The routes.
pub(super) fn area<P: Ports + 'static>() -> Area<P> {
    Area::new("Organizations", "The tenant: its name, its slug, its members.")
        .make::<NewTeam, Created, _, _>(
            "/v1/organizations",
            Access::Key(Scope::OrgWrite),
            "createOrganization",
            "Make a team; the caller becomes its owner",
            create::<P>,
        )
        .read::<Organization, _, _>(
            "/v1/organizations/{organization}",
            Access::Organization(Scope::OrgRead),
            "getOrganization",
            "One organization",
            get::<P>,
        )
}

/// A team to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTeam {
    /// Unique name in addresses: 2 to 39 of a-z, 0-9 and single dashes.
    #[schema(value_type = String, example = "acme")]
    slug: Slug,
    /// Name shown to people.
    #[schema(value_type = String, example = "Acme Tools")]
    name: DisplayName,
}

/// Something was made.
#[derive(Debug, Serialize, ToSchema)]
pub struct Created {
    /// Its id.
    pub id: Uuid,
}

/// An organization.
#[derive(Debug, Serialize, ToSchema)]
pub struct Organization {
    id: Uuid,
    /// `personal` or `team`.
    kind: String,
    slug: String,
    name: String,
    /// `active` or `suspended`.
    standing: String,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
}

impl From<OrganizationRow> for Organization {
    fn from(row: OrganizationRow) -> Self {
        let OrganizationRow { id, kind, slug, name, standing, created_at, .. } = row;
        Self { id, kind, slug, name, standing, created_at }
    }
}

async fn create<P: Ports + 'static>(
    State(admin): State<Admin<P>>,
    Extension(actor): Extension<Actor>,
    Command { body, order }: Command<NewTeam>,
) -> Result<Written<Created>, Problem> {
    let NewTeam { slug, name } = body;
    let written = admin.carry_out(&actor, order, &CreateTeam { slug, name }).await?;
    Ok(written.map(|TeamCreated { id }| Created { id: id.uuid() }))
}

async fn get<P: Ports + 'static>(
    State(admin): State<Admin<P>>,
    Path(organization): Path<OrganizationId>,
) -> Result<Json<Organization>, Problem> {
    let row = rows::by_id(&admin.pool, organization).await?;
    row.map(|row| Json(row.into())).ok_or_else(|| Problem::not_found("organization"))
}
