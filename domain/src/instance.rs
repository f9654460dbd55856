//! An instance is what stands behind `/mcp/{instance}`: its connections, the tools it exposes, how callers prove themselves.
//!
//! ```text
//!   (unborn) --create--> running <--start-- stopped
//!                           |  `----stop------^ |
//!                           `----delete--> deleted <-'     nothing leaves `deleted`
//! ```
//!
//! A stopped instance can be changed: that is what stopping is for.

mod command;
mod error;
mod event;
mod members;
mod recording;

use serde::{Deserialize, Serialize};

pub use command::InstanceCommand;
pub use error::InstanceError;
pub use event::{CallerAuthentication, InstanceEvent, WhenStale};
pub use members::{CONNECTIONS_MAX, MemberNames, must_be_members};
pub use recording::{ArgumentDays, ArgumentDaysError, ArgumentRecording, Overflow, Recording};

use crate::value::{ConnectionId, DisplayName, InstanceId, OrganizationId, ToolSelection};

/// Names in one tool selection.
pub const SELECTED_TOOLS_MAX: usize = 1_000;

/// State of one instance: only what its rules need.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Instance {
    standing: Standing,
    organization: Option<OrganizationId>,
    name: Option<DisplayName>,
    connections: Vec<ConnectionId>,
    #[serde(default)]
    names: MemberNames,
    tools: Option<ToolSelection>,
    authentication: Option<CallerAuthentication>,
    #[serde(default)]
    recording: Recording,
    #[serde(default)]
    when_stale: WhenStale,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Standing {
    #[default]
    Unborn,
    Running,
    Stopped,
    Deleted,
}

aggregate!(Instance, id: InstanceId, command: InstanceCommand, event: InstanceEvent, error: InstanceError);

impl crate::Aggregate for Instance {
    type Id = InstanceId;

    fn organization(&self, _: InstanceId) -> Option<OrganizationId> {
        self.organization
    }

    fn decide(&self, command: &InstanceCommand) -> Result<Vec<InstanceEvent>, InstanceError> {
        match command {
            InstanceCommand::Create { organization, name, connections, like, tools, authentication } => {
                self.must_be_unborn()?;
                must_be_members(connections)?;
                must_be_reviewable(tools)?;
                let created = InstanceEvent::Created {
                    organization: *organization,
                    name: name.clone(),
                    connections: connections.clone(),
                    tools: tools.clone(),
                    authentication: *authentication,
                };
                Ok(std::iter::once(created).chain(self.newly_named(connections, like)).collect())
            }
            InstanceCommand::Rename { name } => self.rename(name),
            InstanceCommand::ChangeConnections { connections, like } => {
                self.change_connections(connections, like)
            }
            InstanceCommand::NameMembers { names } => self.name_members(names),
            InstanceCommand::ChangeTools { tools } => self.change_tools(tools),
            InstanceCommand::ChangeAuthentication { authentication } => {
                self.change_authentication(*authentication)
            }
            InstanceCommand::ChangeRecording { recording } => self.change_recording(*recording),
            InstanceCommand::ChangeWhenStale { when_stale } => self.change_when_stale(*when_stale),
            InstanceCommand::Start => self.start(),
            InstanceCommand::Stop => self.stop(),
            InstanceCommand::Delete => self.delete(),
        }
    }
}

impl Instance {
    /// Whether it was created and is not gone.
    pub const fn exists(&self) -> bool {
        matches!(self.standing, Standing::Running | Standing::Stopped)
    }

    /// Whether an access token opens it.
    pub fn takes_tokens(&self) -> bool {
        self.authentication.is_some_and(CallerAuthentication::takes_tokens)
    }

    fn rename(&self, name: &DisplayName) -> Result<Vec<InstanceEvent>, InstanceError> {
        self.must_live()?;
        if self.name.as_ref() == Some(name) {
            return Ok(vec![]);
        }
        Ok(vec![InstanceEvent::Renamed { name: name.clone() }])
    }

    fn change_connections(
        &self,
        connections: &[ConnectionId],
        like: &MemberNames,
    ) -> Result<Vec<InstanceEvent>, InstanceError> {
        self.must_live()?;
        must_be_members(connections)?;
        if self.connections == connections {
            return Ok(vec![]);
        }
        let changed = InstanceEvent::ConnectionsChanged { connections: connections.to_vec() };
        Ok(std::iter::once(changed).chain(self.newly_named(connections, like)).collect())
    }

    /// The names of these members, where some of them had none.
    fn newly_named(&self, connections: &[ConnectionId], like: &MemberNames) -> Option<InstanceEvent> {
        let names = members::name_each(connections, &self.names, like);
        let is_new = names.keys().any(|id| !self.names.contains_key(id));
        is_new.then_some(InstanceEvent::MembersNamed { names })
    }

