//! `/v1/organizations/{organization}/instances`: what stands behind `/mcp/{instance}`.

mod members;

use std::collections::BTreeMap;

use axum::extract::State;
use commands::Ports;
use commands::instance::{
    ChangeAuthentication, ChangeConnections, ChangeRecording, ChangeTools, ChangeWhenStale, Create, Created,
    Delete, Rename, Start, Stop,
};
use domain::instance::{CallerAuthentication, MemberNames, WhenStale};
use domain::value::{ConnectionId, DisplayName, InstanceId, OrganizationId, Scope};
use http::Method;
use projections::directory::instances::{self as rows, InstanceRow};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use utoipa::openapi::schema::Object;
use uuid::Uuid;

use super::ask::{Answered, Asker, Found, Within, found};
use super::recording::Recording;
use super::shapes::{Changed, NewName, Nothing, one_of};
use super::tools::Tools;
use super::{Access, Admin, Area, Command, Listed, Paging, Path};
use crate::problem::Problem;
use members::{NewMemberNames, name_members};

const ALL: &str = "/v1/organizations/{organization}/instances";
const ONE: &str = "/v1/organizations/{organization}/instances/{instance}";
const TOOLS: &str = "/v1/organizations/{organization}/instances/{instance}/tools";
const CONNECTIONS: &str = "/v1/organizations/{organization}/instances/{instance}/connections";
const MEMBERS: &str = "/v1/organizations/{organization}/instances/{instance}/members";
const WHEN_STALE: &str = "/v1/organizations/{organization}/instances/{instance}/when-stale";
const AUTHENTICATION: &str = "/v1/organizations/{organization}/instances/{instance}/authentication";
const RECORDING: &str = "/v1/organizations/{organization}/instances/{instance}/recording";
const START: &str = "/v1/organizations/{organization}/instances/{instance}/start";
const STOP: &str = "/v1/organizations/{organization}/instances/{instance}/stop";

/// The routes.
pub(super) fn area<P: Ports + 'static>() -> Area<P> {
    let reads = || Access::Organization(Scope::OrgRead);
    let writes = || Access::Organization(Scope::OrgWrite);
    let area = Area::new(
        "Instances",
        "MCP endpoints: what they connect to, which tools they expose, how callers prove who they are.",
    )
    .make::<NewInstance, InstanceMade, _, _>(
        ALL,
        writes(),
        "createInstance",
        "Make an endpoint; it runs at once",
        create::<P>,
    )
    .list::<Listed<Instance>, _, _>(
        ALL,
        reads(),
        "listInstances",
        "The instances of the organization",
        list::<P>,
    )
    .read::<Instance, _, _>(ONE, reads(), "getInstance", "One instance", get::<P>);
    standing(changes(area))
}

/// What can be changed of one.
fn changes<P: Ports + 'static>(area: Area<P>) -> Area<P> {
    let writes = || Access::Organization(Scope::OrgWrite);
    area.change::<NewName, Changed, _, _>(
        Method::PATCH,
        ONE,
        writes(),
        "renameInstance",
        "Give an instance another name",
        rename::<P>,
    )
    .change::<NewTools, Changed, _, _>(
        Method::PUT,
        TOOLS,
        writes(),
        "changeInstanceTools",
        "Expose other tools",
        change_tools::<P>,
    )
    .change::<NewConnections, Changed, _, _>(
        Method::PUT,
        CONNECTIONS,
        writes(),
        "changeInstanceConnections",
        "Connect an instance to something else",
        change_connections::<P>,
    )
    .change::<NewMemberNames, Changed, _, _>(
        Method::PUT,
        MEMBERS,
        writes(),
        "nameInstanceMembers",
        "Call the members of an instance with several connections something else, and so its tools",
        name_members::<P>,
    )
    .change::<NewAuthentication, Changed, _, _>(
        Method::PUT,
        AUTHENTICATION,
        writes(),
        "changeInstanceAuthentication",
        "Let callers prove in another way who they are",
        change_authentication::<P>,
    )
    .change::<Recording, Changed, _, _>(
        Method::PUT,
        RECORDING,
        writes(),
        "changeInstanceRecording",
        "Record the calls to an instance in another way",
        change_recording::<P>,
    )
    .change::<NewWhenStale, Changed, _, _>(
        Method::PUT,
        WHEN_STALE,
        writes(),
        "changeInstanceWhenStale",
        "Say what becomes of calls while a node knows too little to decide and cannot ask",
        change_when_stale::<P>,
    )
}

