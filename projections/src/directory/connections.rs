//! Connections: for which server, whose, and which fields have a value. The values are in the vault.

use domain::connection::{ConnectionEvent, ConnectionOwner};
use domain::value::{ConnectionId, OrganizationId};
use sqlx::{FromRow, PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::mark::{Mark, write_one};
use super::page::{Cursor, Listed, Page};
use crate::projection::ProjectionError;
use crate::recorded::Recorded;

/// A row of `connections`.
#[derive(Debug, Clone, FromRow)]
pub struct ConnectionRow {
    /// Its id.
    pub id: Uuid,
    /// Where it belongs.
    pub organization_id: Uuid,
    /// The member whose own it is; `None` when the organization shares it.
    pub owner_user_id: Option<Uuid>,
    /// The server it connects to.
    pub server_id: Uuid,
    /// Its name.
    pub name: String,
    /// Which set of secrets is in force; `None` before there is one, and from the moment on at which the server moved to another origin.
    pub secrets_version: Option<i64>,
    /// The fields that have a value in it.
    pub secret_fields: Vec<String>,
    /// `open` or `removed`.
    pub standing: String,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// Position of the event that made it.
    pub created_position: i64,
    /// When it changed last.
    pub updated_at: OffsetDateTime,
    /// Position of the event that changed it last.
    pub updated_position: i64,
}

impl Listed for ConnectionRow {
    fn created_position(&self) -> i64 {
        self.created_position
    }
}

/// Folds one event about a connection.
pub(super) async fn fold(
    connection: &mut PgConnection,
    event: &Recorded,
    fact: &ConnectionEvent,
) -> Result<(), ProjectionError> {
    let mark = Mark::of(event)?;
    let statement = match fact {
        ConnectionEvent::Created { organization, owner, server, name } => {
            let owner = match owner {
                ConnectionOwner::Organization => None,
                ConnectionOwner::User(user) => Some(user.uuid()),
            };
            mark.query(
                "insert into connections (id, organization_id, owner_user_id, server_id, name, secret_fields, standing,
                                          created_at, created_position, updated_at, updated_position)
                 values ($1, $4, $5, $6, $7, '{}', 'open', $2, $3, $2, $3)",
            )
            .bind(organization.uuid())
            .bind(owner)
            .bind(server.uuid())
            .bind(name.as_str())
        }
        ConnectionEvent::Renamed { name } => mark
            .query("update connections set name = $4, updated_at = $2, updated_position = $3 where id = $1")
            .bind(name.as_str()),
        ConnectionEvent::SecretsSet { version, fields } => mark
            .query(
                "update connections set secrets_version = $4, secret_fields = $5, updated_at = $2, updated_position = $3 where id = $1",
            )
            .bind(i64::from(*version))
            .bind(fields.iter().map(|field| field.as_str().to_owned()).collect::<Vec<_>>()),
        ConnectionEvent::Removed {} => mark.query(
            "update connections set standing = 'removed', secrets_version = null, secret_fields = '{}', updated_at = $2, updated_position = $3
             where id = $1",
        ),
    };
    write_one(connection, statement).await
}

/// The server of these connections moved to another origin: secrets that were set before count as not set, as they do for the gateway.
pub(super) async fn forget_secrets_for(
    connection: &mut PgConnection,
    server: Mark,
) -> Result<(), ProjectionError> {
    let statement = server.query(
        "update connections set secrets_version = null, secret_fields = '{}', updated_at = $2, updated_position = $3
         where server_id = $1 and secrets_version is not null",
    );
    statement.execute(connection).await?;
    Ok(())
}

/// The connections of an organization, shared and its members' own, unless removed.
pub async fn list(
    pool: &PgPool,
    organization: OrganizationId,
    after: Cursor,
    rows: u32,
) -> Result<Page<ConnectionRow>, sqlx::Error> {
    let query = sqlx::query_as(
        "select * from connections where organization_id = $1 and standing <> 'removed' and created_position > $2
         order by created_position limit $3",
    );
    Page::read(query.bind(organization.uuid()), pool, after, rows).await
}

/// One connection of an organization, unless removed.
pub async fn by_id(
    pool: &PgPool,
    organization: OrganizationId,
    connection: ConnectionId,
) -> Result<Option<ConnectionRow>, sqlx::Error> {
    sqlx::query_as(
        "select * from connections where organization_id = $1 and id = $2 and standing <> 'removed'",
    )
    .bind(organization.uuid())
    .bind(connection.uuid())
    .fetch_optional(pool)
    .await
}