    fn name_members(&self, names: &MemberNames) -> Result<Vec<InstanceEvent>, InstanceError> {
        self.must_live()?;
        members::must_name_each(&self.connections, names)?;
        if self.names == *names {
            return Ok(vec![]);
        }
        Ok(vec![InstanceEvent::MembersNamed { names: names.clone() }])
    }

    fn change_tools(&self, tools: &ToolSelection) -> Result<Vec<InstanceEvent>, InstanceError> {
        self.must_live()?;
        must_be_reviewable(tools)?;
        if self.tools.as_ref() == Some(tools) {
            return Ok(vec![]);
        }
        Ok(vec![InstanceEvent::ToolsChanged { tools: tools.clone() }])
    }

    fn change_authentication(
        &self,
        authentication: CallerAuthentication,
    ) -> Result<Vec<InstanceEvent>, InstanceError> {
        self.must_live()?;
        if self.authentication == Some(authentication) {
            return Ok(vec![]);
        }
        Ok(vec![InstanceEvent::AuthenticationChanged { authentication }])
    }

    fn change_recording(&self, recording: Recording) -> Result<Vec<InstanceEvent>, InstanceError> {
        self.must_live()?;
        if self.recording == recording {
            return Ok(vec![]);
        }
        Ok(vec![InstanceEvent::RecordingChanged { recording }])
    }

    fn change_when_stale(&self, when_stale: WhenStale) -> Result<Vec<InstanceEvent>, InstanceError> {
        self.must_live()?;
        if self.when_stale == when_stale {
            return Ok(vec![]);
        }
        Ok(vec![InstanceEvent::WhenStaleChanged { when_stale }])
    }

    fn start(&self) -> Result<Vec<InstanceEvent>, InstanceError> {
        match self.standing {
            Standing::Unborn => Err(InstanceError::Unknown),
            Standing::Deleted => Err(InstanceError::Deleted),
            Standing::Running => Ok(vec![]),
            Standing::Stopped => Ok(vec![InstanceEvent::Started {}]),
        }
    }

    fn stop(&self) -> Result<Vec<InstanceEvent>, InstanceError> {
        match self.standing {
            Standing::Unborn => Err(InstanceError::Unknown),
            Standing::Deleted => Err(InstanceError::Deleted),
            Standing::Stopped => Ok(vec![]),
            Standing::Running => Ok(vec![InstanceEvent::Stopped {}]),
        }
    }

    fn delete(&self) -> Result<Vec<InstanceEvent>, InstanceError> {
        match self.standing {
            Standing::Unborn => Err(InstanceError::Unknown),
            Standing::Deleted => Ok(vec![]),
            Standing::Running | Standing::Stopped => Ok(vec![InstanceEvent::Deleted {}]),
        }
    }

    fn must_be_unborn(&self) -> Result<(), InstanceError> {
        match self.standing {
            Standing::Unborn => Ok(()),
            Standing::Running | Standing::Stopped | Standing::Deleted => Err(InstanceError::Exists),
        }
    }

    fn must_live(&self) -> Result<(), InstanceError> {
        match self.standing {
            Standing::Unborn => Err(InstanceError::Unknown),
            Standing::Deleted => Err(InstanceError::Deleted),
            Standing::Running | Standing::Stopped => Ok(()),
        }
    }

    fn evolve(&mut self, event: InstanceEvent) {
        match event {
            InstanceEvent::Created { organization, name, connections, tools, authentication } => {
                self.standing = Standing::Running;
                self.organization = Some(organization);
                self.name = Some(name);
                self.connections = connections;
                self.tools = Some(tools);
                self.authentication = Some(authentication);
            }
            InstanceEvent::Renamed { name } => self.name = Some(name),
            InstanceEvent::ConnectionsChanged { connections } => {
                self.names.retain(|id, _| connections.contains(id));
                self.connections = connections;
            }
            InstanceEvent::MembersNamed { names } => self.names = names,
            InstanceEvent::ToolsChanged { tools } => self.tools = Some(tools),
            InstanceEvent::AuthenticationChanged { authentication } => {
                self.authentication = Some(authentication);
            }
            InstanceEvent::RecordingChanged { recording } => self.recording = recording,
            InstanceEvent::WhenStaleChanged { when_stale } => self.when_stale = when_stale,
            InstanceEvent::Started {} => self.standing = Standing::Running,
            InstanceEvent::Stopped {} => self.standing = Standing::Stopped,
            InstanceEvent::Deleted {} => self.standing = Standing::Deleted,
        }
    }
}

fn must_be_reviewable(tools: &ToolSelection) -> Result<(), InstanceError> {
    match tools {
        ToolSelection::Only(names) if names.len() > SELECTED_TOOLS_MAX => Err(InstanceError::TooManyTools),
        ToolSelection::Only(_) | ToolSelection::All => Ok(()),
    }
}

#[cfg(test)]
mod tests;
