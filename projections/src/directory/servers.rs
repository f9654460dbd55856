//! Upstream servers: an organization's own, and the deployment's catalogue.

use domain::server::{ServerEvent, Transport};
use domain::value::{CredentialField, OrganizationId, ServerId};
use sqlx::types::Json;
use sqlx::{FromRow, PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::connections;
use super::mark::{Mark, write_one};
use super::page::{Cursor, Listed, Page};
use crate::projection::ProjectionError;
use crate::recorded::Recorded;

/// A row of `servers`.
#[derive(Debug, Clone, FromRow)]
pub struct ServerRow {
    /// Its id.
    pub id: Uuid,
    /// Whose it is; `None` for the deployment's catalogue.
    pub organization_id: Option<Uuid>,
    /// Its name.
    pub name: String,
    /// How it is reached.
    #[sqlx(json)]
    pub transport: Transport,
    /// What it needs to be told on every call.
    #[sqlx(json)]
    pub credential_fields: Vec<CredentialField>,
    /// `private`, `organization` or `public`.
    pub visibility: String,
    /// `offered` or `retired`.
    pub standing: String,
    /// When it was registered.
    pub created_at: OffsetDateTime,
    /// Position of the event that registered it.
    pub created_position: i64,
    /// When it changed last.
    pub updated_at: OffsetDateTime,
    /// Position of the event that changed it last.
    pub updated_position: i64,
}

impl Listed for ServerRow {
    fn created_position(&self) -> i64 {
        self.created_position
    }
}

/// Folds one event about a server.
pub(super) async fn fold(
    connection: &mut PgConnection,
    event: &Recorded,
    fact: &ServerEvent,
) -> Result<(), ProjectionError> {
    let mark = Mark::of(event)?;
    if let ServerEvent::Updated { transport, .. } = fact
        && let Some(before) = transport_of(connection, mark).await?
        && !transport.is_at_origin_of(&before)
    {
        connections::forget_secrets_for(connection, mark).await?;
    }
    let statement = match fact {
        ServerEvent::Registered { organization, name, transport, credential_fields, visibility } => mark
            .query(
                "insert into servers (id, organization_id, name, transport, credential_fields, visibility, standing,
                                      created_at, created_position, updated_at, updated_position)
                 values ($1, $4, $5, $6, $7, $8, 'offered', $2, $3, $2, $3)",
            )
            .bind(organization.map(OrganizationId::uuid))
            .bind(name.as_str())
            .bind(Json(transport))
            .bind(Json(credential_fields))
            .bind(visibility.as_str()),
        ServerEvent::Updated { name, transport, credential_fields, visibility } => mark
            .query(
                "update servers set name = $4, transport = $5, credential_fields = $6, visibility = $7, updated_at = $2, updated_position = $3
                 where id = $1",
            )
            .bind(name.as_str())
            .bind(Json(transport))
            .bind(Json(credential_fields))
            .bind(visibility.as_str()),
        ServerEvent::Retired {} => mark
            .query("update servers set standing = 'retired', updated_at = $2, updated_position = $3 where id = $1"),
    };
    write_one(connection, statement).await
}

async fn transport_of(connection: &mut PgConnection, mark: Mark) -> Result<Option<Transport>, sqlx::Error> {
    let query = sqlx::query_scalar("select transport from servers where id = $1").bind(mark.id());
    let transport: Option<Json<Transport>> = query.fetch_optional(connection).await?;
    Ok(transport.map(|Json(transport)| transport))
}

/// Which of an organization's own servers somebody sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// Also the private ones: owners and admins.
    All,
    /// Those for everybody in the organization.
    Shared,
}

/// What an organization may connect to: its own servers and the public ones, unless retired.
pub async fn list(
    pool: &PgPool,
    organization: OrganizationId,
    seen: Seen,
    after: Cursor,
    rows: u32,
) -> Result<Page<ServerRow>, sqlx::Error> {
    let query = sqlx::query_as(
        "select * from servers where (organization_id = $1 or visibility = 'public') and ($2 or visibility <> 'private')
         and standing <> 'retired' and created_position > $3 order by created_position limit $4",
    );
    Page::read(query.bind(organization.uuid()).bind(seen == Seen::All), pool, after, rows).await
}

/// One server that an organization may connect to, unless retired.
pub async fn by_id(
    pool: &PgPool,
    organization: OrganizationId,
    seen: Seen,
    server: ServerId,
) -> Result<Option<ServerRow>, sqlx::Error> {
    sqlx::query_as(
        "select * from servers where (organization_id = $1 or visibility = 'public') and ($2 or visibility <> 'private')
         and id = $3 and standing <> 'retired'",
    )
    .bind(organization.uuid())
    .bind(seen == Seen::All)
    .bind(server.uuid())
    .fetch_optional(pool)
    .await
}

/// The deployment's catalogue, also what is not public in it, unless retired: for administrators only.
pub async fn catalogue(pool: &PgPool, after: Cursor, rows: u32) -> Result<Page<ServerRow>, sqlx::Error> {
    let query = sqlx::query_as(
        "select * from servers where organization_id is null and standing <> 'retired' and created_position > $1
         order by created_position limit $2",
    );
    Page::read(query, pool, after, rows).await
}
