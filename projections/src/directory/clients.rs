//! OAuth clients: where they may send people and what they may be granted. Of a secret, only since when there is one.

use std::collections::BTreeSet;

use domain::client::{ClientEvent, ClientKind};
use domain::value::{ClientId, DisplayName, OrganizationId, RedirectUri, Scope, Scopes};
use sqlx::{FromRow, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::mark::{Mark, changed, changing, moment};
use super::page::{Cursor, Listed, Page};
use crate::projection::Poison;
use crate::recorded::Recorded;
use crate::rows::Table;
use crate::table;

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

table!(ClientRow in "clients" by Uuid = id;
    id, organization_id, name, kind, redirect_uris, scopes, registered_by, secret_set_at, previous_secret_until, standing, standing_reason,
    created_at, created_position, updated_at, updated_position);
changing!(ClientRow);

/// Folds one event about a client.
pub(super) fn fold(
    clients: &mut Table<ClientRow>,
    event: &Recorded,
    fact: &ClientEvent,
) -> Result<(), Poison> {
    let mark = Mark::of(event)?;
    let mut stand = |standing: &str, reason: Option<&DisplayName>| -> Result<(), Poison> {
        let client = changed(clients, &mark.id, mark)?;
        standing.clone_into(&mut client.standing);
        client.standing_reason = reason.map(|reason| reason.as_str().to_owned());
        Ok(())
    };
    match fact {
        ClientEvent::Registered {
            organization,
            client_id: _, // the aggregate's own id
            name,
            kind,
            redirect_uris,
            scopes,
            registered_by,
            authentication: _, // the authorization server reads these two, the listing does not show them
            grant_types: _,
        } => {
            let secret_set_at = match kind {
                ClientKind::Public => None,
                ClientKind::Confidential { secret: _ } => Some(mark.at),
            };
            clients.make(ClientRow {
                id: mark.id,
                organization_id: organization.uuid(),
                name: name.as_str().to_owned(),
                kind: kind.as_str().to_owned(),
                redirect_uris: addresses(redirect_uris),
                scopes: names(scopes),
                registered_by: registered_by.uuid(),
                secret_set_at,
                previous_secret_until: None,
                standing: "enabled".to_owned(),
                standing_reason: None,
                created_at: mark.at,
                created_position: mark.position,
                updated_at: mark.at,
                updated_position: mark.position,
            })
        }
        ClientEvent::Updated { name, redirect_uris, scopes } => {
            let client = changed(clients, &mark.id, mark)?;
            name.as_str().clone_into(&mut client.name);
            client.redirect_uris = addresses(redirect_uris);
            client.scopes = names(scopes);
            Ok(())
        }
        ClientEvent::SecretRotated { secret: _, previous_until } => {
            let client = changed(clients, &mark.id, mark)?;
            client.secret_set_at = Some(mark.at);
            client.previous_secret_until = moment(*previous_until);
            Ok(())
        }
        ClientEvent::Disabled { reason } => stand("disabled", Some(reason)),
        ClientEvent::Enabled {} => stand("enabled", None),
        ClientEvent::Deleted {} => stand("deleted", None),
        // The listing shows no tokens: they are gone in minutes.
        ClientEvent::TokenRevoked { token: _, expires_at: _ } => changed(clients, &mark.id, mark).map(|_| ()),
    }
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
