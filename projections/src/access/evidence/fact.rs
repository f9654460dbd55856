//! What a decision about a credential at an instance looks at.

use std::collections::BTreeSet;

use domain::policy::Standing;
use domain::value::{ClientId, ConnectionId, OrganizationId, Role, ServerId, ToolSelection, UserId};
use serde::Serialize;
use serde_json::{Value, json};

use super::super::{AccessView, Client, Credential, Grant, Instance, Key};
use super::Subject;
use super::search::Name;

/// A fact that enters a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FactName {
    /// Whether the key was revoked.
    KeyRevoked,
    /// When the key ends by itself.
    KeyExpiresAt,
    /// The standing of the client.
    Client,
    /// By which grants the client gets tokens.
    ClientGrantTypes,
    /// Whether what the user consented to still holds.
    Grant,
    /// When that ends by itself.
    GrantExpiresAt,
    /// The standing of the user in whose name it calls.
    Principal,
    /// The standing of the credential's organization.
    Organization,
    /// What the user is there; a client in its own name counts as a member of its organization.
    Role,
    /// The organization that the instance belongs to, and its standing.
    InstanceOrganization,
    /// How the instance takes callers.
    Authentication,
    /// The standing of the instance.
    Instance,
    /// The one instance that the key is bound to.
    KeyBoundTo,
    /// The one instance that the user consented to.
    GrantBoundTo,
    /// Whether a maintenance is under way.
    Maintenance,
    /// The allow-list.
    Tools,
    /// What the key may do.
    KeyScopes,
    /// What the user consented to.
    GrantScopes,
    /// The most that the client may do.
    ClientScopes,
    /// What the member is called that the tool leads to, where the instance has several.
    Member,
    /// The connection behind the instance.
    Connection,
    /// The server behind that.
    Server,
}

use FactName as Is;

/// Of an API key, in the order in which a decision looks at them.
const OF_KEY: &[FactName] = &[
    Is::KeyRevoked,
    Is::KeyExpiresAt,
    Is::Principal,
    Is::Organization,
    Is::Role,
    Is::InstanceOrganization,
    Is::Authentication,
    Is::Instance,
    Is::KeyBoundTo,
    Is::Maintenance,
    Is::Tools,
    Is::KeyScopes,
    Is::Member,
    Is::Connection,
    Is::Server,
];

/// Of a token in the name of a user.
const OF_GRANT: &[FactName] = &[
    Is::GrantBoundTo,
    Is::Client,
    Is::Grant,
    Is::GrantExpiresAt,
    Is::Principal,
    Is::Organization,
    Is::Role,
    Is::InstanceOrganization,
    Is::Authentication,
    Is::Instance,
    Is::Maintenance,
    Is::Tools,
    Is::GrantScopes,
    Is::ClientScopes,
    Is::Member,
    Is::Connection,
    Is::Server,
];

/// Of a token in a client's own name.
const OF_CLIENT: &[FactName] = &[
    Is::ClientGrantTypes,
    Is::Client,
    Is::Organization,
    Is::Role,
    Is::InstanceOrganization,
    Is::Authentication,
    Is::Instance,
    Is::Maintenance,
    Is::Tools,
    Is::ClientScopes,
    Is::Member,
    Is::Connection,
    Is::Server,
];

impl FactName {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::KeyRevoked => "key_revoked",
            Self::KeyExpiresAt => "key_expires_at",
            Self::Client => "client",
            Self::ClientGrantTypes => "client_grant_types",
            Self::Grant => "grant",
            Self::GrantExpiresAt => "grant_expires_at",
            Self::Principal => "principal",
            Self::Organization => "organization",
            Self::Role => "role",
            Self::InstanceOrganization => "instance_organization",
            Self::Authentication => "authentication",
            Self::Instance => "instance",
            Self::KeyBoundTo => "key_bound_to",
            Self::GrantBoundTo => "grant_bound_to",
            Self::Maintenance => "maintenance",
            Self::Tools => "tools",
            Self::KeyScopes => "key_scopes",
            Self::GrantScopes => "grant_scopes",
            Self::ClientScopes => "client_scopes",
            Self::Member => "member",
            Self::Connection => "connection",
            Self::Server => "server",
        }
    }

    /// What it is in a view; `None` when there is nothing to have it.
    pub(super) fn value(self, view: &AccessView, about: About<'_>) -> Option<Value> {
        let key = || about.key(view);
        let grant = || about.grant(view);
        let client = || about.client.and_then(|id| view.client(id));
        let instance = || view.instance(about.subject.instance);
        match self {
            Self::KeyRevoked => key().map(|key| json!(key.revoked)),
            Self::KeyExpiresAt => key().map(|key| json!(key.expires_at)),
            Self::Client => client().map(|client| standing(client.id, client.standing)),
            Self::ClientGrantTypes => client().map(|client| json!(client.grant_types())),
            Self::Grant => grant().map(
                |grant| json!({ "id": grant.id, "standing": if grant.revoked { "revoked" } else { "live" } }),
            ),
            Self::GrantExpiresAt => grant().map(|grant| json!(grant.expires_at)),
            Self::Principal => {
                let user = about.user?;
                view.users.get(&user).map(|found| standing(user, *found))
            }
            Self::Organization => organization(view, about.organization?),
            Self::Role => about.role(view).map(|role| json!(role.as_str())),
            Self::InstanceOrganization => organization(view, about.instance_organization?),
            Self::Authentication => instance().map(|instance| json!(instance.authentication.as_str())),
            Self::Instance => instance().map(|instance| json!(running(instance))),
            Self::KeyBoundTo => key().map(|key| json!(key.instance)),
            Self::GrantBoundTo => grant().map(|grant| json!(grant.instance)),
            Self::Maintenance => Some(json!(view.deployment.maintenance.is_some())),
            Self::Tools => instance().map(|instance| match &instance.tools {
                ToolSelection::All => json!("all"),
                ToolSelection::Only(names) => json!(names),
            }),
            Self::KeyScopes => key().map(|key| json!(key.scopes)),
            Self::GrantScopes => grant().map(|grant| json!(grant.scopes)),
            Self::ClientScopes => client().map(|client| json!(client.scopes)),
            Self::Member => {
                let name = instance()?.names.get(&about.connection?);
                name.filter(|_| instance().is_some_and(|instance| instance.has_several_members()))
                    .map(|name| json!(name))
            }
            Self::Connection => {
                let id = about.connection?;
                let removed = view.connections.get(&id)?.removed;
                Some(json!({ "id": id, "standing": if removed { "removed" } else { "active" } }))
            }
            Self::Server => {
                let id = about.server?;
                let retired = view.server(id)?.retired;
                Some(json!({ "id": id, "standing": if retired { "retired" } else { "active" } }))
            }
        }
    }
}

