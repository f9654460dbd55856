//! Instances: what stands behind `/mcp/{instance}`.

use domain::instance::InstanceEvent;
use domain::value::{ConnectionId, InstanceId, OrganizationId, ToolSelection};
use sqlx::types::Json;
use sqlx::{FromRow, PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::mark::{Mark, write_one};
use super::page::{Cursor, Listed, Page};
use crate::projection::ProjectionError;
use crate::recorded::Recorded;

/// A row of `instances`.
#[derive(Debug, Clone, FromRow)]
pub struct InstanceRow {
    /// Its id, which is in its address.
    pub id: Uuid,
    /// Where it belongs.
    pub organization_id: Uuid,
    /// Its name.
    pub name: String,
    /// What it connects to, in order.
    pub connections: Vec<Uuid>,
    /// Which tools it exposes.
    #[sqlx(json)]
    pub tools: ToolSelection,
    /// `none`, `api_key`, `oauth` or `both`.
    pub authentication: String,
    /// `running`, `stopped` or `deleted`.
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

impl Listed for InstanceRow {
    fn created_position(&self) -> i64 {
        self.created_position
    }
}

/// Folds one event about an instance.
pub(super) async fn fold(
    connection: &mut PgConnection,
    event: &Recorded,
    fact: &InstanceEvent,
) -> Result<(), ProjectionError> {
    let mark = Mark::of(event)?;
    let standing = |standing: &'static str| {
        mark.query("update instances set standing = $4, updated_at = $2, updated_position = $3 where id = $1")
            .bind(standing)
    };
    let statement = match fact {
        InstanceEvent::Created { organization, name, connections, tools, authentication } => mark
            .query(
                "insert into instances (id, organization_id, name, connections, tools, authentication, standing,
                                        created_at, created_position, updated_at, updated_position)
                 values ($1, $4, $5, $6, $7, $8, 'running', $2, $3, $2, $3)",
            )
            .bind(organization.uuid())
            .bind(name.as_str())
            .bind(uuids(connections))
            .bind(Json(tools))
            .bind(authentication.as_str()),
        InstanceEvent::Renamed { name } => mark
            .query("update instances set name = $4, updated_at = $2, updated_position = $3 where id = $1")
            .bind(name.as_str()),
        InstanceEvent::ConnectionsChanged { connections } => mark
            .query("update instances set connections = $4, updated_at = $2, updated_position = $3 where id = $1")
            .bind(uuids(connections)),
        InstanceEvent::ToolsChanged { tools } => mark
            .query("update instances set tools = $4, updated_at = $2, updated_position = $3 where id = $1")
            .bind(Json(tools)),
        InstanceEvent::AuthenticationChanged { authentication } => mark
            .query("update instances set authentication = $4, updated_at = $2, updated_position = $3 where id = $1")
            .bind(authentication.as_str()),
        InstanceEvent::Started {} => standing("running"),
        InstanceEvent::Stopped {} => standing("stopped"),
        InstanceEvent::Deleted {} => standing("deleted"),
    };
    write_one(connection, statement).await
}

fn uuids(connections: &[ConnectionId]) -> Vec<Uuid> {
    connections.iter().map(|connection| connection.uuid()).collect()
}

/// The instances of an organization, unless deleted.
pub async fn list(
    pool: &PgPool,
    organization: OrganizationId,
    after: Cursor,
    rows: u32,
) -> Result<Page<InstanceRow>, sqlx::Error> {
    let query = sqlx::query_as(
        "select * from instances where organization_id = $1 and standing <> 'deleted' and created_position > $2
         order by created_position limit $3",
    );
    Page::read(query.bind(organization.uuid()), pool, after, rows).await
}

/// One instance of an organization, unless deleted.
pub async fn by_id(
    pool: &PgPool,
    organization: OrganizationId,
    instance: InstanceId,
) -> Result<Option<InstanceRow>, sqlx::Error> {
    sqlx::query_as("select * from instances where organization_id = $1 and id = $2 and standing <> 'deleted'")
        .bind(organization.uuid())
        .bind(instance.uuid())
        .fetch_optional(pool)
        .await
}
