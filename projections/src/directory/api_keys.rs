//! API keys: what they may do and whether they still may, never what they are made of. Revoked keys stay in the list.

use domain::api_key::ApiKeyEvent;
use domain::value::{ApiKeyId, InstanceId, OrganizationId, Scope, Timestamp};
use sqlx::{FromRow, PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::mark::{Mark, write_one};
use super::page::{Cursor, Listed, Page};
use crate::projection::ProjectionError;
use crate::recorded::Recorded;

/// A row of `api_keys`.
#[derive(Debug, Clone, FromRow)]
pub struct ApiKeyRow {
    /// Its id.
    pub id: Uuid,
    /// Whose it is.
    pub organization_id: Uuid,
    /// Its public part.
    pub key_id: String,
    /// Its name.
    pub name: String,
    /// The user in whose name it calls.
    pub principal_id: Uuid,
    /// The only instance it opens; `None` when it is not bound to one.
    pub instance_id: Option<Uuid>,
    /// What it may do.
    pub scopes: Vec<String>,
    /// `live` or `test`.
    pub environment: String,
    /// When it stops by itself, if it does.
    pub expires_at: Option<OffsetDateTime>,
    /// `active` or `revoked`; a key whose time is over is still `active`.
    pub standing: String,
    /// Why it was revoked, if it was.
    pub standing_reason: Option<String>,
    /// When it was revoked, if it was.
    pub revoked_at: Option<OffsetDateTime>,
    /// When it was issued.
    pub created_at: OffsetDateTime,
    /// Position of the event that issued it.
    pub created_position: i64,
    /// When it changed last.
    pub updated_at: OffsetDateTime,
    /// Position of the event that changed it last.
    pub updated_position: i64,
}

impl Listed for ApiKeyRow {
    fn created_position(&self) -> i64 {
        self.created_position
    }
}

/// Folds one event about an API key.
pub(super) async fn fold(
    connection: &mut PgConnection,
    event: &Recorded,
    fact: &ApiKeyEvent,
) -> Result<(), ProjectionError> {
    let mark = Mark::of(event)?;
    let statement = match fact {
        ApiKeyEvent::Issued {
            organization,
            key_id,
            name,
            principal,
            issued_by: _, // the audit tells, the listing does not
            instance,
            scopes,
            digest: _, // a listing has no use for it
            expires_at,
            environment,
        } => mark
            .query(
                "insert into api_keys (id, organization_id, key_id, name, principal_id, instance_id, scopes, environment, expires_at, standing,
                                       created_at, created_position, updated_at, updated_position)
                 values ($1, $4, $5, $6, $7, $8, $9, $10, $11, 'active', $2, $3, $2, $3)",
            )
            .bind(organization.uuid())
            .bind(key_id.as_str())
            .bind(name.as_str())
            .bind(principal.uuid())
            .bind(instance.map(InstanceId::uuid))
            .bind(scopes.iter().map(Scope::to_string).collect::<Vec<_>>())
            .bind(environment.as_str())
            .bind(expires_at.map(Timestamp::get)),
        ApiKeyEvent::Renamed { name } => mark
            .query("update api_keys set name = $4, updated_at = $2, updated_position = $3 where id = $1")
            .bind(name.as_str()),
        ApiKeyEvent::Revoked { reason } => mark
            .query(
                "update api_keys set standing = 'revoked', standing_reason = $4, revoked_at = $2, updated_at = $2, updated_position = $3
                 where id = $1",
            )
            .bind(reason.as_str()),
    };
    write_one(connection, statement).await
}

/// The keys of an organization, revoked ones too.
pub async fn list(
    pool: &PgPool,
    organization: OrganizationId,
    after: Cursor,
    rows: u32,
) -> Result<Page<ApiKeyRow>, sqlx::Error> {
    let query = sqlx::query_as(
        "select * from api_keys where organization_id = $1 and created_position > $2 order by created_position limit $3",
    );
    Page::read(query.bind(organization.uuid()), pool, after, rows).await
}

/// One key of an organization, revoked or not.
pub async fn by_id(
    pool: &PgPool,
    organization: OrganizationId,
    key: ApiKeyId,
) -> Result<Option<ApiKeyRow>, sqlx::Error> {
    sqlx::query_as("select * from api_keys where organization_id = $1 and id = $2")
        .bind(organization.uuid())
        .bind(key.uuid())
        .fetch_optional(pool)
        .await
}
