//! The one decision: facts and a wish in, a `Permit` or a `Denial` out. The gateway, the management API and (later) every explanation of
//! the past ask this function and no other.
//!
//! What a call may do = instance allow-list ∩ role ∩ scopes of the credential ∩ everything is active.

mod denial;
mod holder;
mod token;

use crate::instance::CallerAuthentication;
use crate::value::{InstanceId, OrganizationId, Role, Scope, Scopes, Timestamp, ToolSelection};

pub use denial::Denial;
use holder::Holder;
pub use token::{TokenFacts, TokenSubject, token_authenticates};

/// Whether something still counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Standing {
    /// In force.
    #[default]
    Active,
    /// Refused for now.
    Suspended,
    /// Gone for good.
    Ended,
}

/// Who asks, as far as the decision needs it.
#[derive(Debug, Clone, Copy)]
pub enum Caller<'a> {
    /// Somebody with an API key.
    Key(KeyFacts<'a>),
    /// A client with an access token.
    Token(TokenFacts<'a>),
    /// Nobody in particular, on this machine's loopback address.
    Loopback,
}

/// The facts about an API key and the member behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyFacts<'a> {
    /// The organization that the key belongs to.
    pub organization: OrganizationId,
    /// That organization's standing.
    pub organization_standing: Standing,
    /// The standing of the user that the key is bound to.
    pub principal_standing: Standing,
    /// What that user is in the organization; `None` when not a member any more.
    pub role: Option<Role>,
    /// Whether the key was revoked.
    pub revoked: bool,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// What it may do.
    pub scopes: &'a Scopes,
    /// The one instance that it is bound to, if it is bound.
    pub instance: Option<InstanceId>,
}

/// What the wish is about.
#[derive(Debug, Clone, Copy)]
pub enum Target<'a> {
    /// The management API of an organization.
    Organization(OrganizationId),
    /// An MCP endpoint.
    Instance(InstanceFacts<'a>),
}

/// The facts about an instance.
#[derive(Debug, Clone, Copy)]
pub struct InstanceFacts<'a> {
    /// Which one.
    pub id: InstanceId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// That organization's standing.
    pub organization_standing: Standing,
    /// `Suspended` when stopped, `Ended` when deleted.
    pub standing: Standing,
    /// How callers prove who they are.
    pub authentication: CallerAuthentication,
    /// The allow-list.
    pub tools: &'a ToolSelection,
}

/// All facts of one decision.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Who asks.
    pub caller: Caller<'a>,
    /// About what.
    pub target: Target<'a>,
    /// Whether the deployment is in maintenance (for this caller).
    pub maintenance: bool,
    /// The moment of the decision.
    pub now: Timestamp,
}

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish<'a> {
    /// Connect: initialize, discover, ping, list, and everything that only opens the way.
    Connect,
    /// Read resources, get prompts, complete arguments.
    Read,
    /// Call a tool.
    Call {
        /// Its name as the upstream spells it.
        tool: &'a str,
        /// Whether the upstream annotates it as read-only (`readOnlyHint`).
        read_only: bool,
    },
    /// Use a method that this version does not know: what it does cannot be judged, so it takes leave to do everything.
    Extend,
    /// Use the management API with this scope.
    Manage(&'a Scope),
}

/// Leave to do one thing. Only `decide` makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permit {
    instance: Option<InstanceId>,
}

impl Permit {
    /// The instance that it is for, unless it is for the management API.
    pub const fn instance(&self) -> Option<InstanceId> {
        self.instance
    }
}

/// Decides.
pub fn decide(facts: &Facts<'_>, wish: Wish<'_>) -> Result<Permit, Denial> {
    match facts.caller {
        Caller::Loopback => {}
        Caller::Key(key) => authenticates(&key, facts.now)?,
        Caller::Token(token) => token_authenticates(&token, facts.now)?,
    }
    match (facts.target, wish) {
        (Target::Organization(organization), Wish::Manage(scope)) => manage(facts, organization, scope),
        (Target::Instance(instance), Wish::Connect | Wish::Read | Wish::Call { .. } | Wish::Extend) => {
            enter(facts, &instance, wish)
        }
        (Target::Organization(_), Wish::Connect | Wish::Read | Wish::Call { .. } | Wish::Extend)
        | (Target::Instance(_), Wish::Manage(_)) => Err(Denial::WrongDoor),
    }
}

