//! Which instance, and what is behind it.

use std::sync::Arc;

use domain::policy::Denial;
use domain::value::{ConnectionId, InstanceId};
use mcp::upstream::{Reach, UpstreamUrl};
use projections::access::{AccessView, Connection, Instance, Server};

use super::Gateway;
use super::recorded::CallRecording;
use super::refusal::Refusal;

/// An instance that exists (whether the caller may use it is decided next).
#[derive(Debug, Clone)]
pub(super) struct Route {
    /// The instance.
    pub(super) instance: Arc<Instance>,
    /// What it forwards to; `None` when its connection or server is gone.
    pub(super) upstream: Option<Destination>,
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
    /// A server that the deployment's administrators keep in the catalogue may be anywhere, also beside us. An organization names addresses that
    /// are not its own to reach.
    pub(super) fn reach(&self) -> Reach {
        if self.server.organization.is_some() { Reach::OpenNetworks } else { Reach::Anywhere }
    }
}

impl Gateway {
    /// Finds an instance and its one upstream.
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
        let only = instance.connections.first().filter(|_| !instance.has_several_members());
        let upstream = only.and_then(|connection_id| {
            let (connection, server) = view.upstream(*connection_id)?;
            Some(Destination {
                connection_id: *connection_id,
                connection: Arc::clone(connection),
                server: Arc::clone(server),
                url: self.0.addresses.of(connection.server, server)?,
            })
        });
        Ok(Route { instance: Arc::clone(instance), upstream })
    }
}
