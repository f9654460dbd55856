//! OAuth clients: where they may send people and what they may be granted. Of a secret, only since when there is one.

use std::collections::BTreeSet;

use domain::client::{ClientEvent, ClientKind};
use domain::value::{ClientId, OrganizationId, RedirectUri, Scope, Scopes, Timestamp};
use sqlx::{FromRow, PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::mark::{Mark, write_one};
use super::page::{Cursor, Listed, Page};
use crate::projection::ProjectionError;
use crate::recorded::Recorded;

/// A row of `clients`.
#[derive(Debug, Clone, FromRow)]
pub struct ClientRow {
    /// Its id; as text the `client_id` of OAuth.
    pub id: Uuid,
    /// Whose it is.
    pub organization_id: Uuid,
    /// Its name.
    pub name: String,
    /// `public` or `confidential`.
    pub kind: String,
    /// Where browsers may be sent back to.
    pub redirect_uris: Vec<String>,
    /// The most it can be granted.
    pub scopes: Vec<String>,
    /// The user who registered it.
    pub registered_by: Uuid,
    /// Since when it has its current secret; `None` for a public one.
    pub secret_set_at: Option<OffsetDateTime>,
    /// How long the secret before that still works, if it does.
    pub previous_secret_until: Option<OffsetDateTime>,
    /// `enabled`, `disabled` or `deleted`.
    pub standing: String,
    /// Why it is disabled, while it is.
    pub standing_reason: Option<String>,
    /// When it was registered.
    pub created_at: OffsetDateTime,
    /// Position of the event that registered it.
    pub created_position: i64,
    /// When it changed last.
    pub updated_at: OffsetDateTime,
    /// Position of the event that changed it last.
    pub updated_position: i64,
}

impl Listed for ClientRow {
    fn created_position(&self) -> i64 {
        self.created_position
    }
}

/// Folds one event about a client.
pub(super) async fn fold(
    connection: &mut PgConnection,
    event: &Recorded,
    fact: &ClientEvent,
) -> Result<(), ProjectionError> {
    let mark = Mark::of(event)?;
    let standing = |standing: &'static str, reason| {
        mark.query(
            "update clients set standing = $4, standing_reason = $5, updated_at = $2, updated_position = $3 where id = $1",
        )
        .bind(standing)
        .bind(reason)
    };
    let statement = match fact {
        ClientEvent::Registered {
            organization,
            client_id: _, // the aggregate's own id
            name,
            kind,
            redirect_uris,
            scopes,
            registered_by,
        } => {
            let secret_set_at = match kind {
                ClientKind::Public => None,
                ClientKind::Confidential { secret: _ } => Some(event.occurred_at.get()),
            };
            mark.query(
                "insert into clients (id, organization_id, name, kind, redirect_uris, scopes, registered_by, secret_set_at, standing,
                                      created_at, created_position, updated_at, updated_position)
                 values ($1, $4, $5, $6, $7, $8, $9, $10, 'enabled', $2, $3, $2, $3)",
            )
            .bind(organization.uuid())
            .bind(name.as_str())
            .bind(kind.as_str())
            .bind(addresses(redirect_uris))
            .bind(names(scopes))
            .bind(registered_by.uuid())
            .bind(secret_set_at)
        }
        ClientEvent::Updated { name, redirect_uris, scopes } => mark
            .query(
                "update clients set name = $4, redirect_uris = $5, scopes = $6, updated_at = $2, updated_position = $3 where id = $1",
            )
            .bind(name.as_str())
            .bind(addresses(redirect_uris))
            .bind(names(scopes)),
        ClientEvent::SecretRotated { secret: _, previous_until } => mark
            .query(
                "update clients set secret_set_at = $2, previous_secret_until = $4, updated_at = $2, updated_position = $3 where id = $1",
            )
            .bind(previous_until.map(Timestamp::get)),
        ClientEvent::Disabled { reason } => standing("disabled", Some(reason.as_str())),
        ClientEvent::Enabled {} => standing("enabled", None),
        ClientEvent::Deleted {} => standing("deleted", None),
    };
    write_one(connection, statement).await
}

fn addresses(uris: &BTreeSet<RedirectUri>) -> Vec<String> {
    uris.iter().map(|uri| uri.as_str().to_owned()).collect()
}

fn names(scopes: &Scopes) -> Vec<String> {
    scopes.iter().map(Scope::to_string).collect()
}

/// The clients of an organization, unless deleted.
pub async fn list(
    pool: &PgPool,
    organization: OrganizationId,
    after: Cursor,
    rows: u32,
) -> Result<Page<ClientRow>, sqlx::Error> {
    let query = sqlx::query_as(
        "select * from clients where organization_id = $1 and standing <> 'deleted' and created_position > $2
         order by created_position limit $3",
    );
    Page::read(query.bind(organization.uuid()), pool, after, rows).await
}

/// One client of an organization, unless deleted.
pub async fn by_id(
    pool: &PgPool,
    organization: OrganizationId,
    client: ClientId,
) -> Result<Option<ClientRow>, sqlx::Error> {
    sqlx::query_as("select * from clients where organization_id = $1 and id = $2 and standing <> 'deleted'")
        .bind(organization.uuid())
        .bind(client.uuid())
        .fetch_optional(pool)
        .await
}
