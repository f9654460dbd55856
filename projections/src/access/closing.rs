//! Where the log took something away, and when: what an open stream looks at to see whether it must be judged again.
//!
//! Most events open doors or rename them. A stream that was let in need not be judged again for those, however many there are.

use domain::access_token::AccessTokenEvent;
use domain::api_key::ApiKeyEvent;
use domain::client::ClientEvent;
use domain::connection::ConnectionEvent;
use domain::deployment::DeploymentEvent;
use domain::event::Event;
use domain::grant::GrantEvent;
use domain::instance::{InstanceEvent, WhenStale};
use domain::organization::OrganizationEvent;
use domain::server::ServerEvent;
use domain::user::UserEvent;
use domain::value::{ApiKeyId, ClientId, ConnectionId, GrantId, InstanceId, OrganizationId, Position};

use super::{AccessView, HashMap};

/// The last events that may have shut somebody out.
#[derive(Debug, Clone, Default)]
pub(super) struct Closings {
    /// Of any organization.
    last: Position,
    /// Of no organization in particular.
    anywhere: Position,
    organizations: HashMap<OrganizationId, Position>,
}

/// Whom an event may shut out.
enum Closes {
    Nobody,
    In(Option<OrganizationId>),
    Anybody,
}

impl AccessView {
    /// The position of the last event that may have shut out anybody at all.
    pub const fn closed_at(&self) -> Position {
        self.closings.last
    }

    /// The position of the last event that may have shut out callers of these organizations.
    pub fn closed_to(&self, organizations: &[OrganizationId]) -> Position {
        let of = |organization| self.closings.organizations.get(organization).copied();
        organizations.iter().filter_map(of).fold(self.closings.anywhere, Position::max)
    }

    /// Notes that an event may shut somebody out. To be called before it is folded, while what it is about is known.
    pub(super) fn note_closing(&mut self, position: Position, id: &str, fact: &Event) {
        match self.closes(id, fact) {
            Closes::Nobody => return,
            Closes::In(Some(organization)) => {
                self.closings.organizations.insert(organization, position);
            }
            Closes::In(None) | Closes::Anybody => self.closings.anywhere = position,
        }
        self.closings.last = position;
    }

    fn closes(&self, id: &str, fact: &Event) -> Closes {
        match fact {
            Event::Organization(fact) => match fact {
                OrganizationEvent::MemberRemoved { .. }
                | OrganizationEvent::RoleChanged { .. }
                | OrganizationEvent::Suspended { .. }
                | OrganizationEvent::Deleted {} => Closes::In(OrganizationId::parse(id).ok()),
                OrganizationEvent::Created { .. }
                | OrganizationEvent::Resumed {}
                | OrganizationEvent::MemberAdded { .. }
                | OrganizationEvent::Renamed { .. }
                | OrganizationEvent::SlugChanged { .. } => Closes::Nobody,
            },
            Event::User(fact) => match fact {
                UserEvent::Suspended { .. } | UserEvent::Deleted {} | UserEvent::Erased { .. } => {
                    Closes::Anybody
                }
                UserEvent::Registered { .. }
                | UserEvent::Resumed {}
                | UserEvent::EmailChanged { .. }
                | UserEvent::ProfileChanged { .. }
                | UserEvent::PasswordSet {}
                | UserEvent::PasswordRemoved {}
                | UserEvent::IdentityLinked { .. }
                | UserEvent::IdentityUnlinked { .. }
                | UserEvent::FallbackBegan { .. }
                | UserEvent::FallbackEnded { .. } => Closes::Nobody,
            },
            Event::ApiKey(fact) => match fact {
                ApiKeyEvent::Revoked { .. } => {
                    let key = ApiKeyId::parse(id).ok().and_then(|id| self.key_by_id(id));
                    Closes::In(key.map(|key| key.organization))
                }
                ApiKeyEvent::Issued { .. } | ApiKeyEvent::Renamed { .. } => Closes::Nobody,
            },
            Event::Server(fact) => match fact {
                ServerEvent::Retired {} => Closes::Anybody, // others may use it, too
                ServerEvent::Registered { .. }
                | ServerEvent::Updated { .. }
                | ServerEvent::OauthChanged { .. } => Closes::Nobody,
            },
            Event::Connection(fact) => match fact {
                ConnectionEvent::Removed {} => {
                    let connection = ConnectionId::parse(id).ok().and_then(|id| self.connections.get(&id));
                    Closes::In(connection.map(|connection| connection.organization))
                }
                ConnectionEvent::Created { .. }
                | ConnectionEvent::Renamed { .. }
                | ConnectionEvent::SecretsSet { .. }
                | ConnectionEvent::Authorized { .. }
                | ConnectionEvent::ScopesWanted { .. }
                // Of what an upstream is told, nothing is taken from whoever listens already.
                | ConnectionEvent::AuthorizationLost { .. }
                | ConnectionEvent::AuthorizationWithdrawn { .. } => Closes::Nobody,
            },
            Event::Instance(fact) => self.closes_at_instance(id, fact),
            Event::Deployment(fact) => match fact {
                DeploymentEvent::MaintenanceStarted { .. }
                | DeploymentEvent::AdministratorRemoved { .. }
                | DeploymentEvent::SigningKeyRetired { emergency: true, .. } => Closes::Anybody,
                DeploymentEvent::Bootstrapped { .. }
                | DeploymentEvent::AdministratorAdded { .. }
                | DeploymentEvent::MaintenanceEnded {}
                | DeploymentEvent::AnnouncementPublished { .. }
                | DeploymentEvent::AnnouncementWithdrawn { .. }
                | DeploymentEvent::LinksChanged { .. }
                | DeploymentEvent::ParkedEventRetried { .. }
                | DeploymentEvent::ParkedEventSkipped { .. }
                | DeploymentEvent::SigningKeyAdded { .. }
                | DeploymentEvent::SigningKeyActivated { .. }
                | DeploymentEvent::ProviderAdded { .. }
                | DeploymentEvent::ProviderChanged { .. }
                | DeploymentEvent::ProviderRemoved { .. }
                | DeploymentEvent::SigningKeyRetired { emergency: false, .. } => Closes::Nobody, // no token of it is left
            },
            Event::Client(fact) => self.closes_to_client(id, fact),
            Event::Grant(fact) => match fact {
                GrantEvent::ScopesChanged { .. }
                | GrantEvent::Revoked { .. }
                | GrantEvent::TokenRevoked { .. } => {
                    let grant = GrantId::parse(id).ok().and_then(|id| self.grant(id));
                    Closes::In(grant.map(|grant| grant.organization))
                }
                GrantEvent::Granted { .. } => Closes::Nobody,
            },
            Event::AccessToken(AccessTokenEvent::Revoked { organization, .. }) => Closes::In(*organization),
        }
    }

