//! API keys: what they may do and whether they still may, never what they are made of. Revoked keys stay in the list.

use domain::api_key::ApiKeyEvent;
use domain::value::{ApiKeyId, InstanceId, OrganizationId, Scope};
use sqlx::{FromRow, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::mark::{Mark, changed, changing, moment};
use super::page::{Cursor, Listed, Page};
use crate::projection::Poison;
use crate::recorded::Foldable;
use crate::rows::Table;
use crate::table;

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

table!(ApiKeyRow in "api_keys" by Uuid = id;
    id, organization_id, key_id, name, principal_id, instance_id, scopes, environment, expires_at, standing, standing_reason, revoked_at,
    created_at, created_position, updated_at, updated_position);
changing!(ApiKeyRow);

/// Folds one event about an API key.
pub(super) fn fold(keys: &mut Table<ApiKeyRow>, event: &Foldable, fact: &ApiKeyEvent) -> Result<(), Poison> {
    let mark = Mark::of(event)?;
    match fact {
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
        } => keys.make(ApiKeyRow {
            id: mark.id,
            organization_id: organization.uuid(),
            key_id: key_id.as_str().to_owned(),
            name: name.as_str().to_owned(),
            principal_id: principal.uuid(),
            instance_id: instance.map(InstanceId::uuid),
            scopes: scopes.iter().map(Scope::to_string).collect(),
            environment: environment.as_str().to_owned(),
            expires_at: moment(*expires_at),
            standing: "active".to_owned(),
            standing_reason: None,
            revoked_at: None,
            created_at: mark.at,
            created_position: mark.position,
            updated_at: mark.at,
            updated_position: mark.position,
        })?,
        ApiKeyEvent::Renamed { name } => {
            name.as_str().clone_into(&mut changed(keys, &mark.id, mark)?.name);
        }
        ApiKeyEvent::Revoked { reason } => {
            let key = changed(keys, &mark.id, mark)?;
            "revoked".clone_into(&mut key.standing);
            key.standing_reason = Some(reason.as_str().to_owned());
            key.revoked_at = Some(mark.at);
        }
    }
    Ok(())
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
