//! Grants: which client may act in whose name, where, and what for. Revoked ones stay in the list.

use domain::grant::GrantEvent;
use domain::value::{ClientId, GrantId, OrganizationId, Scope, Scopes, UserId};
use sqlx::{FromRow, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::mark::{Mark, changed, changing, moment};
use super::page::{Cursor, Listed, Page};
use crate::projection::Poison;
use crate::recorded::Foldable;
use crate::rows::Table;
use crate::table;

/// A row of `grants`.
#[derive(Debug, Clone, FromRow)]
pub struct GrantRow {
    /// Its id.
    pub id: Uuid,
    /// Whose instance it is for.
    pub organization_id: Uuid,
    /// Who consented.
    pub user_id: Uuid,
    /// To which client.
    pub client_id: Uuid,
    /// Where.
    pub instance_id: Uuid,
    /// The most that its tokens may do.
    pub scopes: Vec<String>,
    /// When it ends by itself, if it does.
    pub expires_at: Option<OffsetDateTime>,
    /// `live` or `revoked`; one whose time is over is still `live`.
    pub standing: String,
    /// Why it was revoked, if it was, such as `by_user`.
    pub standing_reason: Option<String>,
    /// When it was revoked, if it was.
    pub ended_at: Option<OffsetDateTime>,
    /// When it was granted.
    pub created_at: OffsetDateTime,
    /// Position of the event that granted it.
    pub created_position: i64,
    /// When it changed last, or one of its tokens was revoked.
    pub updated_at: OffsetDateTime,
    /// Position of the event that changed it last.
    pub updated_position: i64,
}

impl Listed for GrantRow {
    fn created_position(&self) -> i64 {
        self.created_position
    }
}

table!(GrantRow in "grants" by Uuid = id;
    id, organization_id, user_id, client_id, instance_id, scopes, expires_at, standing, standing_reason, ended_at,
    created_at, created_position, updated_at, updated_position);
changing!(GrantRow);

/// Folds one event about a grant.
pub(super) fn fold(grants: &mut Table<GrantRow>, event: &Foldable, fact: &GrantEvent) -> Result<(), Poison> {
    let mark = Mark::of(event)?;
    match fact {
        GrantEvent::Granted { organization, user, client, instance, scopes, expires_at } => {
            grants.make(GrantRow {
                id: mark.id,
                organization_id: organization.uuid(),
                user_id: user.uuid(),
                client_id: client.uuid(),
                instance_id: instance.uuid(),
                scopes: names(scopes),
                expires_at: moment(*expires_at),
                standing: "live".to_owned(),
                standing_reason: None,
                ended_at: None,
                created_at: mark.at,
                created_position: mark.position,
                updated_at: mark.at,
                updated_position: mark.position,
            })?;
        }
        GrantEvent::ScopesChanged { scopes } => changed(grants, &mark.id, mark)?.scopes = names(scopes),
        GrantEvent::Revoked { reason } => {
            let grant = changed(grants, &mark.id, mark)?;
            "revoked".clone_into(&mut grant.standing);
            grant.standing_reason = Some(reason.as_str().to_owned());
            grant.ended_at = Some(mark.at);
        }
        // The listing shows no tokens: they are gone in minutes.
        GrantEvent::TokenRevoked { token: _, expires_at: _ } => {
            changed(grants, &mark.id, mark)?;
        }
    }
    Ok(())
}

fn names(scopes: &Scopes) -> Vec<String> {
    scopes.iter().map(Scope::to_string).collect()
}

/// Which grants are wanted: all that every part of it fits.
#[derive(Debug, Clone, Copy, Default)]
pub struct GrantFilter {
    /// What this user consented to.
    pub user: Option<UserId>,
    /// What this client may do.
    pub client: Option<ClientId>,
}

/// The grants at the instances of an organization, revoked ones too.
pub async fn list(
    pool: &PgPool,
    organization: OrganizationId,
    filter: GrantFilter,
    after: Cursor,
    rows: u32,
) -> Result<Page<GrantRow>, sqlx::Error> {
    let query = sqlx::query_as(
        "select * from grants where organization_id = $1 and ($2::uuid is null or user_id = $2)
         and ($3::uuid is null or client_id = $3) and created_position > $4 order by created_position limit $5",
    );
    let query = query.bind(organization.uuid()).bind(filter.user.map(UserId::uuid));
    Page::read(query.bind(filter.client.map(ClientId::uuid)), pool, after, rows).await
}

/// The live grants of a user, wherever they are for: for that user alone.
pub async fn live_of(
    pool: &PgPool,
    user: UserId,
    after: Cursor,
    rows: u32,
) -> Result<Page<GrantRow>, sqlx::Error> {
    let query = sqlx::query_as(
        "select * from grants where user_id = $1 and standing = 'live' and created_position > $2
         order by created_position limit $3",
    );
    Page::read(query.bind(user.uuid()), pool, after, rows).await
}

/// Whether somebody lets a client act for them anywhere.
pub async fn lets_act(pool: &PgPool, user: UserId, client: ClientId) -> Result<bool, sqlx::Error> {
    let query =
        "select exists (select from grants where user_id = $1 and client_id = $2 and standing = 'live')";
    sqlx::query_scalar(query).bind(user.uuid()).bind(client.uuid()).fetch_one(pool).await
}

/// One grant at an instance of an organization, revoked or not.
pub async fn by_id(
    pool: &PgPool,
    organization: OrganizationId,
    grant: GrantId,
) -> Result<Option<GrantRow>, sqlx::Error> {
    sqlx::query_as("select * from grants where organization_id = $1 and id = $2")
        .bind(organization.uuid())
        .bind(grant.uuid())
        .fetch_optional(pool)
        .await
}