    /// A client may be let in at the instances of any organization.
    fn closes_to_client(&self, id: &str, fact: &ClientEvent) -> Closes {
        let client = || ClientId::parse(id).ok().and_then(|id| self.client(id));
        match fact {
            ClientEvent::Disabled { .. } | ClientEvent::Deleted { .. } => Closes::Anybody,
            ClientEvent::Updated { scopes, .. }
            | ClientEvent::SelfDescribed { scopes, .. }
            | ClientEvent::DocumentSeen { scopes, .. } => match client() {
                Some(client) if !scopes.grant_all(&client.scopes) => Closes::Anybody,
                Some(_) | None => Closes::Nobody,
            },
            // In its own name it is at home only.
            ClientEvent::TokenRevoked { .. } => {
                Closes::In(client().and_then(|client| client.organization))
            }
            ClientEvent::Registered { .. }
            | ClientEvent::SelfRegistered { .. }
            | ClientEvent::FirstUsed {}
            | ClientEvent::RegistrationTokenRevoked {} // it opened no instance
            | ClientEvent::SecretRotated { .. } // what it got with the old one stays
            | ClientEvent::KeysReplaced { .. } // the same
            | ClientEvent::KeysPublished { .. }
            | ClientEvent::Enabled {} => Closes::Nobody,
        }
    }

    fn closes_at_instance(&self, id: &str, fact: &InstanceEvent) -> Closes {
        match fact {
            InstanceEvent::ConnectionsChanged { .. }
            | InstanceEvent::MembersNamed { .. }
            | InstanceEvent::ToolsChanged { .. }
            | InstanceEvent::AuthenticationChanged { .. }
            | InstanceEvent::WhenStaleChanged { when_stale: WhenStale::Refuse }
            | InstanceEvent::Stopped {}
            | InstanceEvent::Deleted {} => {
                let instance = InstanceId::parse(id).ok().and_then(|id| self.instance(id));
                Closes::In(instance.map(|instance| instance.organization))
            }
            InstanceEvent::Created { .. }
            | InstanceEvent::RecordingChanged { .. }
            | InstanceEvent::Renamed { .. }
            | InstanceEvent::WhenStaleChanged { when_stale: WhenStale::Serve }
            | InstanceEvent::Started {} => Closes::Nobody,
        }
    }
}
