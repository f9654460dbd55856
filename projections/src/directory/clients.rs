//! OAuth clients: where they may send people and what they may be granted. Of a secret, only since when there is one.

use std::collections::BTreeSet;

use domain::client::{ClientAuthentication, ClientEnd, ClientEvent, ClientKind, GrantType};
use domain::value::{ClientId, ClientKeys, DisplayName, OrganizationId, RedirectUri, Scope, Scopes, UserId};
use sqlx::{FromRow, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::mark::{Mark, changed, changing, moment};
use super::page::{Cursor, Listed, Page};
use crate::projection::Poison;
use crate::recorded::Foldable;
use crate::rows::Table;
use crate::table;

/// A row of `clients`.
#[derive(Debug, Clone, FromRow)]
pub struct ClientRow {
    /// Its id; as text the `client_id` of OAuth.
    pub id: Uuid,
    /// Whose it is; `None` for one that registered itself where anybody may.
    pub organization_id: Option<Uuid>,
    /// Its name.
    pub name: String,
    /// `public` or `confidential`.
    pub kind: String,
    /// Where browsers may be sent back to.
    pub redirect_uris: Vec<String>,
    /// The most it can be granted.
    pub scopes: Vec<String>,
    /// The user who registered it, or who gave it leave to register itself; `None` where it took none.
    pub registered_by: Option<Uuid>,
    /// Whether it registered itself.
    pub self_registered: bool,
    /// How it proves itself, as OAuth names it; `none` for a public one.
    pub authentication: String,
    /// By which grants it gets tokens.
    pub grant_types: Vec<String>,
    /// The names of the keys that it sent, where it did.
    pub key_ids: Vec<String>,
    /// Where it publishes its keys, where it does.
    pub keys_url: Option<String>,
    /// Since when it has its current secret; `None` for a public one.
    pub secret_set_at: Option<OffsetDateTime>,
    /// How long the secret before that still works, if it does.
    pub previous_secret_until: Option<OffsetDateTime>,
    /// `enabled`, `disabled` or `deleted`.
    pub standing: String,
    /// Why it is disabled, while it is, or gone, unless somebody who answers for it ended it.
    pub standing_reason: Option<String>,
    /// Where its document is, where its identifier is that.
    pub document: Option<String>,
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
    id, organization_id, name, kind, redirect_uris, scopes, registered_by, self_registered, authentication, grant_types, key_ids, keys_url, secret_set_at, previous_secret_until, standing, standing_reason, document,
    created_at, created_position, updated_at, updated_position);
changing!(ClientRow);

/// Folds one event about a client.
pub(super) fn fold(
    clients: &mut Table<ClientRow>,
    event: &Foldable,
    fact: &ClientEvent,
) -> Result<(), Poison> {
    let mark = Mark::of(event)?;
    let mut stand = |standing: &str, reason: Option<&str>| -> Result<(), Poison> {
        let client = changed(clients, &mark.id, mark)?;
        standing.clone_into(&mut client.standing);
        client.standing_reason = reason.map(str::to_owned);
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
            authentication,
            grant_types,
        } => {
            let by_default =
                || GrantType::by_default(!matches!(kind, ClientKind::Public), !redirect_uris.is_empty());
            let row = ClientRow::new(mark, name, kind, *authentication, redirect_uris, scopes);
            clients.make(ClientRow {
                organization_id: Some(organization.uuid()),
                registered_by: Some(registered_by.uuid()),
                grant_types: grants(&grant_types.clone().unwrap_or_else(by_default)),
                ..row
            })
        }
        ClientEvent::SelfRegistered {
            organization,
            client_id: _, // as above
            name,
            kind,
            redirect_uris,
            scopes,
            registered_by,
            authentication,
            grant_types,
            registration_token: _, // the listing shows no secrets
            about: _,              // it says that to whoever reads its registration
            at: _,                 // the event's own moment
        } => {
            let row = ClientRow::new(mark, name, kind, *authentication, redirect_uris, scopes);
            clients.make(ClientRow {
                organization_id: organization.map(OrganizationId::uuid),
                registered_by: registered_by.map(UserId::uuid),
                self_registered: true,
                grant_types: grants(grant_types),
                ..row
            })
        }
        ClientEvent::SelfDescribed { name, redirect_uris, scopes, grant_types, about: _ } => {
            let client = changed(clients, &mark.id, mark)?;
            name.as_str().clone_into(&mut client.name);
            client.redirect_uris = addresses(redirect_uris);
            client.scopes = names(scopes);
            client.grant_types = grants(grant_types);
            Ok(())
        }
        ClientEvent::DocumentSeen { url, name, kind, redirect_uris, scopes, grant_types } => {
            let row = ClientRow::new(mark, name, kind, None, redirect_uris, scopes);
            let document = Some(url.as_str().to_owned());
            see(clients, mark, ClientRow { document, grant_types: grants(grant_types), ..row })
        }
        ClientEvent::KeysReplaced { keys } => {
            let client = changed(clients, &mark.id, mark)?;
            (client.key_ids, client.keys_url) = (key_ids(keys), None);
            Ok(())
        }
        ClientEvent::KeysPublished { keys } => {
            let client = changed(clients, &mark.id, mark)?;
            (client.key_ids, client.keys_url) = (Vec::new(), Some(keys.url.as_str().to_owned()));
            Ok(())
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
        ClientEvent::Disabled { reason } => stand("disabled", Some(reason.as_str())),
        ClientEvent::Enabled {} => stand("enabled", None),
        ClientEvent::Deleted { reason } => stand("deleted", reason.map(ClientEnd::as_str)),
        // The listing shows neither tokens, which are gone in minutes, nor who let a client act: grants tell that. Who manages it, the history tells.
        ClientEvent::TokenRevoked { token: _, expires_at: _ }
        | ClientEvent::FirstUsed {}
        | ClientEvent::RegistrationTokenRevoked {} => changed(clients, &mark.id, mark).map(|_| ()),
    }
}

/// The first document that somebody saw makes the row; each further one describes it anew.
fn see(clients: &mut Table<ClientRow>, mark: Mark, seen: ClientRow) -> Result<(), Poison> {
    if clients.get(&mark.id).is_none() {
        return clients.make(seen);
    }
    let client = changed(clients, &mark.id, mark)?;
    let (standing, standing_reason) = (client.standing.clone(), client.standing_reason.take());
    let (created_at, created_position) = (client.created_at, client.created_position);
    *client = ClientRow { standing, standing_reason, created_at, created_position, ..seen };
    Ok(())
}

impl ClientRow {
    /// A row of nobody's yet.
    fn new(
        mark: Mark,
        name: &DisplayName,
        kind: &ClientKind,
        authentication: Option<ClientAuthentication>,
        redirect_uris: &BTreeSet<RedirectUri>,
        scopes: &Scopes,
    ) -> Self {
        let (secret_set_at, key_ids, keys_url) = match kind {
            ClientKind::Public => (None, Vec::new(), None),
            ClientKind::Confidential { secret: _ } => (Some(mark.at), Vec::new(), None),
            ClientKind::Keyed { keys } => (None, key_ids(keys), None),
            ClientKind::Publishing { keys } => (None, Vec::new(), Some(keys.url.as_str().to_owned())),
        };
        Self {
            id: mark.id,
            organization_id: None,
            name: name.as_str().to_owned(),
            kind: kind.as_str().to_owned(),
            redirect_uris: addresses(redirect_uris),
            scopes: names(scopes),
            registered_by: None,
            self_registered: false,
            authentication: kind
                .authentication(authentication)
                .map_or("none", ClientAuthentication::as_str)
                .to_owned(),
            grant_types: Vec::new(),
            key_ids,
            keys_url,
            secret_set_at,
            previous_secret_until: None,
            standing: "enabled".to_owned(),
            standing_reason: None,
            document: None,
            created_at: mark.at,
            created_position: mark.position,
            updated_at: mark.at,
            updated_position: mark.position,
        }
    }
}

fn grants(grant_types: &BTreeSet<GrantType>) -> Vec<String> {
    grant_types.iter().map(|grant_type| grant_type.as_str().to_owned()).collect()
}

fn key_ids(keys: &ClientKeys) -> Vec<String> {
    keys.iter().map(|key| key.kid.as_str().to_owned()).collect()
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

/// The clients of nobody in particular, unless deleted. For administrators of the deployment.
pub async fn list_of_nobody(pool: &PgPool, after: Cursor, rows: u32) -> Result<Page<ClientRow>, sqlx::Error> {
    let query = sqlx::query_as(
        "select * from clients where organization_id is null and standing <> 'deleted' and created_position > $1
         order by created_position limit $2",
    );
    Page::read(query, pool, after, rows).await
}

/// One client of nobody in particular, unless deleted. For administrators of the deployment.
pub async fn of_nobody_by_id(pool: &PgPool, client: ClientId) -> Result<Option<ClientRow>, sqlx::Error> {
    sqlx::query_as(
        "select * from clients where organization_id is null and id = $1 and standing <> 'deleted'",
    )
    .bind(client.uuid())
    .fetch_optional(pool)
    .await
}
