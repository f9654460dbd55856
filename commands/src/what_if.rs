//! What a change would come to: proposals are decided by the aggregates themselves, one after the other, and what they decide is handed back
//! instead of being appended.
//!
//! Whoever reads the history may ask what a change would do without being let to make it, so nothing here looks at the asker's role: only at
//! whose the things are. Deliberately absent: an append, a command id that is remembered, a claim.

use std::collections::BTreeSet;

use cqrs_es::persist::SerializedEvent;
use domain::Aggregate as _;
use domain::api_key::{ApiKey, ApiKeyCommand};
use domain::client::{Client, ClientCommand};
use domain::connection::{Connection, ConnectionCommand};
use domain::deployment::{Deployment, DeploymentCommand};
use domain::event::Event;
use domain::grant::{Grant, GrantCommand, GrantEnd};
use domain::instance::{CallerAuthentication, Instance, InstanceCommand};
use domain::organization::{Organization, OrganizationCommand, OrganizationError};
use domain::server::{Server, ServerCommand};
use domain::user::{User, UserCommand};
use domain::value::{
    ApiKeyId, ClientId, Clock as _, ConnectionId, DeploymentId, DisplayName, GrantId, InstanceId,
    OrganizationId, Role, ServerId, ToolSelection, UserId,
};

use crate::access::{Addressed, find};
use crate::ports::{Entropy as _, LogError};
use crate::unit::{Kept, Stamp};
use crate::{Actor, CommandId, Log, Ports, Refused, Unit};

/// A change that somebody thinks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proposal {
    /// Refuse a key for ever.
    RevokeApiKey(ApiKeyId),
    /// Take back what a user granted.
    RevokeGrant(GrantId),
    /// Refuse everything that a client asks for.
    DisableClient(ClientId),
    /// Let a client ask again.
    EnableClient(ClientId),
    /// Make a member something else.
    ChangeRole(UserId, Role),
    /// Let a member go.
    RemoveMember(UserId),
    /// Refuse everything of the organization.
    SuspendOrganization,
    /// End the organization.
    DeleteOrganization,
    /// Refuse everything that a user asks for.
    SuspendUser(UserId),
    /// Let a suspended user ask again.
    ResumeUser(UserId),
    /// End a user.
    DeleteUser(UserId),
    /// Expose other tools.
    ChangeTools(InstanceId, ToolSelection),
    /// Let callers prove in another way who they are.
    ChangeAuthentication(InstanceId, CallerAuthentication),
    /// Let an instance answer.
    StartInstance(InstanceId),
    /// Let an instance refuse calls.
    StopInstance(InstanceId),
    /// End an instance.
    DeleteInstance(InstanceId),
    /// End a connection.
    RemoveConnection(ConnectionId),
    /// Offer a server no longer.
    RetireServer(ServerId),
    /// Answer to nobody for now.
    StartMaintenance,
    /// Answer to everybody again.
    EndMaintenance,
}

/// Whose things may be proposed about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// The organization that the proposals are about; none where every one may be, and a thing says itself whose it is.
    pub organization: Option<OrganizationId>,
    /// Whether what concerns every organization may be proposed too.
    pub everybody: bool,
}

/// An event that a proposal would cause.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposed {
    /// What it would happen to.
    pub aggregate_id: String,
    /// What would happen.
    pub event: Event,
}

/// One of the proposals is impossible, for the same reason as when it is really asked for.
#[derive(Debug, thiserror::Error)]
#[error("command {number}: {refused}")]
pub struct Impossible {
    /// Which one, from 1.
    pub number: usize,
    /// Why.
    pub refused: Refused,
}