/// The credential itself, before anything is asked of it.
pub fn authenticates(key: &KeyFacts<'_>, now: Timestamp) -> Result<(), Denial> {
    if key.revoked {
        return Err(Denial::KeyRevoked);
    }
    if key.expires_at.is_some_and(|end| end <= now) {
        return Err(Denial::KeyExpired);
    }
    match key.principal_standing {
        Standing::Active => {}
        Standing::Suspended | Standing::Ended => return Err(Denial::PrincipalInactive),
    }
    match key.organization_standing {
        Standing::Active => {}
        Standing::Suspended => return Err(Denial::OrganizationSuspended),
        Standing::Ended => return Err(Denial::OrganizationDeleted),
    }
    key.role.map_or(Err(Denial::NotMember), |_| Ok(()))
}

fn manage(facts: &Facts<'_>, organization: OrganizationId, scope: &Scope) -> Result<Permit, Denial> {
    let key = match facts.caller {
        Caller::Key(key) => key,
        Caller::Token(token) if token.organization != organization => {
            return Err(Denial::OrganizationUnknown);
        }
        Caller::Token(_) => return Err(Denial::BoundToInstance), // its audience is one instance
        Caller::Loopback => return Err(Denial::NotMember),
    };
    if key.organization != organization {
        return Err(Denial::OrganizationUnknown);
    }
    if key.instance.is_some() {
        return Err(Denial::BoundToInstance);
    }
    if !key.scopes.grant(scope) {
        return Err(Denial::ScopeMissing(scope.clone()));
    }
    if !key.role.is_some_and(|role| role_manages(role, scope)) {
        return Err(Denial::RoleTooLow);
    }
    Ok(Permit { instance: None })
}

/// The table of `organizations and roles`; where a role reaches only its own things, the use case looks further.
fn role_manages(role: Role, scope: &Scope) -> bool {
    match scope {
        Scope::OrgRead => true,
        Scope::OrgWrite => matches!(role, Role::Owner | Role::Admin | Role::Member),
        Scope::KeysWrite | Scope::ClientsWrite => !matches!(role, Role::Auditor),
        Scope::AuditRead => matches!(role, Role::Owner | Role::Admin | Role::Auditor),
        Scope::McpRead | Scope::McpWrite | Scope::McpAdmin | Scope::Tool(_) => false,
    }
}

fn enter(facts: &Facts<'_>, instance: &InstanceFacts<'_>, wish: Wish<'_>) -> Result<Permit, Denial> {
    match (facts.caller, instance.authentication) {
        (Caller::Key(KeyFacts { organization, .. }) | Caller::Token(TokenFacts { organization, .. }), _)
            if organization != instance.organization =>
        {
            return Err(Denial::InstanceUnknown);
        }
        (Caller::Key(_), CallerAuthentication::ApiKey | CallerAuthentication::Both)
        | (Caller::Token(_), CallerAuthentication::Oauth | CallerAuthentication::Both)
        | (Caller::Key(_) | Caller::Token(_) | Caller::Loopback, CallerAuthentication::None) => {}
        (Caller::Key(_), CallerAuthentication::Oauth)
        | (Caller::Token(_), CallerAuthentication::ApiKey)
        | (
            Caller::Loopback,
            CallerAuthentication::ApiKey | CallerAuthentication::Oauth | CallerAuthentication::Both,
        ) => return Err(Denial::AuthenticationNotAccepted),
    }
    match (instance.organization_standing, instance.standing) {
        (Standing::Ended, _) | (_, Standing::Ended) => return Err(Denial::InstanceUnknown),
        (Standing::Suspended, _) => return Err(Denial::OrganizationSuspended),
        (Standing::Active, Standing::Suspended) => return Err(Denial::InstanceStopped),
        (Standing::Active, Standing::Active) => {}
    }
    let bound = match facts.caller {
        Caller::Key(key) => key.instance,
        Caller::Token(token) => Some(token.instance),
        Caller::Loopback => None,
    };
    if bound.is_some_and(|bound| bound != instance.id) {
        return Err(Denial::BoundToOtherInstance);
    }
    if facts.maintenance {
        return Err(Denial::Maintenance);
    }
    let permit = Permit { instance: Some(instance.id) };
    match (facts.caller, wish) {
        (_, Wish::Call { tool, .. }) if !instance.tools.exposes(tool) => Err(Denial::ToolNotExposed),
        (Caller::Loopback, _) => Ok(permit),
        (Caller::Key(key), wish) => Holder::of_key(&key).may(wish).map(|()| permit),
        (Caller::Token(token), wish) => Holder::of_token(&token).may(wish).map(|()| permit),
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod token_tests;
