//! Instances: what stands behind `/mcp/{instance}`.

use domain::instance::{InstanceEvent, MemberNames, Recording, WhenStale};
use domain::value::{ConnectionId, InstanceId, OrganizationId, ToolSelection};
use sqlx::{FromRow, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::mark::{Mark, changed, changing};
use super::page::{Cursor, Listed, Page};
use crate::projection::Poison;
use crate::recorded::Foldable;
use crate::rows::{Table, document};
use crate::table;

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
    /// What those are called, where there are several.
    #[sqlx(json)]
    pub member_names: MemberNames,
    /// Which tools it exposes.
    #[sqlx(json)]
    pub tools: ToolSelection,
    /// `none`, `api_key`, `oauth` or `both`.
    pub authentication: String,
    /// How its calls are recorded.
    #[sqlx(json)]
    pub recording: Recording,
    /// `refuse` or `serve`.
    pub when_stale: String,
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

document!(MemberNames, ToolSelection, Recording);
table!(InstanceRow in "instances" by Uuid = id;
    id, organization_id, name, connections, member_names, tools, authentication, recording, when_stale, standing,
    created_at, created_position, updated_at, updated_position);
changing!(InstanceRow);

/// Folds one event about an instance.
pub(super) fn fold(
    instances: &mut Table<InstanceRow>,
    event: &Foldable,
    fact: &InstanceEvent,
) -> Result<(), Poison> {
    let mark = Mark::of(event)?;
    if let InstanceEvent::Created { organization, name, connections, tools, authentication } = fact {
        return instances.make(InstanceRow {
            id: mark.id,
            organization_id: organization.uuid(),
            name: name.as_str().to_owned(),
            connections: uuids(connections),
            member_names: MemberNames::new(),
            tools: tools.clone(),
            authentication: authentication.as_str().to_owned(),
            recording: Recording::default(),
            when_stale: WhenStale::default().as_str().to_owned(),
            standing: "running".to_owned(),
            created_at: mark.at,
            created_position: mark.position,
            updated_at: mark.at,
            updated_position: mark.position,
        });
    }
    let row = changed(instances, &mark.id, mark)?;
    match fact {
        InstanceEvent::Created { .. } => {} // made above
        InstanceEvent::Renamed { name } => name.as_str().clone_into(&mut row.name),
        InstanceEvent::ConnectionsChanged { connections } => {
            row.member_names.retain(|id, _| connections.contains(id));
            row.connections = uuids(connections);
        }
        InstanceEvent::MembersNamed { names } => row.member_names.clone_from(names),
        InstanceEvent::ToolsChanged { tools } => row.tools.clone_from(tools),
        InstanceEvent::AuthenticationChanged { authentication } => {
            authentication.as_str().clone_into(&mut row.authentication);
        }
        InstanceEvent::RecordingChanged { recording } => row.recording = *recording,
        InstanceEvent::WhenStaleChanged { when_stale } => {
            when_stale.as_str().clone_into(&mut row.when_stale);
        }
        InstanceEvent::Started {} => "running".clone_into(&mut row.standing),
        InstanceEvent::Stopped {} => "stopped".clone_into(&mut row.standing),
        InstanceEvent::Deleted {} => "deleted".clone_into(&mut row.standing),
    }
    Ok(())
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