/// Decides proposals at the head of the log, each one after those before it, and appends nothing.
pub async fn propose<P: Ports>(
    ports: &P,
    actor: &Actor,
    extent: Extent,
    proposals: &[Proposal],
) -> Result<Vec<Proposed>, Impossible> {
    let stamp = Stamp {
        command: CommandId::new(ports.entropy().id().to_string()),
        actor: actor.clone(),
        correlation: String::new(),
        causation: None,
        occurred_at: ports.clock().now(),
    };
    let kept = Kept::default();
    let mut unit = Unit::new(ports.log(), stamp, &kept);
    for (index, proposal) in proposals.iter().enumerate() {
        let decided = decide(ports, &mut unit, extent, proposal).await;
        decided.map_err(|refused| Impossible { number: index + 1, refused })?;
    }
    let events = unit.into_batch(String::new(), String::new()).events;
    let read: Result<Vec<_>, _> = events.iter().map(proposed).collect();
    read.map_err(|refused| Impossible { number: proposals.len(), refused })
}

fn proposed(row: &SerializedEvent) -> Result<Proposed, Refused> {
    let unreadable = |reason: String| Refused::Log(LogError(reason));
    let version =
        row.event_version.parse().map_err(|_| unreadable("an event without a version".to_owned()))?;
    let event = Event::decode(&row.aggregate_type, &row.event_type, version, &row.payload.to_string());
    let event = event.map_err(|error| unreadable(error.to_string()))?;
    Ok(Proposed { aggregate_id: row.aggregate_id.clone(), event })
}

async fn decide<P: Ports>(
    ports: &P,
    unit: &mut Unit<'_, P::Log>,
    extent: Extent,
    proposal: &Proposal,
) -> Result<(), Refused> {
    match proposal {
        Proposal::RevokeApiKey(id) => {
            reach::<ApiKey, _>(unit, extent, *id).await?;
            unit.decide::<ApiKey>(*id, ApiKeyCommand::Revoke { reason: reason()? }).await
        }
        Proposal::RevokeGrant(id) => {
            reach::<Grant, _>(unit, extent, *id).await?;
            let reason = GrantEnd::ByAdministrator;
            unit.decide::<Grant>(*id, GrantCommand::Revoke { reason }).await
        }
        Proposal::DisableClient(id) => {
            reach::<Client, _>(unit, extent, *id).await?;
            unit.decide::<Client>(*id, ClientCommand::Disable { reason: reason()? }).await
        }
        Proposal::EnableClient(id) => {
            reach::<Client, _>(unit, extent, *id).await?;
            unit.decide::<Client>(*id, ClientCommand::Enable).await
        }
        Proposal::ChangeRole(user, role) => {
            let id = named(extent)?;
            open(unit, id).await?;
            let change = OrganizationCommand::ChangeRole { user: *user, role: *role, granted_by: None };
            unit.decide::<Organization>(id, change).await
        }
        Proposal::RemoveMember(user) => {
            let id = named(extent)?;
            if open(unit, id).await?.role_of(*user).is_none() {
                return Err(Refused::NotFound("member"));
            }
            let remove = OrganizationCommand::RemoveMember { user: *user, removed_by: None };
            unit.decide::<Organization>(id, remove).await
        }
        Proposal::SuspendOrganization => {
            let id = named(extent)?;
            unit.decide::<Organization>(id, OrganizationCommand::Suspend { reason: reason()? }).await
        }
        Proposal::DeleteOrganization => {
            unit.decide::<Organization>(named(extent)?, OrganizationCommand::Delete).await
        }
        Proposal::SuspendUser(user) => {
            decide_about_user(unit, extent, *user, UserCommand::Suspend { reason: reason()? }).await
        }
        Proposal::ResumeUser(user) => decide_about_user(unit, extent, *user, UserCommand::Resume).await,
        Proposal::DeleteUser(user) => decide_about_user(unit, extent, *user, UserCommand::Delete).await,
        Proposal::ChangeTools(id, tools) => {
            decide_about_instance(unit, extent, *id, InstanceCommand::ChangeTools { tools: tools.clone() })
                .await
        }
        Proposal::ChangeAuthentication(id, authentication) => {
            let change = InstanceCommand::ChangeAuthentication { authentication: *authentication };
            decide_about_instance(unit, extent, *id, change).await
        }
        Proposal::StartInstance(id) => decide_about_instance(unit, extent, *id, InstanceCommand::Start).await,
        Proposal::StopInstance(id) => decide_about_instance(unit, extent, *id, InstanceCommand::Stop).await,
        Proposal::DeleteInstance(id) => {
            decide_about_instance(unit, extent, *id, InstanceCommand::Delete).await
        }
        Proposal::RemoveConnection(id) => {
            reach::<Connection, _>(unit, extent, *id).await?;
            unit.decide::<Connection>(*id, ConnectionCommand::Remove).await
        }
        Proposal::RetireServer(id) => {
            reach_server(unit, extent, *id).await?;
            unit.decide::<Server>(*id, ServerCommand::Retire).await
        }
        Proposal::StartMaintenance => {
            must_concern_everybody(extent)?;
            let (until, allowed, at) = (None, BTreeSet::new(), ports.clock().now());
            let start = DeploymentCommand::StartMaintenance { until, allowed, at };
            unit.decide::<Deployment>(DeploymentId, start).await
        }
        Proposal::EndMaintenance => {
            must_concern_everybody(extent)?;
            unit.decide::<Deployment>(DeploymentId, DeploymentCommand::EndMaintenance).await
        }
    }
}