/// Whether it runs.
fn standing<P: Ports + 'static>(area: Area<P>) -> Area<P> {
    let writes = || Access::Organization(Scope::OrgWrite);
    area.act::<Changed, _, _>(
        Method::POST,
        START,
        writes(),
        "startInstance",
        "Let an instance answer calls",
        start::<P>,
    )
    .act::<Changed, _, _>(
        Method::POST,
        STOP,
        writes(),
        "stopInstance",
        "Let an instance refuse calls for now",
        stop::<P>,
    )
    .act::<Changed, _, _>(
        Method::DELETE,
        ONE,
        writes(),
        "deleteInstance",
        "End an instance for good",
        delete::<P>,
    )
}

/// An instance to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewInstance {
    /// Name shown to people: 1 to 200 characters in any script.
    #[schema(value_type = String, example = "Ticket search")]
    name: DisplayName,
    /// What it connects to: 1 to 32. Where there are several, each is a member with a name like that of its server, and its tools are exposed as
    /// `{member}__{tool}`.
    #[schema(value_type = Vec<Uuid>)]
    connections: Vec<ConnectionId>,
    /// Which tools it exposes.
    tools: Tools,
    /// How callers prove who they are.
    #[schema(schema_with = authentication)]
    authentication: CallerAuthentication,
}

/// Other tools.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewInstanceTools)]
struct NewTools {
    /// Which tools it exposes.
    tools: Tools,
}

/// Other connections.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewInstanceConnections)]
struct NewConnections {
    /// What it connects to: 1 to 32. Where there are several, each is a member with a name like that of its server, and its tools are exposed as
    /// `{member}__{tool}`.
    #[schema(value_type = Vec<Uuid>)]
    connections: Vec<ConnectionId>,
}

/// Another proof.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewInstanceAuthentication)]
struct NewAuthentication {
    /// How callers prove who they are.
    #[schema(schema_with = authentication)]
    authentication: CallerAuthentication,
}

fn authentication() -> Object {
    let about = "How callers prove who they are; `none` is for callers on the same machine only";
    one_of(CallerAuthentication::ALL.map(CallerAuthentication::as_str), about)
}

/// Another fate.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewInstanceWhenStale)]
struct NewWhenStale {
    /// What becomes of them.
    #[schema(schema_with = when_stale)]
    when_stale: WhenStale,
}

fn when_stale() -> Object {
    let about = "Calls while a node knows too little to decide and cannot ask Postgres: `refuse` them with 503 view-stale, or `serve` them by what \
                 the node knew last and mark them with Sekisho-Decision-Basis: stale_view. A revocation does not hold there within the bound then";
    one_of(WhenStale::ALL.map(WhenStale::as_str), about)
}

/// An instance was made.
#[derive(Debug, Serialize, ToSchema)]
struct InstanceMade {
    /// Its id.
    id: Uuid,
    /// Where MCP clients reach it.
    mcp_url: String,
}

/// An instance.
#[derive(Debug, Serialize, ToSchema)]
struct Instance {
    /// Its id.
    id: Uuid,
    /// Where MCP clients reach it.
    mcp_url: String,
    /// Name shown to people.
    name: String,
    /// What it connects to.
    connections: Vec<Uuid>,
    /// What those are called, where there are several: their tools are exposed as `{member}__{tool}`.
    members: BTreeMap<Uuid, String>,
    /// Which tools it exposes.
    tools: Tools,
    /// How callers prove who they are.
    #[schema(schema_with = authentication)]
    authentication: String,
    /// How its calls are recorded.
    recording: Recording,
    /// What becomes of calls while a node knows too little to decide.
    #[schema(schema_with = when_stale)]
    when_stale: String,
    /// `running` or `stopped`.
    standing: String,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    /// When it changed last.
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
}

fn mcp_url(url: &str, instance: Uuid) -> String {
    format!("{url}/mcp/{instance}")
}

impl Instance {
    fn of(row: InstanceRow, url: &str) -> Self {
        let members = if row.connections.len() > 1 { row.member_names } else { MemberNames::new() };
        let members = members.into_iter().map(|(id, name)| (id.uuid(), name.into())).collect();
        let InstanceRow { id, name, connections, tools, authentication, when_stale, standing, .. } = row;
        let (mcp_url, tools, recording) = (mcp_url(url, id), Tools(tools), Recording::from(row.recording));
        let (created_at, updated_at) = (row.created_at, row.updated_at);
        Self {
            id,
            mcp_url,
            name,
            connections,
            members,
            tools,
            authentication,
            recording,
            when_stale,
            standing,
            created_at,
            updated_at,
        }
    }
}

