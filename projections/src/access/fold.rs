//! Event in, view out. Total: an event about something unknown changes nothing.

use std::sync::Arc;

use domain::api_key::ApiKeyEvent;
use domain::connection::ConnectionEvent;
use domain::deployment::DeploymentEvent;
use domain::event::{Event, Undecodable};
use domain::instance::{InstanceEvent, MemberNames, Recording, WhenStale};
use domain::organization::OrganizationEvent;
use domain::policy::Standing;
use domain::server::{ServerEvent, Transport};
use domain::user::UserEvent;
use domain::value::{
    ApiKeyId, ClientId, ConnectionId, GrantId, IdError, InstanceId, OrganizationId, Position, ServerId,
    TokenId, UserId,
};

use super::{
    AccessView, Connection, ConnectionAuthorization, ConnectionSecrets, Instance, Key, Maintenance, Server,
};
use crate::recorded::Foldable;

/// An event that this binary cannot take into its view. The gateway must not go on with a view that lacks it.
#[derive(Debug, thiserror::Error)]
pub enum FoldError {
    /// The event is of a kind or version that this binary does not know.
    #[error("at position {0}: {1}")]
    Undecodable(Position, Undecodable),
    /// The aggregate's id is not one.
    #[error("at position {0}: {1}")]
    Id(Position, IdError),
    /// Not the next position.
    #[error("the view is at {at} and was given {given}")]
    OutOfOrder {
        /// Where the view is.
        at: Position,
        /// What came.
        given: Position,
    },
}

impl AccessView {
    /// Takes in the next event.
    pub fn apply(&mut self, event: &Foldable) -> Result<(), FoldError> {
        let fact = event.decode().map_err(|error| FoldError::Undecodable(event.position, error))?;
        self.witness(event.position, &event.aggregate_id, fact)
    }

    /// Takes in the next event, while nobody decides by this view yet: there are no streams that it might close.
    pub(super) fn catch_up(&mut self, event: &Foldable) -> Result<(), FoldError> {
        let fact = event.decode().map_err(|error| FoldError::Undecodable(event.position, error))?;
        self.take(event.position, &event.aggregate_id, fact)
    }

    /// Takes in the next event, and notes whom it may shut out.
    pub(super) fn witness(&mut self, position: Position, id: &str, fact: Event) -> Result<(), FoldError> {
        self.note_closing(position, id, &fact);
        self.take(position, id, fact)
    }

    /// Takes in the next event, which somebody has decoded already.
    pub fn take(&mut self, position: Position, id: &str, fact: Event) -> Result<(), FoldError> {
        if position != self.position.next() {
            return Err(FoldError::OutOfOrder { at: self.position, given: position });
        }
        self.fold(id, fact).map_err(|error| FoldError::Id(position, error))?;
        self.position = position;
        Ok(())
    }

    /// Takes in one of some events, in order, where others lie between. The view is then one of what they are about, and of nothing else.
    pub(super) fn take_some(&mut self, position: Position, id: &str, fact: Event) -> Result<(), IdError> {
        self.fold(id, fact)?;
        self.position = position;
        Ok(())
    }

    fn fold(&mut self, id: &str, fact: Event) -> Result<(), IdError> {
        match fact {
            Event::Organization(fact) => self.fold_organization(OrganizationId::parse(id)?, &fact),
            Event::User(fact) => self.fold_user(UserId::parse(id)?, &fact),
            Event::Client(fact) => self.fold_client(ClientId::parse(id)?, fact),
            Event::Grant(fact) => self.fold_grant(GrantId::parse(id)?, fact),
            Event::AccessToken(fact) => self.fold_access_token(TokenId::parse(id)?, &fact),
            Event::ApiKey(fact) => self.fold_key(ApiKeyId::parse(id)?, fact),
            Event::Server(fact) => self.fold_server(ServerId::parse(id)?, fact),
            Event::Connection(fact) => self.fold_connection(ConnectionId::parse(id)?, &fact),
            Event::Instance(fact) => self.fold_instance(InstanceId::parse(id)?, fact),
            Event::Deployment(fact) => self.fold_deployment(fact),
        }
        Ok(())
    }

