//! Which instance, and what is behind it.

use std::sync::Arc;

use domain::policy::Denial;
use domain::value::{ConnectionId, InstanceId, MemberName};
use mcp::upstream::{Reach, UpstreamUrl};
use projections::access::{AccessView, Connection, Instance, Server};

use super::recorded::CallRecording;
use super::refusal::Refusal;
use super::{Addresses, Gateway};

/// An instance that exists (whether the caller may use it is decided next).
#[derive(Debug, Clone)]
pub(super) struct Route {
    /// The instance.
    pub(super) instance: Arc<Instance>,
    /// What it forwards to.
    pub(super) behind: Behind,
}

/// What is behind an instance. Of what is gone, connection or server, there is no destination.
#[derive(Debug, Clone)]
pub(super) enum Behind {
    /// One connection: messages pass through.
    One(Option<Box<Destination>>),
    /// Several: the gateway answers, and asks them.
    Several(Arc<[Member]>),
}

/// One of several.
#[derive(Debug, Clone)]
pub(super) struct Member {
    /// What it is called.
    pub(super) name: MemberName,
    /// Through which connection.
    pub(super) connection_id: ConnectionId,
    /// Where it is.
    pub(super) destination: Option<Destination>,
}

/// Where calls of an instance go.
#[derive(Debug, Clone)]
pub(super) struct Destination {
    /// Through which connection.
    pub(super) connection_id: ConnectionId,
    /// Its settings.
    pub(super) connection: Arc<Connection>,
    /// To which server.
    pub(super) server: Arc<Server>,
    /// Its address.
    pub(super) url: UpstreamUrl,
}

impl Destination {
    fn of(view: &AccessView, addresses: &Addresses, connection_id: ConnectionId) -> Option<Self> {
        let (connection, server) = view.upstream(connection_id)?;
        let url = addresses.of(connection.server, server)?;
        Some(Self { connection_id, connection: Arc::clone(connection), server: Arc::clone(server), url })
    }

    /// A server that the deployment's administrators keep in the catalogue may be anywhere, also beside us. An organization names addresses that
    /// are not its own to reach.
    pub(super) fn reach(&self) -> Reach {
        if self.server.organization.is_some() { Reach::OpenNetworks } else { Reach::Anywhere }
    }
}

impl Route {
    /// Where calls of a tool go, and what the tool is called there. `None` where that is gone, or the name leads to no member.
    pub(super) fn of_tool<'a>(&self, tool: &'a str) -> Option<(&Destination, &'a str)> {
        match &self.behind {
            Behind::One(destination) => Some((destination.as_deref()?, tool)),
            Behind::Several(_) => {
                let (member, tool) = self.member_of(tool)?;
                Some((member.destination.as_ref()?, tool))
            }
        }
    }

    /// The member that a tool is of, and what that calls it.
    pub(super) fn member_of<'a>(&self, tool: &'a str) -> Option<(&Member, &'a str)> {
        let Behind::Several(members) = &self.behind else { return None };
        let (connection_id, tool) = self.instance.connection_of(tool)?;
        Some((members.iter().find(|member| member.connection_id == connection_id)?, tool))
    }
}

impl Gateway {
    /// Finds an instance and what is behind it.
    pub(super) fn route(
        &self,
        view: &AccessView,
        instance: Option<InstanceId>,
        recording: &CallRecording,
    ) -> Result<Route, Refusal> {
        let Some(instance) = instance.and_then(|id| view.instance(id)) else {
            recording.say(|draft| draft.denied(view, self.0.clock.now(), &Denial::InstanceUnknown));
            return Err(Refusal::unknown_instance());
        };
        let behind = if instance.has_several_members() {
            let member = |(connection_id, name): (ConnectionId, &MemberName)| Member {
                name: name.clone(),
                connection_id,
                destination: Destination::of(view, &self.0.addresses, connection_id),
            };
            Behind::Several(instance.members().map(member).collect())
        } else {
            let only = instance.connections.first();
            Behind::One(only.and_then(|id| Destination::of(view, &self.0.addresses, *id)).map(Box::new))
        };
        Ok(Route { instance: Arc::clone(instance), behind })
    }
}
