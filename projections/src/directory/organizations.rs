//! Organizations and their members.

use domain::organization::OrganizationEvent;
use domain::value::OrganizationId;
use sqlx::{FromRow, PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::page::{Cursor, Page};
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
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// Position of the event that made it.
    pub created_position: i64,
}

/// A row of `members`.
#[derive(Debug, Clone, FromRow)]
pub struct MemberRow {
    /// Who.
    pub user_id: Uuid,
    /// As what.
    pub role: String,
    /// Since when.
    pub created_at: OffsetDateTime,
    /// Position of the event that made them a member.
    pub created_position: i64,
}

/// Folds one event about an organization.
pub(super) async fn fold(
    connection: &mut PgConnection,
    event: &Recorded,
    fact: &OrganizationEvent,
) -> Result<(), ProjectionError> {
    let id = OrganizationId::parse(&event.aggregate_id).map_err(|error| ProjectionError::Poison(error.to_string()))?;
    let id = id.uuid();
    let position = i64::try_from(event.position.get()).unwrap_or(i64::MAX);
    let query = match fact {
        OrganizationEvent::Created { kind, slug, name } => sqlx::query(
            "insert into organizations (id, kind, slug, name, standing, created_at, created_position) values ($1, $2, $3, $4, 'active', $5, $6)",
        )
        .bind(id)
        .bind(kind.as_str())
        .bind(slug.as_str())
        .bind(name.as_str())
        .bind(event.occurred_at.get())
        .bind(position),
        OrganizationEvent::Renamed { name } => {
            sqlx::query("update organizations set name = $2 where id = $1").bind(id).bind(name.as_str())
        }
        OrganizationEvent::SlugChanged { slug } => {
            sqlx::query("update organizations set slug = $2 where id = $1").bind(id).bind(slug.as_str())
        }
        OrganizationEvent::MemberAdded { user, role } => sqlx::query(
            "insert into members (organization_id, user_id, role, created_at, created_position) values ($1, $2, $3, $4, $5)",
        )
        .bind(id)
        .bind(user.uuid())
        .bind(role.as_str())
        .bind(event.occurred_at.get())
        .bind(position),
        OrganizationEvent::RoleChanged { user, role } => {
            sqlx::query("update members set role = $3 where organization_id = $1 and user_id = $2")
                .bind(id)
                .bind(user.uuid())
                .bind(role.as_str())
        }
        OrganizationEvent::MemberRemoved { user } => {
            sqlx::query("delete from members where organization_id = $1 and user_id = $2").bind(id).bind(user.uuid())
        }
        OrganizationEvent::Suspended { .. } => standing(id, "suspended"),
        OrganizationEvent::Resumed {} => standing(id, "active"),
        OrganizationEvent::Deleted {} => standing(id, "deleted"),
    };
    query.execute(connection).await?;
    Ok(())
}

fn standing(id: Uuid, standing: &str) -> sqlx::query::Query<'_, sqlx::Postgres, sqlx::postgres::PgArguments> {
    sqlx::query("update organizations set standing = $2 where id = $1").bind(id).bind(standing)
}

/// One organization, unless deleted.
pub async fn by_id(pool: &PgPool, organization: OrganizationId) -> Result<Option<OrganizationRow>, sqlx::Error> {
    sqlx::query_as("select * from organizations where id = $1 and standing <> 'deleted'")
        .bind(organization.uuid())
        .fetch_optional(pool)
        .await
}

/// The members of an organization, in the order in which they came.
pub async fn members(
    pool: &PgPool,
    organization: OrganizationId,
    after: Cursor,
    rows: u32,
) -> Result<Page<MemberRow>, sqlx::Error> {
    let found = sqlx::query_as(
        "select user_id, role, created_at, created_position from members
         where organization_id = $1 and created_position > $2 order by created_position limit $3",
    )
    .bind(organization.uuid())
    .bind(after.get())
    .bind(i64::from(rows) + 1)
    .fetch_all(pool)
    .await?;
    Ok(Page::of(found, rows, |row: &MemberRow| row.created_position))
}
