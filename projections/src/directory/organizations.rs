//! Organizations and their members.

use domain::organization::OrganizationEvent;
use domain::value::{OrganizationId, UserId};
use sqlx::{FromRow, PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::mark::{Mark, write_one};
use super::page::{Cursor, Listed, Page};
use crate::projection::ProjectionError;
use crate::recorded::Recorded;

/// A row of `organizations`.
#[derive(Debug, Clone, FromRow)]
pub struct OrganizationRow {
    /// Its id.
    pub id: Uuid,
    /// `personal` or `team`.
    pub kind: String,
    /// Its slug.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// `active`, `suspended` or `deleted`.
    pub standing: String,
    /// Why it is suspended, while it is.
    pub standing_reason: Option<String>,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// Position of the event that made it.
    pub created_position: i64,
    /// When it changed last.
    pub updated_at: OffsetDateTime,
    /// Position of the event that changed it last.
    pub updated_position: i64,
}

/// A row of `members`, with what is shown of the person.
#[derive(Debug, Clone, FromRow)]
pub struct MemberRow {
    /// Who.
    pub user_id: Uuid,
    /// Their address, where it is known.
    pub email: Option<String>,
    /// Their name, where it is known.
    pub name: Option<String>,
    /// As what.
    pub role: String,
    /// Since when.
    pub created_at: OffsetDateTime,
    /// Position of the event that made them a member.
    pub created_position: i64,
    /// When their role changed last.
    pub updated_at: OffsetDateTime,
    /// Position of the event that changed it last.
    pub updated_position: i64,
}

impl Listed for OrganizationRow {
    fn created_position(&self) -> i64 {
        self.created_position
    }
}

impl Listed for MemberRow {
    fn created_position(&self) -> i64 {
        self.created_position
    }
}

/// Folds one event about an organization.
pub(super) async fn fold(
    connection: &mut PgConnection,
    event: &Recorded,
    fact: &OrganizationEvent,
) -> Result<(), ProjectionError> {
    let mark = Mark::of(event)?;
    let standing = |standing: &'static str, reason| {
        mark.query(
            "update organizations set standing = $4, standing_reason = $5, updated_at = $2, updated_position = $3 where id = $1",
        )
        .bind(standing)
        .bind(reason)
    };
    let statement = match fact {
        OrganizationEvent::Created { kind, slug, name } => mark
            .query(
                "insert into organizations (id, kind, slug, name, standing, created_at, created_position, updated_at, updated_position)
                 values ($1, $4, $5, $6, 'active', $2, $3, $2, $3)",
            )
            .bind(kind.as_str())
            .bind(slug.as_str())
            .bind(name.as_str()),
        OrganizationEvent::Renamed { name } => mark
            .query("update organizations set name = $4, updated_at = $2, updated_position = $3 where id = $1")
            .bind(name.as_str()),
        OrganizationEvent::SlugChanged { slug } => mark
            .query("update organizations set slug = $4, updated_at = $2, updated_position = $3 where id = $1")
            .bind(slug.as_str()),
        OrganizationEvent::MemberAdded { user, role } => mark
            .query(
                "insert into members (organization_id, user_id, role, created_at, created_position, updated_at, updated_position)
                 values ($1, $4, $5, $2, $3, $2, $3)",
            )
            .bind(user.uuid())
            .bind(role.as_str()),
        OrganizationEvent::RoleChanged { user, role } => mark
            .query(
                "update members set role = $5, updated_at = $2, updated_position = $3 where organization_id = $1 and user_id = $4",
            )
            .bind(user.uuid())
            .bind(role.as_str()),
        OrganizationEvent::MemberRemoved { user } => {
            mark.query("delete from members where organization_id = $1 and user_id = $4").bind(user.uuid())
        }
        OrganizationEvent::Suspended { reason } => standing("suspended", Some(reason.as_str())),
        OrganizationEvent::Resumed {} => standing("active", None),
        OrganizationEvent::Deleted {} => standing("deleted", None),
    };
    write_one(connection, statement).await
}

/// One organization, unless deleted.
pub async fn by_id(
    pool: &PgPool,
    organization: OrganizationId,
) -> Result<Option<OrganizationRow>, sqlx::Error> {
    sqlx::query_as("select * from organizations where id = $1 and standing <> 'deleted'")
        .bind(organization.uuid())
        .fetch_optional(pool)
        .await
}

/// The organizations that a user is a member of.
pub async fn list_for_user(
    pool: &PgPool,
    user: UserId,
    after: Cursor,
    rows: u32,
) -> Result<Page<OrganizationRow>, sqlx::Error> {
    let query = sqlx::query_as(
        "select o.* from organizations o join members m on m.organization_id = o.id
         where m.user_id = $1 and o.standing <> 'deleted' and o.created_position > $2 order by o.created_position limit $3",
    );
    Page::read(query.bind(user.uuid()), pool, after, rows).await
}

/// Every organization of the deployment: for its administrators only.
pub async fn list_all(pool: &PgPool, after: Cursor, rows: u32) -> Result<Page<OrganizationRow>, sqlx::Error> {
    let query = sqlx::query_as(
        "select * from organizations where standing <> 'deleted' and created_position > $1 order by created_position limit $2",
    );
    Page::read(query, pool, after, rows).await
}

/// The members of an organization, in the order in which they came.
pub async fn members(
    pool: &PgPool,
    organization: OrganizationId,
    after: Cursor,
    rows: u32,
) -> Result<Page<MemberRow>, sqlx::Error> {
    let query = sqlx::query_as(
        "select m.*, u.email, u.name from members m left join users u on u.id = m.user_id
         where m.organization_id = $1 and m.created_position > $2 order by m.created_position limit $3",
    );
    Page::read(query.bind(organization.uuid()), pool, after, rows).await
}

/// One member of an organization.
pub async fn member(
    pool: &PgPool,
    organization: OrganizationId,
    user: UserId,
) -> Result<Option<MemberRow>, sqlx::Error> {
    sqlx::query_as(
        "select m.*, u.email, u.name from members m left join users u on u.id = m.user_id
         where m.organization_id = $1 and m.user_id = $2",
    )
    .bind(organization.uuid())
    .bind(user.uuid())
    .fetch_optional(pool)
    .await
}
