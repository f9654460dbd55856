//! `/v1/organizations/{organization}/grants`: what users let clients do at the organization's instances, and its end.
//!
//! Deliberately absent: a way to grant. People consent in person, at a page of their own. `/v1/me/grants` is that of the key's own organization: a key that
//! somebody there issued in a user's name tells nothing of what the user did elsewhere.

use axum::extract::{FromRequestParts, Query, State};
use commands::Ports;
use commands::grant::{Revoke, TakeBack};
use domain::value::{ClientId, GrantId, OrganizationId, Scope, UserId};
use http::request::Parts;
use projections::directory::grants::{self as rows, GrantFilter, GrantRow};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::ask::{Answered, Asker, Within};
use super::shapes::{Changed, Nothing};
use super::{Access, Admin, Area, Command, Listed, Paging, Parameter, Path};
use crate::problem::Problem;

const ALL: &str = "/v1/organizations/{organization}/grants";
const ONE: &str = "/v1/organizations/{organization}/grants/{grant}";
const OWN: &str = "/v1/me/grants";
const ONE_OWN: &str = "/v1/me/grants/{grant}";

const USER: Parameter = Parameter::optional("user", "Only what this user consented to, by their id");
const CLIENT: Parameter = Parameter::optional("client", "Only what was granted to this client, by its id");

/// The routes.
pub(super) fn area<P: Ports + 'static>() -> Area<P> {
    Area::new(
        "Grants",
        "What users let clients do in their name, at which instance. A token does nothing that its grant does not allow, and ends with it.",
    )
    .list::<Listed<Grant>, _, _>(
        ALL,
        Access::Organization(Scope::OrgRead),
        "listGrants",
        "The grants at the organization's instances, revoked ones too",
        list::<P>,
    )
    .taking(&[USER, CLIENT])
    .act::<Changed, _, _>(
        http::Method::DELETE,
        ONE,
        Access::Organization(Scope::ClientsWrite),
        "revokeGrant",
        "Take back what was granted, with every token of it: its user, an owner or an admin",
        revoke::<P>,
    )
    .list::<Listed<Grant>, _, _>(
        OWN,
        Access::Key(Scope::OrgRead),
        "listMyGrants",
        "What you granted at instances of the key's organization, revoked ones too",
        list_own::<P>,
    )
    .taking(&[CLIENT])
    .act::<Changed, _, _>(
        http::Method::DELETE,
        ONE_OWN,
        Access::Key(Scope::ClientsWrite),
        "revokeMyGrant",
        "Take back what you granted at an instance of the key's organization, with every token of it",
        take_back::<P>,
    )
}

/// One user's standing authorization of one client at one instance.
#[derive(Debug, Serialize, ToSchema)]
struct Grant {
    /// Its id.
    id: Uuid,
    /// Who consented.
    user: Uuid,
    /// To which client acting in their name.
    client: Uuid,
    /// At which instance.
    instance: Uuid,
    /// The most that its tokens may do.
    scopes: Vec<String>,
    /// When it ends by itself; null when it does not.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    expires_at: Option<OffsetDateTime>,
    /// `live` or `revoked`; one whose time is over is still `live`.
    standing: String,
    /// Why it was revoked, such as `by_user` or `refresh_reused`; null while it is not.
    #[schema(required)]
    reason: Option<String>,
    /// When it was revoked; null while it is not.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    revoked_at: Option<OffsetDateTime>,
    /// When it was granted.
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    /// When it changed last.
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
}

impl From<GrantRow> for Grant {
    fn from(row: GrantRow) -> Self {
        Self {
            id: row.id,
            user: row.user_id,
            client: row.client_id,
            instance: row.instance_id,
            scopes: row.scopes,
            expires_at: row.expires_at,
            standing: row.standing,
            reason: row.standing_reason,
            revoked_at: row.ended_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// Whose grants, as the query says. A parameter that nobody knows is refused: a misspelt filter would show more than was wanted.
struct Wanted(GrantFilter);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WantedText {
    user: Option<String>,
    client: Option<String>,
    #[serde(rename = "cursor")]
    _cursor: Option<String>, // these two are read as the page
    #[serde(rename = "limit")]
    _limit: Option<String>,
    #[serde(rename = "at_least")]
    _at_least: Option<String>, // the check in front of the handler has waited for it
}

impl<S: Send + Sync> FromRequestParts<S> for Wanted {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let bad = |name: &'static str| {
            move |error: domain::value::IdError| {
                Problem::bad_request("bad-filter", format!("{name}: {error}"))
            }
        };
        let Query(text) = Query::<WantedText>::try_from_uri(&parts.uri)
            .map_err(|error| Problem::bad_request("bad-query", error.body_text()))?;
        let user = text.user.as_deref().map(UserId::parse).transpose().map_err(bad("user"))?;
        let client = text.client.as_deref().map(ClientId::parse).transpose().map_err(bad("client"))?;
        Ok(Self(GrantFilter { user, client }))
    }
}

async fn list<P: Ports + 'static>(
    State(admin): State<Admin<P>>,
    Path(organization): Path<OrganizationId>,
    Wanted(filter): Wanted,
    page: Paging,
) -> Result<Listed<Grant>, Problem> {
    let rows = rows::list(&admin.pool, organization, filter, page.after, page.rows).await?;
    Ok(Listed::of(rows, Grant::from))
}

async fn list_own<P: Ports + 'static>(
    asker: Asker<P>,
    Wanted(filter): Wanted,
    page: Paging,
) -> Result<Listed<Grant>, Problem> {
    if filter.user.is_some() {
        return Err(Problem::bad_request("bad-query", "these are your own: user is not taken here"));
    }
    let filter = GrantFilter { user: Some(asker.user()?), ..filter };
    let rows = rows::list(&asker.admin.pool, asker.organization()?, filter, page.after, page.rows).await?;
    Ok(Listed::of(rows, Grant::from))
}

async fn revoke<P: Ports + 'static>(
    asker: Asker<P>,
    Path((organization, grant)): Within<GrantId>,
    Command { body: Nothing {}, order }: Command<Nothing>,
) -> Answered<Changed> {
    asker.change(order, &Revoke { organization, grant }).await
}

async fn take_back<P: Ports + 'static>(
    asker: Asker<P>,
    Path(grant): Path<GrantId>,
    Command { body: Nothing {}, order }: Command<Nothing>,
) -> Answered<Changed> {
    asker.change(order, &TakeBack { organization: asker.organization()?, grant }).await
}
