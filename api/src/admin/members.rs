//! `/v1/organizations/{organization}/members`: who belongs to an organization, and as what.

use axum::extract::State;
use commands::Ports;
use commands::organization::{RemoveMember, SetRole};
use domain::value::{OrganizationId, Role, Scope, UserId};
use http::Method;
use projections::directory::organizations::{self as rows, MemberRow};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use utoipa::openapi::schema::Object;
use uuid::Uuid;

use super::ask::{Answered, Asker, Found, Within, found};
use super::shapes::{Changed, Nothing, one_of};
use super::{Access, Admin, Area, Command, Listed, Paging, Path};
use crate::problem::Problem;

const ALL: &str = "/v1/organizations/{organization}/members";
const ONE: &str = "/v1/organizations/{organization}/members/{user}";

/// The routes.
pub(super) fn area<P: Ports + 'static>() -> Area<P> {
    let reads = || Access::Organization(Scope::OrgRead);
    let writes = || Access::Organization(Scope::OrgWrite);
    Area::new("Members", "Who belongs to an organization, and as what.")
        .list::<Listed<Member>, _, _>(
            ALL,
            reads(),
            "listMembers",
            "The members, in the order in which they came",
            list::<P>,
        )
        .read::<Member, _, _>(ONE, reads(), "getMember", "One member", get::<P>)
        .change::<NewRole, Changed, _, _>(
            Method::PUT,
            ONE,
            writes(),
            "setMember",
            "Take a user in whom this organization registered, or change what a member is",
            set::<P>,
        )
        .act::<Changed, _, _>(
            Method::DELETE,
            ONE,
            writes(),
            "removeMember",
            "Let a member go, or leave",
            remove::<P>,
        )
}

/// What a member is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewRole {
    /// The role, never above the caller's own.
    #[schema(schema_with = role)]
    role: Role,
}

fn role() -> Object {
    one_of(Role::ALL.map(|role| role.as_str()), "What a member is in the organization")
}

/// A member.
#[derive(Debug, Serialize, ToSchema)]
struct Member {
    /// The user's id.
    user: Uuid,
    /// Name shown to people; null when it is not known.
    #[schema(required)]
    name: Option<String>,
    /// E-mail address; null when it is not known.
    #[schema(required)]
    email: Option<String>,
    /// What the member is.
    #[schema(schema_with = role)]
    role: String,
    /// Since when they are a member.
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    /// When their role changed last.
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
}

impl From<MemberRow> for Member {
    fn from(row: MemberRow) -> Self {
        let MemberRow { user_id: user, name, email, role, created_at, updated_at, .. } = row;
        Self { user, name, email, role, created_at, updated_at }
    }
}

async fn list<P: Ports + 'static>(
    State(admin): State<Admin<P>>,
    Path(organization): Path<OrganizationId>,
    page: Paging,
) -> Result<Listed<Member>, Problem> {
    let rows = rows::members(&admin.pool, organization, page.after, page.rows).await?;
    Ok(Listed::of(rows, Member::from))
}

async fn get<P: Ports + 'static>(
    State(admin): State<Admin<P>>,
    Path((organization, user)): Within<UserId>,
) -> Found<Member> {
    found(rows::member(&admin.pool, organization, user).await?, "member", Member::from)
}

async fn set<P: Ports + 'static>(
    asker: Asker<P>,
    Path((organization, user)): Within<UserId>,
    Command { body: NewRole { role }, order }: Command<NewRole>,
) -> Answered<Changed> {
    asker.change(order, &SetRole { organization, user, role }).await
}

async fn remove<P: Ports + 'static>(
    asker: Asker<P>,
    Path((organization, user)): Within<UserId>,
    Command { body: Nothing {}, order }: Command<Nothing>,
) -> Answered<Changed> {
    asker.change(order, &RemoveMember { organization, user }).await
}
