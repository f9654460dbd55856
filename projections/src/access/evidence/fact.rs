//! What a decision about a key at an instance looks at.

use std::collections::BTreeSet;

use domain::policy::Standing;
use domain::value::{ConnectionId, OrganizationId, ServerId, ToolSelection, UserId};
use serde::Serialize;
use serde_json::{Value, json};

use super::super::{AccessView, Instance};
use super::Subject;
use super::search::Name;

/// A fact that enters a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FactName {
    /// Whether the key was revoked.
    KeyRevoked,
    /// When the key ends by itself.
    KeyExpiresAt,
    /// The standing of the user in whose name it calls.
    Principal,
    /// The standing of the key's organization.
    Organization,
    /// What the user is there.
    Role,
    /// The organization that the instance belongs to, and its standing.
    InstanceOrganization,
    /// How the instance takes callers.
    Authentication,
    /// The standing of the instance.
    Instance,
    /// The one instance that the key is bound to.
    KeyBoundTo,
    /// Whether a maintenance is under way.
    Maintenance,
    /// The allow-list.
    Tools,
    /// What the key may do.
    KeyScopes,
    /// The connection behind the instance.
    Connection,
    /// The server behind that.
    Server,
}

impl FactName {
    /// All of them, in the order in which a decision looks at them.
    pub const ALL: [Self; 14] = [
        Self::KeyRevoked,
        Self::KeyExpiresAt,
        Self::Principal,
        Self::Organization,
        Self::Role,
        Self::InstanceOrganization,
        Self::Authentication,
        Self::Instance,
        Self::KeyBoundTo,
        Self::Maintenance,
        Self::Tools,
        Self::KeyScopes,
        Self::Connection,
        Self::Server,
    ];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::KeyRevoked => "key_revoked",
            Self::KeyExpiresAt => "key_expires_at",
            Self::Principal => "principal",
            Self::Organization => "organization",
            Self::Role => "role",
            Self::InstanceOrganization => "instance_organization",
            Self::Authentication => "authentication",
            Self::Instance => "instance",
            Self::KeyBoundTo => "key_bound_to",
            Self::Maintenance => "maintenance",
            Self::Tools => "tools",
            Self::KeyScopes => "key_scopes",
            Self::Connection => "connection",
            Self::Server => "server",
        }
    }

    /// What it is in a view; `None` when there is nothing to have it.
    pub(super) fn value(self, view: &AccessView, about: About) -> Option<Value> {
        let key = || view.key_by_id(about.subject.key);
        let instance = || view.instance(about.subject.instance);
        match self {
            Self::KeyRevoked => key().map(|key| json!(key.revoked)),
            Self::KeyExpiresAt => key().map(|key| json!(key.expires_at)),
            Self::Principal => {
                let user = about.user?;
                view.users.get(&user).map(|found| standing(user, *found))
            }
            Self::Organization => organization(view, about.organization?),
            Self::Role => view.role(about.organization?, about.user?).map(|role| json!(role.as_str())),
            Self::InstanceOrganization => organization(view, about.instance_organization?),
            Self::Authentication => instance().map(|instance| json!(instance.authentication.as_str())),
            Self::Instance => instance().map(|instance| json!(running(instance))),
            Self::KeyBoundTo => key().map(|key| json!(key.instance)),
            Self::Maintenance => Some(json!(view.deployment.maintenance.is_some())),
            Self::Tools => instance().map(|instance| match &instance.tools {
                ToolSelection::All => json!("all"),
                ToolSelection::Only(names) => json!(names),
            }),
            Self::KeyScopes => key().map(|key| json!(key.scopes)),
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
pub(super) struct About {
    subject: Subject,
    user: Option<UserId>,
    organization: Option<OrganizationId>,
    instance_organization: Option<OrganizationId>,
    connection: Option<ConnectionId>,
    server: Option<ServerId>,
}

impl About {
    /// What a view of the moment says of the subject.
    pub(super) fn of(view: &AccessView, subject: Subject) -> Self {
        let (key, instance) = (view.key_by_id(subject.key), view.instance(subject.instance));
        let connection = instance.and_then(|instance| instance.connections.first().copied());
        let server = connection.and_then(|id| view.connections.get(&id)).map(|connection| connection.server);
        Self {
            subject,
            user: key.map(|key| key.principal),
            organization: key.map(|key| key.organization),
            instance_organization: instance.map(|instance| instance.organization),
            connection,
            server,
        }
    }

    /// The aggregates that have the facts.
    pub(super) fn names(self) -> BTreeSet<Name> {
        let one = |kind, id: Option<String>| id.map(|id| (kind, id));
        let names = [
            one("deployment", Some("deployment".to_owned())),
            one("api_key", Some(self.subject.key.to_string())),
            one("instance", Some(self.subject.instance.to_string())),
            one("user", self.user.map(|id| id.to_string())),
            one("organization", self.organization.map(|id| id.to_string())),
            one("organization", self.instance_organization.map(|id| id.to_string())),
            one("connection", self.connection.map(|id| id.to_string())),
            one("server", self.server.map(|id| id.to_string())),
        ];
        names.into_iter().flatten().collect()
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