/// Whom and what the facts are about, as of the moment: the history of each is its own. That a key was issued to a member makes nobody a member.
#[derive(Debug, Clone, Copy)]
pub(super) struct About<'a> {
    subject: Subject<'a>,
    user: Option<UserId>,
    client: Option<ClientId>,
    organization: Option<OrganizationId>,
    instance_organization: Option<OrganizationId>,
    connection: Option<ConnectionId>,
    server: Option<ServerId>,
}

impl<'a> About<'a> {
    /// What a view of the moment says of the subject.
    pub(super) fn of(view: &AccessView, subject: Subject<'a>) -> Self {
        let instance = view.instance(subject.instance);
        let connection = instance.and_then(|instance| instance.connection_of(subject.tool)).map(|(id, _)| id);
        let server = connection.and_then(|id| view.connections.get(&id)).map(|connection| connection.server);
        let (user, client, organization) = match subject.credential {
            Credential::Key(id) => {
                let key = view.key_by_id(id);
                (key.map(|key| key.principal), None, key.map(|key| key.organization))
            }
            Credential::Grant(id) => {
                let grant = view.grant(id);
                let client = grant.map(|grant| grant.client);
                (grant.map(|grant| grant.user), client, grant.map(|grant| grant.organization))
            }
            Credential::Client(id) => {
                (None, Some(id), view.client(id).and_then(|client| client.organization))
            }
        };
        let instance_organization = instance.map(|instance| instance.organization);
        Self { subject, user, client, organization, instance_organization, connection, server }
    }

    /// What a decision about such a credential looks at.
    pub(super) const fn facts(self) -> &'static [FactName] {
        match self.subject.credential {
            Credential::Key(_) => OF_KEY,
            Credential::Grant(_) => OF_GRANT,
            Credential::Client(_) => OF_CLIENT,
        }
    }

    /// The aggregates that have the facts.
    pub(super) fn names(self) -> BTreeSet<Name> {
        let one = |kind, id: Option<String>| id.map(|id| (kind, id));
        let credential = self.subject.credential;
        let names = [
            one("deployment", Some("deployment".to_owned())),
            one(credential.kind(), Some(credential.uuid().to_string())),
            one("instance", Some(self.subject.instance.to_string())),
            one("user", self.user.map(|id| id.to_string())),
            one("client", self.client.map(|id| id.to_string())),
            one("organization", self.organization.map(|id| id.to_string())),
            one("organization", self.instance_organization.map(|id| id.to_string())),
            one("connection", self.connection.map(|id| id.to_string())),
            one("server", self.server.map(|id| id.to_string())),
        ];
        names.into_iter().flatten().collect()
    }

    fn key(self, view: &AccessView) -> Option<&Key> {
        match self.subject.credential {
            Credential::Key(id) => view.key_by_id(id).map(AsRef::as_ref),
            Credential::Grant(_) | Credential::Client(_) => None,
        }
    }

    fn grant(self, view: &AccessView) -> Option<&Grant> {
        match self.subject.credential {
            Credential::Grant(id) => view.grant(id).map(AsRef::as_ref),
            Credential::Key(_) | Credential::Client(_) => None,
        }
    }

    fn role(self, view: &AccessView) -> Option<Role> {
        let organization = self.organization?;
        match self.subject.credential {
            Credential::Key(_) | Credential::Grant(_) => view.role(organization, self.user?),
            Credential::Client(id) => {
                let owner = |client: &Client| client.organization;
                let is_at_home = view.client(id).map(AsRef::as_ref).and_then(owner) == Some(organization)
                    && view.instance(self.subject.instance)?.organization == organization;
                is_at_home.then_some(Role::Member)
            }
        }
    }
}

fn standing(id: impl Serialize, standing: Standing) -> Value {
    json!({ "id": id, "standing": named(standing) })
}

const fn named(standing: Standing) -> &'static str {
    match standing {
        Standing::Active => "active",
        Standing::Suspended => "suspended",
        Standing::Ended => "deleted",
    }
}

fn running(instance: &Instance) -> &'static str {
    match instance.standing {
        Standing::Active => "running",
        Standing::Suspended => "stopped",
        Standing::Ended => "deleted",
    }
}

fn organization(view: &AccessView, id: OrganizationId) -> Option<Value> {
    view.organizations.get(&id).map(|found| standing(id, *found))
}
