//! Organizations and their members.

use domain::organization::OrganizationEvent;
use domain::value::{DisplayName, OrganizationId, UserId};
use sqlx::{FromRow, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::mark::{Mark, changed, changing};
use super::page::{Cursor, Listed, Page};
use crate::projection::Poison;
use crate::recorded::Foldable;
use crate::rows::Table;
use crate::table;

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

/// A row of `members`, as it stands in the table.
#[derive(Debug, FromRow)]
pub(super) struct Membership {
    organization_id: Uuid,
    user_id: Uuid,
    role: String,
    created_at: OffsetDateTime,
    created_position: i64,
    updated_at: OffsetDateTime,
    updated_position: i64,
}

table!(OrganizationRow in "organizations" by Uuid = id;
    id, kind, slug, name, standing, standing_reason, created_at, created_position, updated_at, updated_position);
table!(Membership in "members" by (Uuid, Uuid) = organization_id, user_id;
    organization_id, user_id, role, created_at, created_position, updated_at, updated_position);
changing!(OrganizationRow, Membership);

/// The organizations and their members.
#[derive(Debug, Default)]
pub(super) struct Organizations {
    pub(super) table: Table<OrganizationRow>,
    pub(super) members: Table<Membership>,
}

impl Organizations {
    /// Notes which row an event is about.
    pub(super) fn want(&mut self, organization: Uuid, fact: &OrganizationEvent) {
        match fact {
            OrganizationEvent::MemberAdded { user, .. }
            | OrganizationEvent::RoleChanged { user, .. }
            | OrganizationEvent::MemberRemoved { user } => self.members.want((organization, user.uuid())),
            OrganizationEvent::Created { .. }
            | OrganizationEvent::Renamed { .. }
            | OrganizationEvent::SlugChanged { .. }
            | OrganizationEvent::Suspended { .. }
            | OrganizationEvent::Resumed {}
            | OrganizationEvent::Deleted {} => self.table.want(organization),
        }
    }

    fn stand(&mut self, mark: Mark, standing: &str, reason: Option<&DisplayName>) -> Result<(), Poison> {
        let row = changed(&mut self.table, &mark.id, mark)?;
        standing.clone_into(&mut row.standing);
        row.standing_reason = reason.map(|reason| reason.as_str().to_owned());
        Ok(())
    }
}

/// Folds one event about an organization.
pub(super) fn fold(
    organizations: &mut Organizations,
    event: &Foldable,
    fact: &OrganizationEvent,
) -> Result<(), Poison> {
    let mark = Mark::of(event)?;
    match fact {
        OrganizationEvent::Created { kind, slug, name } => organizations.table.make(OrganizationRow {
            id: mark.id,
            kind: kind.as_str().to_owned(),
            slug: slug.as_str().to_owned(),
            name: name.as_str().to_owned(),
            standing: "active".to_owned(),
            standing_reason: None,
            created_at: mark.at,
            created_position: mark.position,
            updated_at: mark.at,
            updated_position: mark.position,
        }),
        OrganizationEvent::Renamed { name } => {
            name.as_str().clone_into(&mut changed(&mut organizations.table, &mark.id, mark)?.name);
            Ok(())
        }
        OrganizationEvent::SlugChanged { slug } => {
            slug.as_str().clone_into(&mut changed(&mut organizations.table, &mark.id, mark)?.slug);
            Ok(())
        }
        OrganizationEvent::MemberAdded { user, role } => organizations.members.make(Membership {
            organization_id: mark.id,
            user_id: user.uuid(),
            role: role.as_str().to_owned(),
            created_at: mark.at,
            created_position: mark.position,
            updated_at: mark.at,
            updated_position: mark.position,
        }),
        OrganizationEvent::RoleChanged { user, role } => {
            let key = (mark.id, user.uuid());
            role.as_str().clone_into(&mut changed(&mut organizations.members, &key, mark)?.role);
            Ok(())
        }
        OrganizationEvent::MemberRemoved { user } => organizations.members.end(&(mark.id, user.uuid())),
        OrganizationEvent::Suspended { reason } => organizations.stand(mark, "suspended", Some(reason)),
        OrganizationEvent::Resumed {} => organizations.stand(mark, "active", None),
        OrganizationEvent::Deleted {} => organizations.stand(mark, "deleted", None),
    }
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
