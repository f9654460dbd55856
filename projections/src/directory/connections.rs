//! Connections: for which server, whose, and which fields have a value. The values are in the vault.

use std::collections::{BTreeSet, HashMap};

use domain::connection::{AuthorizationEnd, ConnectionEvent, ConnectionOwner};
use domain::server::UpstreamGrant;
use domain::value::{
    AuthorizationId, AuthorizationServer, ConnectionId, OrganizationId, ProviderScope, Timestamp, UserId,
};
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::mark::{Mark, changed, changing};
use super::page::{Cursor, Listed, Page};
use crate::projection::Poison;
use crate::recorded::Foldable;
use crate::rows::{Table, document};
use crate::table;

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
    /// What an authorization server gave out for it; `None` before that, after it was taken back, and from the moment on at which the server moved.
    #[sqlx(json(nullable))]
    pub oauth: Option<ConnectionOauth>,
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

/// What an authorization server gave out for a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionOauth {
    /// Under which id it is kept.
    pub authorization: AuthorizationId,
    /// How it was come by.
    pub grant: UpstreamGrant,
    /// Who allowed it.
    pub by: Option<UserId>,
    /// Who gave it out.
    pub issuer: AuthorizationServer,
    /// What it may be used for.
    pub scopes: BTreeSet<ProviderScope>,
    /// What the upstream wants beside that.
    pub wanted: BTreeSet<ProviderScope>,
    /// Whether it can be renewed without anybody.
    pub renewable: bool,
    /// When its first token ends, if that was told.
    pub expires_at: Option<Timestamp>,
    /// When it was given out.
    pub authorized_at: Timestamp,
    /// Why it is of no use any more.
    pub lost: Option<AuthorizationEnd>,
}

impl Listed for ConnectionRow {
    fn created_position(&self) -> i64 {
        self.created_position
    }
}

document!(ConnectionOauth);
table!(ConnectionRow in "connections" by Uuid = id;
    id, organization_id, owner_user_id, server_id, name, secrets_version, secret_fields, oauth, standing,
    created_at, created_position, updated_at, updated_position);
changing!(ConnectionRow);

/// The connections, and which server each of them connects to.
#[derive(Debug, Default)]
pub(super) struct Connections {
    pub(super) table: Table<ConnectionRow>,
    of_server: HashMap<Uuid, Vec<Uuid>>,
}

impl Connections {
    /// Loads the rows that were noted, and those with secrets that a move of one of these servers would take away.
    pub(super) async fn load(
        &mut self,
        connection: &mut PgConnection,
        moving: Vec<Uuid>,
    ) -> Result<(), sqlx::Error> {
        self.table.load(connection).await?;
        if !moving.is_empty() {
            let sql = "select * from connections where server_id = any($1::uuid[])
                       and (secrets_version is not null or oauth is not null)";
            self.table.hold(sqlx::query_as(sql).bind(moving).fetch_all(connection).await?);
        }
        self.of_server.clear();
        for row in self.table.rows() {
            self.of_server.entry(row.server_id).or_default().push(row.id);
        }
        Ok(())
    }

    fn make(&mut self, row: ConnectionRow) -> Result<(), Poison> {
        let (id, server) = (row.id, row.server_id);
        self.table.make(row)?;
        self.of_server.entry(server).or_default().push(id);
        Ok(())
    }

    /// The server of these connections moved to another origin: secrets that were set before count as not set, as they do for the gateway.
    pub(super) fn forget_secrets_for(&mut self, server: Mark) {
        for id in self.of_server.get(&server.id).into_iter().flatten() {
            if self.table.get(id).is_some_and(|row| row.secrets_version.is_some() || row.oauth.is_some())
                && let Ok(row) = changed(&mut self.table, id, server)
            {
                row.forget_secrets();
            }
        }
    }
}

impl ConnectionRow {
    fn forget_secrets(&mut self) {
        self.secrets_version = None;
        self.secret_fields = Vec::new();
        self.oauth = None;
    }
}

/// Folds one event about a connection.
pub(super) fn fold(
    connections: &mut Connections,
    event: &Foldable,
    fact: &ConnectionEvent,
) -> Result<(), Poison> {
    let mark = Mark::of(event)?;
    match fact {
        ConnectionEvent::Created { organization, owner, server, name } => {
            let owner_user_id = match owner {
                ConnectionOwner::Organization => None,
                ConnectionOwner::User(user) => Some(user.uuid()),
            };
            connections.make(ConnectionRow {
                id: mark.id,
                organization_id: organization.uuid(),
                owner_user_id,
                server_id: server.uuid(),
                name: name.as_str().to_owned(),
                secrets_version: None,
                secret_fields: Vec::new(),
                oauth: None,
                standing: "open".to_owned(),
                created_at: mark.at,
                created_position: mark.position,
                updated_at: mark.at,
                updated_position: mark.position,
            })?;
        }
        ConnectionEvent::Renamed { name } => {
            name.as_str().clone_into(&mut changed(&mut connections.table, &mark.id, mark)?.name);
        }
        ConnectionEvent::SecretsSet { version, fields } => {
            let row = changed(&mut connections.table, &mark.id, mark)?;
            row.secrets_version = Some(i64::from(*version));
            row.secret_fields = fields.iter().map(|field| field.as_str().to_owned()).collect();
        }
        ConnectionEvent::Authorized { authorization, grant, by, issuer, scopes, renewable, expires_at } => {
            let row = changed(&mut connections.table, &mark.id, mark)?;
            row.oauth = Some(ConnectionOauth {
                authorization: *authorization,
                grant: *grant,
                by: *by,
                issuer: issuer.clone(),
                scopes: scopes.clone(),
                wanted: BTreeSet::new(),
                renewable: *renewable,
                expires_at: *expires_at,
                authorized_at: Timestamp::new(mark.at),
                lost: None,
            });
        }
        ConnectionEvent::ScopesWanted { scopes, .. } => {
            if let Some(oauth) = &mut changed(&mut connections.table, &mark.id, mark)?.oauth {
                oauth.wanted = scopes.difference(&oauth.scopes).cloned().collect();
            }
        }
        ConnectionEvent::AuthorizationLost { reason, .. } => {
            if let Some(oauth) = &mut changed(&mut connections.table, &mark.id, mark)?.oauth {
                oauth.lost = Some(*reason);
            }
        }
        ConnectionEvent::AuthorizationWithdrawn { .. } => {
            changed(&mut connections.table, &mark.id, mark)?.oauth = None;
        }
        ConnectionEvent::Removed {} => {
            let row = changed(&mut connections.table, &mark.id, mark)?;
            "removed".clone_into(&mut row.standing);
            row.forget_secrets();
        }
    }
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