    fn fold_organization(&mut self, id: OrganizationId, fact: &OrganizationEvent) {
        match fact {
            OrganizationEvent::Created { .. } | OrganizationEvent::Resumed {} => {
                self.organizations.insert(id, Standing::Active);
            }
            OrganizationEvent::MemberAdded { user, role } | OrganizationEvent::RoleChanged { user, role } => {
                self.members.insert((id, *user), *role);
            }
            OrganizationEvent::MemberRemoved { user } => {
                self.members.remove(&(id, *user));
            }
            OrganizationEvent::Suspended { .. } => {
                self.organizations.insert(id, Standing::Suspended);
            }
            OrganizationEvent::Deleted {} => {
                self.organizations.insert(id, Standing::Ended);
            }
            OrganizationEvent::Renamed { .. } | OrganizationEvent::SlugChanged { .. } => {} // no decision reads a name
        }
    }

    fn fold_user(&mut self, id: UserId, fact: &UserEvent) {
        self.fold_identity(id, fact);
        let standing = match fact {
            UserEvent::Registered { .. } | UserEvent::Resumed {} => Standing::Active,
            UserEvent::Suspended { .. } => Standing::Suspended,
            UserEvent::Deleted {} | UserEvent::Erased { .. } => Standing::Ended,
            UserEvent::EmailChanged { .. }
            | UserEvent::ProfileChanged { .. }
            | UserEvent::IdentityLinked { .. }
            | UserEvent::IdentityUnlinked { .. }
            | UserEvent::FallbackBegan { .. }
            | UserEvent::FallbackEnded { .. }
            | UserEvent::PasswordSet {}
            | UserEvent::PasswordRemoved {} => return, // personal data stay out of here, and how somebody signs in is no business of a call
        };
        self.users.insert(id, standing);
    }

    fn fold_key(&mut self, id: ApiKeyId, fact: ApiKeyEvent) {
        match fact {
            ApiKeyEvent::Issued {
                organization,
                key_id,
                name: _,
                principal,
                issued_by,
                instance,
                scopes,
                digest,
                expires_at,
                environment,
            } => {
                self.key_ids.insert(id, key_id.clone());
                let key = Key {
                    id,
                    organization,
                    principal,
                    issued_by,
                    instance,
                    scopes,
                    digest,
                    expires_at,
                    environment,
                    revoked: false,
                };
                self.keys.insert(key_id, Arc::new(key));
            }
            ApiKeyEvent::Renamed { .. } => {}
            ApiKeyEvent::Revoked { .. } => {
                if let Some(key) = self.key_ids.get(&id).and_then(|key_id| self.keys.get_mut(key_id)) {
                    Arc::make_mut(key).revoked = true;
                }
            }
        }
    }

    fn fold_server(&mut self, id: ServerId, fact: ServerEvent) {
        match fact {
            ServerEvent::Registered {
                organization,
                name: _,
                transport,
                credential_fields,
                visibility: _,
            } => {
                let Transport::Http { url } = transport;
                let (generation, oauth, retired) = (0, None, false);
                let server = Server { organization, url, generation, credential_fields, oauth, retired };
                self.servers.insert(id, Arc::new(server));
            }
            ServerEvent::Updated { name: _, transport, credential_fields, visibility: _ } => {
                let Transport::Http { url } = transport;
                if let Some(server) = self.servers.get_mut(&id) {
                    let server = Arc::make_mut(server);
                    if !url.is_at_origin_of(&server.url) {
                        server.generation = server.generation.saturating_add(1);
                    }
                    server.url = url;
                    server.credential_fields = credential_fields;
                }
            }
            ServerEvent::OauthChanged { oauth } => {
                if let Some(server) = self.servers.get_mut(&id) {
                    Arc::make_mut(server).oauth = oauth.map(Arc::new);
                }
            }
            ServerEvent::Retired {} => {
                if let Some(server) = self.servers.get_mut(&id) {
                    Arc::make_mut(server).retired = true;
                }
            }
        }
    }

