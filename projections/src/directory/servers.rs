//! Upstream servers: an organization's own, and the deployment's catalogue.

use domain::server::{ServerEvent, ServerOauth, Transport};
use domain::value::{CredentialField, OrganizationId, ServerId};
use sqlx::{FromRow, PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::connections::Connections;
use super::mark::{Mark, changed, changing};
use super::page::{Cursor, Listed, Page};
use crate::projection::Poison;
use crate::recorded::Foldable;
use crate::rows::{Table, document};
use crate::table;

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
    /// How its connections are authorized by OAuth.
    #[sqlx(json(nullable))]
    pub oauth: Option<ServerOauth>,
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

document!(Transport, Vec<CredentialField>, ServerOauth);
table!(ServerRow in "servers" by Uuid = id;
    id, organization_id, name, transport, credential_fields, oauth, visibility, standing,
    created_at, created_position, updated_at, updated_position);
changing!(ServerRow);

/// The servers, and where events of this page move them to.
#[derive(Debug, Default)]
pub(super) struct Servers {
    pub(super) table: Table<ServerRow>,
    moves: Vec<(Uuid, Transport)>,
}

impl Servers {
    /// Notes which row an event is about.
    pub(super) fn want(&mut self, server: Uuid, fact: &ServerEvent) {
        self.table.want(server);
        match fact {
            ServerEvent::Updated { transport, .. } => self.moves.push((server, transport.clone())),
            ServerEvent::Registered { .. } | ServerEvent::OauthChanged { .. } | ServerEvent::Retired {} => {}
        }
    }

    /// Loads the rows that were noted; answers which of them move to another origin.
    pub(super) async fn load(&mut self, connection: &mut PgConnection) -> Result<Vec<Uuid>, sqlx::Error> {
        self.table.load(connection).await?;
        let moves = std::mem::take(&mut self.moves).into_iter();
        let elsewhere = |(server, transport): (Uuid, Transport)| {
            let before = self.table.get(&server)?;
            (!transport.is_at_origin_of(&before.transport)).then_some(server)
        };
        Ok(moves.filter_map(elsewhere).collect())
    }
}

/// Folds one event about a server.
pub(super) fn fold(
    servers: &mut Servers,
    connections: &mut Connections,
    event: &Foldable,
    fact: &ServerEvent,
) -> Result<(), Poison> {
    let mark = Mark::of(event)?;
    match fact {
        ServerEvent::Registered { organization, name, transport, credential_fields, visibility } => {
            servers.table.make(ServerRow {
                id: mark.id,
                organization_id: organization.map(OrganizationId::uuid),
                name: name.as_str().to_owned(),
                transport: transport.clone(),
                credential_fields: credential_fields.clone(),
                oauth: None,
                visibility: visibility.as_str().to_owned(),
                standing: "offered".to_owned(),
                created_at: mark.at,
                created_position: mark.position,
                updated_at: mark.at,
                updated_position: mark.position,
            })?;
        }
        ServerEvent::Updated { name, transport, credential_fields, visibility } => {
            let row = changed(&mut servers.table, &mark.id, mark)?;
            if !transport.is_at_origin_of(&row.transport) {
                connections.forget_secrets_for(mark);
            }
            name.as_str().clone_into(&mut row.name);
            row.transport.clone_from(transport);
            row.credential_fields.clone_from(credential_fields);
            visibility.as_str().clone_into(&mut row.visibility);
        }
        ServerEvent::OauthChanged { oauth } => {
            changed(&mut servers.table, &mark.id, mark)?.oauth.clone_from(oauth);
        }
        ServerEvent::Retired {} => {
            "retired".clone_into(&mut changed(&mut servers.table, &mark.id, mark)?.standing);
        }
    }
    Ok(())
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