async fn create<P: Ports + 'static>(
    asker: Asker<P>,
    Path(organization): Path<OrganizationId>,
    Command { body, order }: Command<NewInstance>,
) -> Answered<InstanceMade> {
    let NewInstance { name, connections, tools: Tools(tools), authentication } = body;
    let use_case = Create { organization, name, connections, tools, authentication };
    let made = |Created { id }| InstanceMade { id: id.uuid(), mcp_url: mcp_url(&asker.admin.url, id.uuid()) };
    asker.ask(order, &use_case, made).await
}

async fn list<P: Ports + 'static>(
    State(admin): State<Admin<P>>,
    Path(organization): Path<OrganizationId>,
    page: Paging,
) -> Result<Listed<Instance>, Problem> {
    let rows = rows::list(&admin.pool, organization, page.after, page.rows).await?;
    Ok(Listed::of(rows, |row| Instance::of(row, &admin.url)))
}

async fn get<P: Ports + 'static>(
    State(admin): State<Admin<P>>,
    Path((organization, instance)): Within<InstanceId>,
) -> Found<Instance> {
    let row = rows::by_id(&admin.pool, organization, instance).await?;
    found(row, "instance", |row| Instance::of(row, &admin.url))
}

async fn rename<P: Ports + 'static>(
    asker: Asker<P>,
    Path((organization, instance)): Within<InstanceId>,
    Command { body: NewName { name }, order }: Command<NewName>,
) -> Answered<Changed> {
    asker.change(order, &Rename { organization, instance, name }).await
}

async fn change_tools<P: Ports + 'static>(
    asker: Asker<P>,
    Path((organization, instance)): Within<InstanceId>,
    Command { body: NewTools { tools: Tools(tools) }, order }: Command<NewTools>,
) -> Answered<Changed> {
    asker.change(order, &ChangeTools { organization, instance, tools }).await
}

async fn change_connections<P: Ports + 'static>(
    asker: Asker<P>,
    Path((organization, instance)): Within<InstanceId>,
    Command { body: NewConnections { connections }, order }: Command<NewConnections>,
) -> Answered<Changed> {
    asker.change(order, &ChangeConnections { organization, instance, connections }).await
}

async fn change_authentication<P: Ports + 'static>(
    asker: Asker<P>,
    Path((organization, instance)): Within<InstanceId>,
    Command { body: NewAuthentication { authentication }, order }: Command<NewAuthentication>,
) -> Answered<Changed> {
    asker.change(order, &ChangeAuthentication { organization, instance, authentication }).await
}

async fn change_recording<P: Ports + 'static>(
    asker: Asker<P>,
    Path((organization, instance)): Within<InstanceId>,
    Command { body, order }: Command<Recording>,
) -> Answered<Changed> {
    let recording = body.parse()?;
    asker.change(order, &ChangeRecording { organization, instance, recording }).await
}

async fn change_when_stale<P: Ports + 'static>(
    asker: Asker<P>,
    Path((organization, instance)): Within<InstanceId>,
    Command { body: NewWhenStale { when_stale }, order }: Command<NewWhenStale>,
) -> Answered<Changed> {
    asker.change(order, &ChangeWhenStale { organization, instance, when_stale }).await
}

async fn start<P: Ports + 'static>(
    asker: Asker<P>,
    Path((organization, instance)): Within<InstanceId>,
    Command { body: Nothing {}, order }: Command<Nothing>,
) -> Answered<Changed> {
    asker.change(order, &Start { organization, instance }).await
}

async fn stop<P: Ports + 'static>(
    asker: Asker<P>,
    Path((organization, instance)): Within<InstanceId>,
    Command { body: Nothing {}, order }: Command<Nothing>,
) -> Answered<Changed> {
    asker.change(order, &Stop { organization, instance }).await
}

async fn delete<P: Ports + 'static>(
    asker: Asker<P>,
    Path((organization, instance)): Within<InstanceId>,
    Command { body: Nothing {}, order }: Command<Nothing>,
) -> Answered<Changed> {
    asker.change(order, &Delete { organization, instance }).await
}