async fn decide_about_instance<L: Log>(
    unit: &mut Unit<'_, L>,
    extent: Extent,
    id: InstanceId,
    command: InstanceCommand,
) -> Result<(), Refused> {
    reach::<Instance, _>(unit, extent, id).await?;
    unit.decide::<Instance>(id, command).await
}

/// Users belong to no organization; an organization's auditor asks about its members.
async fn decide_about_user<L: Log>(
    unit: &mut Unit<'_, L>,
    extent: Extent,
    user: UserId,
    command: UserCommand,
) -> Result<(), Refused> {
    let unknown = Refused::NotFound("user");
    if let (Some(id), false) = (extent.organization, extent.everybody)
        && unit.load::<Organization>(id).await?.role_of(user).is_none()
    {
        return Err(unknown);
    }
    if !unit.load::<User>(user).await?.exists() {
        return Err(unknown);
    }
    unit.decide::<User>(user, command).await
}

/// Finds a thing of the organization, or of any, and its organization open.
async fn reach<A: Addressed, L: Log>(unit: &Unit<'_, L>, extent: Extent, id: A::Id) -> Result<(), Refused> {
    let organization = match extent.organization {
        Some(organization) => organization,
        None => unit.load::<A>(id).await?.organization(id).ok_or(Refused::NotFound(A::NOUN))?,
    };
    open(unit, organization).await?;
    find::<A, _>(unit, organization, id).await.map(|_| ())
}

/// The same for a server, which may be one of the deployment's catalogue.
async fn reach_server<L: Log>(unit: &Unit<'_, L>, extent: Extent, id: ServerId) -> Result<(), Refused> {
    let server = unit.load::<Server>(id).await?;
    if extent.everybody && server.is_offered() && server.organization(id).is_none() {
        return Ok(());
    }
    reach::<Server, _>(unit, extent, id).await
}

async fn open<L: Log>(unit: &Unit<'_, L>, id: OrganizationId) -> Result<Organization, Refused> {
    let organization = unit.load::<Organization>(id).await?;
    if !organization.exists() {
        return Err(Refused::NotFound("organization"));
    }
    if organization.is_suspended() {
        return Err(OrganizationError::Suspended.into());
    }
    Ok(organization)
}

fn named(extent: Extent) -> Result<OrganizationId, Refused> {
    let which = "say in which organization: this command is about one as a whole or about a member of one";
    extent.organization.ok_or_else(|| Refused::Invalid(which.to_owned()))
}

fn must_concern_everybody(extent: Extent) -> Result<(), Refused> {
    if extent.everybody {
        return Ok(());
    }
    Err(Refused::Forbidden(
        "this concerns every organization: only an administrator of the deployment may propose it",
    ))
}

/// No decision of who may call reads it.
fn reason() -> Result<DisplayName, Refused> {
    DisplayName::parse("proposed").map_err(|error| Refused::Invalid(error.to_string()))
}

#[cfg(test)]
mod tests;
