//! `/v1/organizations` and `/v1/deployment/organizations`: the tenants themselves.

use axum::extract::State;
use commands::Ports;
use commands::organization::{CreateTeam, Delete, Resume, Suspend, TeamCreated, Update};
use domain::value::{DisplayName, IssuedSecret, OrganizationId, Scope, Slug};
use http::Method;
use projections::directory::organizations::{self as rows, OrganizationRow};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::ask::{Answered, Asker, Found, found};
use super::shapes::{Because, Changed, Nothing};
use super::{Access, Admin, Area, Command, Listed, Paging, Path};
use crate::problem::Problem;

const ALL: &str = "/v1/organizations";
const ONE: &str = "/v1/organizations/{organization}";
const EVERY: &str = "/v1/deployment/organizations";
const ANY: &str = "/v1/deployment/organizations/{organization}";
const SUSPEND: &str = "/v1/deployment/organizations/{organization}/suspend";
const RESUME: &str = "/v1/deployment/organizations/{organization}/resume";

/// The routes.
pub(super) fn area<P: Ports + 'static>() -> Area<P> {
    let own = || Access::Organization(Scope::OrgWrite);
    let any = || Access::Administrator(Scope::OrgWrite);
    let read_any = || Access::Administrator(Scope::OrgRead);
    Area::new("Organizations", "The tenants: slug, name, standing.")
        .make::<NewTeam, MadeTeam, _, _>(
            ALL,
            Access::Key(Scope::OrgWrite),
            "createOrganization",
            "Make a team; the caller becomes its owner and gets its first key",
            create::<P>,
        )
        .read::<Listed<Organization>, _, _>(
            ALL,
            Access::Key(Scope::OrgRead),
            "listOrganizations",
            "The organizations that the caller's credential opens: of an API key, its own",
            list::<P>,
        )
        .read::<Organization, _, _>(
            ONE,
            Access::Organization(Scope::OrgRead),
            "getOrganization",
            "One organization",
            get::<P>,
        )
        .change::<OrganizationChange, Changed, _, _>(
            Method::PATCH,
            ONE,
            own(),
            "updateOrganization",
            "Give an organization another name, another slug, or both",
            update::<P>,
        )
        .act::<Changed, _, _>(
            Method::DELETE,
            ONE,
            own(),
            "deleteOrganization",
            "End an organization for good",
            delete::<P>,
        )
        .list::<Listed<Organization>, _, _>(
            EVERY,
            read_any(),
            "listAllOrganizations",
            "Every organization of the deployment",
            list_all::<P>,
        )
        .read::<Organization, _, _>(
            ANY,
            read_any(),
            "getAnyOrganization",
            "Any organization of the deployment",
            get::<P>,
        )
        .change::<Because, Changed, _, _>(
            Method::POST,
            SUSPEND,
            any(),
            "suspendOrganization",
            "Refuse everything of an organization for now",
            suspend::<P>,
        )
        .act::<Changed, _, _>(
            Method::POST,
            RESUME,
            any(),
            "resumeOrganization",
            "End the suspension of an organization",
            resume::<P>,
        )
        .act::<Changed, _, _>(
            Method::DELETE,
            ANY,
            any(),
            "deleteAnyOrganization",
            "End an organization for good, also a suspended one",
            delete::<P>,
        )
}

/// A team to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewTeam {
    /// Unique name in addresses: 2 to 39 of a-z, 0-9 and single dashes.
    #[schema(value_type = String, example = "acme")]
    slug: Slug,
    /// Name shown to people.
    #[schema(value_type = String, example = "Acme Tools")]
    name: DisplayName,
}

/// What changes about an organization; what is left out stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OrganizationChange {
    /// The new name.
    #[schema(value_type = Option<String>, example = "Acme Tools")]
    name: Option<DisplayName>,
    /// The new slug; the old one is free at once.
    #[schema(value_type = Option<String>, example = "acme")]
    slug: Option<Slug>,
}

/// An organization.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Organization {
    /// Its id.
    id: Uuid,
    /// `personal` or `team`.
    kind: String,
    /// Unique name in addresses.
    slug: String,
    /// Name shown to people.
    name: String,
    /// `active` or `suspended`.
    standing: String,
    /// Why it is suspended; null while it is not.
    #[schema(required)]
    reason: Option<String>,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    /// When it changed last.
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
}

impl From<OrganizationRow> for Organization {
    fn from(row: OrganizationRow) -> Self {
        let OrganizationRow { id, kind, slug, name, standing, standing_reason: reason, .. } = row;
        let (created_at, updated_at) = (row.created_at, row.updated_at);
        Self { id, kind, slug, name, standing, reason, created_at, updated_at }
    }
}

/// A team was made.
#[derive(Debug, Serialize, ToSchema)]
struct MadeTeam {
    /// Its id.
    id: Uuid,
    /// Its first API key's id.
    api_key_id: Uuid,
    /// Its first API key, shown this once: a key opens one organization only. It may do what the key it was asked for with may.
    #[schema(value_type = String)]
    api_key: IssuedSecret,
}

impl From<TeamCreated> for MadeTeam {
    fn from(TeamCreated { id, api_key, key }: TeamCreated) -> Self {
        Self { id: id.uuid(), api_key_id: api_key.uuid(), api_key: key }
    }
}

async fn create<P: Ports + 'static>(
    asker: Asker<P>,
    Command { body: NewTeam { slug, name }, order }: Command<NewTeam>,
) -> Answered<MadeTeam> {
    asker.ask(order, &CreateTeam { slug, name }, MadeTeam::from).await
}

/// A key belongs to one organization and tells nothing of the others that its user is in.
async fn list<P: Ports + 'static>(asker: Asker<P>) -> Result<Listed<Organization>, Problem> {
    let row = rows::by_id(&asker.admin.pool, asker.organization()?).await?;
    Ok(Listed { items: row.into_iter().map(Organization::from).collect(), next_cursor: None })
}

async fn get<P: Ports + 'static>(
    State(admin): State<Admin<P>>,
    Path(organization): Path<OrganizationId>,
) -> Found<Organization> {
    found(rows::by_id(&admin.pool, organization).await?, "organization", Organization::from)
}

async fn update<P: Ports + 'static>(
    asker: Asker<P>,
    Path(organization): Path<OrganizationId>,
    Command { body: OrganizationChange { name, slug }, order }: Command<OrganizationChange>,
) -> Answered<Changed> {
    asker.change(order, &Update { organization, name, slug }).await
}

async fn delete<P: Ports + 'static>(
    asker: Asker<P>,
    Path(organization): Path<OrganizationId>,
    Command { body: Nothing {}, order }: Command<Nothing>,
) -> Answered<Changed> {
    asker.change(order, &Delete { organization }).await
}

async fn list_all<P: Ports + 'static>(
    State(admin): State<Admin<P>>,
    page: Paging,
) -> Result<Listed<Organization>, Problem> {
    let rows = rows::list_all(&admin.pool, page.after, page.rows).await?;
    Ok(Listed::of(rows, Organization::from))
}

async fn suspend<P: Ports + 'static>(
    asker: Asker<P>,
    Path(organization): Path<OrganizationId>,
    Command { body: Because { reason }, order }: Command<Because>,
) -> Answered<Changed> {
    asker.change(order, &Suspend { organization, reason }).await
}

async fn resume<P: Ports + 'static>(
    asker: Asker<P>,
    Path(organization): Path<OrganizationId>,
    Command { body: Nothing {}, order }: Command<Nothing>,
) -> Answered<Changed> {
    asker.change(order, &Resume { organization }).await
}
