//! What a decision about a key at an instance looks at.

use std::sync::Arc;

use domain::policy::Standing;
use domain::value::ToolSelection;
use serde_json::{Value, json};

use super::super::{AccessView, Instance, Key};
use super::Subject;

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
    pub(super) fn value(self, view: &AccessView, subject: Subject) -> Option<Value> {
        let key = || view.key_by_id(subject.key);
        let instance = || view.instance(subject.instance);
        match self {
            Self::KeyRevoked => key().map(|key| json!(key.revoked)),
            Self::KeyExpiresAt => key().map(|key| json!(key.expires_at)),
            Self::Principal => {
                let user = key()?.principal;
                view.users.get(&user).map(|found| standing(&user, *found))
            }
            Self::Organization => organization(view, key()?.organization),
            Self::Role => role(view, key()?),
            Self::InstanceOrganization => organization(view, instance()?.organization),
            Self::Authentication => instance().map(|instance| json!(instance.authentication.as_str())),
            Self::Instance => instance().map(|instance| json!(running(instance))),
            Self::KeyBoundTo => key().map(|key| json!(key.instance)),
            Self::Maintenance => Some(json!(view.deployment.maintenance.is_some())),
            Self::Tools => instance().map(|instance| match &instance.tools {
                ToolSelection::All => json!("all"),
                ToolSelection::Only(names) => json!(names),
            }),
            Self::KeyScopes => key().map(|key| json!(key.scopes)),
            Self::Connection => connection(view, instance()?),
            Self::Server => server(view, instance()?),
        }
    }
}

fn standing(id: &impl ToString, standing: Standing) -> Value {
    json!({ "id": id.to_string(), "standing": named(standing) })
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

fn organization(view: &AccessView, id: domain::value::OrganizationId) -> Option<Value> {
    view.organizations.get(&id).map(|found| standing(&id, *found))
}

fn role(view: &AccessView, key: &Arc<Key>) -> Option<Value> {
    view.role(key.organization, key.principal).map(|role| json!(role.as_str()))
}

fn connection(view: &AccessView, instance: &Instance) -> Option<Value> {
    let id = instance.connections.first()?;
    let connection = view.connections.get(id)?;
    Some(json!({ "id": id, "standing": if connection.removed { "removed" } else { "active" } }))
}

fn server(view: &AccessView, instance: &Instance) -> Option<Value> {
    let connection = view.connections.get(instance.connections.first()?)?;
    let server = view.server(connection.server)?;
    Some(json!({ "id": connection.server, "standing": if server.retired { "retired" } else { "active" } }))
}