    fn fold_connection(&mut self, id: ConnectionId, fact: &ConnectionEvent) {
        match fact {
            ConnectionEvent::Created { organization, owner: _, server, name: _ } => {
                let connection = Connection {
                    organization: *organization,
                    server: *server,
                    secrets: None,
                    authorization: None,
                    removed: false,
                };
                self.connections.insert(id, Arc::new(connection));
            }
            // What is asked for next opens nothing now.
            ConnectionEvent::Renamed { .. } | ConnectionEvent::ScopesWanted { .. } => {}
            ConnectionEvent::SecretsSet { version, fields: _ } => {
                if let Some(connection) = self.connections.get_mut(&id) {
                    let generation =
                        self.servers.get(&connection.server).map_or(0, |server| server.generation);
                    let secrets = ConnectionSecrets { version: *version, generation };
                    Arc::make_mut(connection).secrets = Some(secrets);
                }
            }
            ConnectionEvent::Authorized { authorization, .. } => {
                if let Some(connection) = self.connections.get_mut(&id) {
                    let generation =
                        self.servers.get(&connection.server).map_or(0, |server| server.generation);
                    let held = ConnectionAuthorization { id: *authorization, generation };
                    Arc::make_mut(connection).authorization = Some(held);
                }
            }
            ConnectionEvent::AuthorizationLost { .. } | ConnectionEvent::AuthorizationWithdrawn { .. } => {
                if let Some(connection) = self.connections.get_mut(&id) {
                    Arc::make_mut(connection).authorization = None;
                }
            }
            ConnectionEvent::Removed {} => {
                if let Some(connection) = self.connections.get_mut(&id) {
                    Arc::make_mut(connection).removed = true;
                }
            }
        }
    }

    fn fold_instance(&mut self, id: InstanceId, fact: InstanceEvent) {
        if let InstanceEvent::Created { organization, name: _, connections, tools, authentication } = fact {
            let standing = Standing::Active;
            self.instances_of.entry(organization).or_default().insert(id);
            self.instances.insert(
                id,
                Arc::new(Instance {
                    id,
                    organization,
                    connections,
                    names: MemberNames::new(),
                    tools,
                    authentication,
                    standing,
                    recording: Recording::default(),
                    when_stale: WhenStale::default(),
                }),
            );
            return;
        }
        if matches!(fact, InstanceEvent::Renamed { .. }) {
            return; // nothing is looked up, nor copied, for a name that no decision reads
        }
        let Some(instance) = self.instances.get_mut(&id) else { return };
        let instance = Arc::make_mut(instance);
        match fact {
            InstanceEvent::Created { .. } | InstanceEvent::Renamed { .. } => {}
            InstanceEvent::ConnectionsChanged { connections } => {
                instance.names.retain(|id, _| connections.contains(id));
                instance.connections = connections;
            }
            InstanceEvent::MembersNamed { names } => instance.names = names,
            InstanceEvent::ToolsChanged { tools } => instance.tools = tools,
            InstanceEvent::AuthenticationChanged { authentication } => {
                instance.authentication = authentication;
            }
            InstanceEvent::RecordingChanged { recording } => instance.recording = recording,
            InstanceEvent::WhenStaleChanged { when_stale } => instance.when_stale = when_stale,
            InstanceEvent::Started {} => instance.standing = Standing::Active,
            InstanceEvent::Stopped {} => instance.standing = Standing::Suspended,
            InstanceEvent::Deleted {} => instance.standing = Standing::Ended,
        }
    }

    fn fold_deployment(&mut self, fact: DeploymentEvent) {
        self.fold_signing_key(&fact);
        let deployment = &mut self.deployment;
        match fact {
            DeploymentEvent::Bootstrapped { administrator } => {
                deployment.bootstrapped = true;
                deployment.administrators.insert(administrator);
            }
            DeploymentEvent::AdministratorAdded { user } => {
                deployment.administrators.insert(user);
            }
            DeploymentEvent::AdministratorRemoved { user } => {
                deployment.administrators.remove(&user);
            }
            DeploymentEvent::MaintenanceStarted { until, allowed } => {
                let allowed = allowed.into_iter().collect();
                deployment.maintenance = Some(Arc::new(Maintenance { until, allowed }));
            }
            DeploymentEvent::MaintenanceEnded {} => deployment.maintenance = None,
            DeploymentEvent::AnnouncementPublished { .. }
            | DeploymentEvent::AnnouncementWithdrawn { .. }
            | DeploymentEvent::LinksChanged { .. }
            | DeploymentEvent::ParkedEventRetried { .. }
            | DeploymentEvent::ParkedEventSkipped { .. } // those are for pages and read models, not for decisions
            | DeploymentEvent::SigningKeyAdded { .. }
            | DeploymentEvent::SigningKeyActivated { .. }
            | DeploymentEvent::SigningKeyRetired { .. } => {} // folded above
            DeploymentEvent::ProviderAdded { .. }
            | DeploymentEvent::ProviderChanged { .. }
            | DeploymentEvent::ProviderRemoved { .. } => deployment.fold_provider(fact),
        }
    }
}
