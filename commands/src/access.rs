//! What the actor may reach, as the log says now: their role, whether they still count, and which things are of their organization.
//!
//! The edge decided by its view already, which may be a moment old, and before the body had come. Here the log itself is asked, so that a member
//! who was removed in between changes nothing any more, nor does a key that was revoked. A thing of another organization looks exactly like one
//! that does not exist.

use domain::Aggregate;
use domain::api_key::ApiKey;
use domain::client::Client;
use domain::connection::Connection;
use domain::deployment::Deployment;
use domain::grant::Grant;
use domain::instance::Instance;
use domain::organization::{Organization, OrganizationError};
use domain::server::Server;
use domain::user::User;
use domain::value::{DeploymentId, OrganizationId, Role, Scope, Scopes, UserId};

use crate::{Actor, Authority, Credential, Log, Refused, Unit};

/// Somebody who was let into one organization.
#[derive(Debug)]
pub(crate) struct Entered {
    /// Who.
    pub(crate) user: UserId,
    /// As what.
    pub(crate) rank: Rank,
    /// The organization's state.
    pub(crate) organization: Organization,
    /// The scopes of the credential they came with, when it has any.
    scopes: Option<Scopes>,
}

/// As what somebody was let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rank {
    /// As an administrator of the deployment, who stands above the members.
    Administrator,
    /// As a member.
    Member(Role),
}

impl Entered {
    /// Refused for everybody but owners.
    pub(crate) fn must_own(&self) -> Result<(), Refused> {
        match self.rank {
            Rank::Administrator | Rank::Member(Role::Owner) => Ok(()),
            Rank::Member(Role::Admin | Role::Member | Role::Viewer | Role::Auditor) => {
                Err(Refused::Forbidden("only an owner of the organization may do this"))
            }
        }
    }

    /// Refused for those who may change at most what is their own.
    pub(crate) fn must_command_all(&self) -> Result<(), Refused> {
        if self.commands_all() {
            return Ok(());
        }
        Err(Refused::Forbidden("only an owner or admin of the organization may do this"))
    }

    /// Refused for those who may make nothing at all, not even for themselves.
    pub(crate) fn must_make(&self) -> Result<(), Refused> {
        match self.rank {
            Rank::Administrator | Rank::Member(Role::Owner | Role::Admin | Role::Member) => Ok(()),
            Rank::Member(Role::Viewer | Role::Auditor) => {
                Err(Refused::Forbidden("viewers and auditors of the organization make and change nothing"))
            }
        }
    }

    /// Refused for those who may not even hold credentials of their own; auditors read, and are given their keys.
    pub(crate) fn must_hold_credentials(&self) -> Result<(), Refused> {
        match self.rank {
            Rank::Administrator | Rank::Member(Role::Owner | Role::Admin | Role::Member | Role::Viewer) => {
                Ok(())
            }
            Rank::Member(Role::Auditor) => Err(Refused::Forbidden(
                "auditors do not register clients; ask an owner or admin of the organization",
            )),
        }
    }

    /// Refused unless it is their own, or everything of the organization is theirs to change.
    pub(crate) fn must_command(&self, owner: Option<UserId>) -> Result<(), Refused> {
        if self.commands_all() || owner == Some(self.user) {
            return Ok(());
        }
        Err(Refused::Forbidden(
            "it belongs to somebody else; only an owner or admin of the organization may change it",
        ))
    }

    /// Whether everything of the organization is theirs to change, or only what is their own.
    pub(crate) const fn commands_all(&self) -> bool {
        match self.rank {
            Rank::Administrator | Rank::Member(Role::Owner | Role::Admin) => true,
            Rank::Member(Role::Member | Role::Viewer | Role::Auditor) => false,
        }
    }

    /// Refused when a credential would be given more than the role of whoever gives it, or than the credential they give it with.
    pub(crate) fn must_hand_out(&self, scopes: &Scopes) -> Result<(), Refused> {
        let role = match self.rank {
            Rank::Administrator => Role::Owner,
            Rank::Member(role) => role,
        };
        if scopes.iter().any(|scope| !may_hand_out(role, scope)) {
            return Err(Refused::Forbidden("nobody hands out a scope that their own role does not reach"));
        }
        match &self.scopes {
            Some(own) if scopes.iter().any(|scope| !own.grant(scope)) => {
                Err(Refused::Forbidden("a credential hands out no scope that it does not hold itself"))
            }
            Some(_) | None => Ok(()),
        }
    }
}

const fn may_hand_out(role: Role, scope: &Scope) -> bool {
    match role {
        Role::Owner | Role::Admin => true,
        Role::Member => !matches!(scope, Scope::AuditRead),
        Role::Viewer => matches!(scope, Scope::McpRead),
        Role::Auditor => matches!(scope, Scope::AuditRead | Scope::OrgRead),
    }
}

/// Lets the actor into an active organization.
pub(crate) async fn enter<L: Log>(
    unit: &Unit<'_, L>,
    actor: &Actor,
    id: OrganizationId,
) -> Result<Entered, Refused> {
    let entered = enter_any(unit, actor, id).await?;
    if entered.organization.is_suspended() {
        return Err(OrganizationError::Suspended.into());
    }
    Ok(entered)
}

/// Lets the actor into an organization that may be suspended: into such a one, only administrators of the deployment.
pub(crate) async fn enter_any<L: Log>(
    unit: &Unit<'_, L>,
    actor: &Actor,
    id: OrganizationId,
) -> Result<Entered, Refused> {
    let unknown = Refused::NotFound("organization");
    if let Authority::Member { organization, .. } = actor.authority
        && organization != id
    {
        return Err(unknown);
    }
    let user = acting_user(unit, actor).await?;
    let organization = unit.load::<Organization>(id).await?;
    if !organization.exists() {
        return Err(unknown);
    }
    let rank = match actor.authority {
        Authority::Member { .. } | Authority::User { .. } => {
            Rank::Member(organization.role_of(user).ok_or(unknown)?)
        }
        Authority::Administrator { .. } => {
            administrator(unit, actor).await?;
            Rank::Administrator
        }
        Authority::Founder | Authority::Client { .. } | Authority::Server => return Err(NOBODY),
    };
    match rank {
        Rank::Member(_) if organization.is_suspended() => Err(OrganizationError::Suspended.into()),
        Rank::Member(_) | Rank::Administrator => {
            Ok(Entered { user, rank, organization, scopes: actor.scopes.clone() })
        }
    }
}

/// The user who asks, if they still count, and what they ask with.
pub(crate) async fn acting_user<L: Log>(unit: &Unit<'_, L>, actor: &Actor) -> Result<UserId, Refused> {
    let user = actor.user().ok_or(NOBODY)?;
    match actor.credential {
        Credential::ApiKey(key) if !unit.load::<ApiKey>(key).await?.is_active() => {
            return Err(Refused::Forbidden("the key that you ask with was revoked"));
        }
        Credential::ApiKey(_)
        | Credential::BootstrapToken
        | Credential::CommandLine
        | Credential::Session
        | Credential::AutoConsent
        | Credential::Client(_)
        | Credential::Schedule => {}
    }
    if unit.load::<User>(user).await?.is_active() {
        return Ok(user);
    }
    Err(Refused::Forbidden("you are suspended or deleted"))
}

/// The administrator of the deployment who asks.
pub(crate) async fn administrator<L: Log>(unit: &Unit<'_, L>, actor: &Actor) -> Result<UserId, Refused> {
    let refused = Refused::Forbidden("only an administrator of the deployment may do this");
    match actor.authority {
        Authority::Member { .. } | Authority::User { .. } | Authority::Client { .. } | Authority::Server => {
            return Err(refused);
        }
        Authority::Founder => return Err(NOBODY),
        Authority::Administrator { .. } => {}
    }
    must_speak_for_themself(actor)?;
    let user = acting_user(unit, actor).await?;
    if administers(unit, user).await? { Ok(user) } else { Err(refused) }
}

/// Refused unless an administrator of the deployment asks, or whoever works at its command line: they hold its database and its master key.
pub(crate) async fn operator<L: Log>(unit: &Unit<'_, L>, actor: &Actor) -> Result<(), Refused> {
    match (actor.credential, actor.authority) {
        (Credential::CommandLine, Authority::Founder) => Ok(()),
        (Credential::CommandLine, Authority::Member { .. } | Authority::Administrator { .. })
        | (
            Credential::ApiKey(_)
            | Credential::BootstrapToken
            | Credential::Session
            | Credential::AutoConsent
            | Credential::Client(_)
            | Credential::Schedule,
            Authority::Member { .. } | Authority::Administrator { .. } | Authority::Founder,
        )
        | (_, Authority::User { .. } | Authority::Client { .. } | Authority::Server) => {
            administrator(unit, actor).await?;
            Ok(())
        }
    }
}

/// Whether a user is an administrator of the deployment.
pub(crate) async fn administers<L: Log>(unit: &Unit<'_, L>, user: UserId) -> Result<bool, Refused> {
    Ok(unit.load::<Deployment>(DeploymentId).await?.is_administrator(user))
}

/// Refused when the key was issued by somebody else in the user's name.
pub(crate) fn must_speak_for_themself(actor: &Actor) -> Result<(), Refused> {
    if actor.speaks_for_themself() {
        return Ok(());
    }
    Err(Refused::Forbidden(
        "this key was issued in your name by somebody else; it administers no deployment and changes no person, a key of your own does",
    ))
}

const NOBODY: Refused =
    Refused::Forbidden("set the deployment up first: there is nobody yet in whose name this could be done");

/// Finds what an address names below an organization. Unborn, gone and foreign look the same.
pub(crate) async fn find<A: Addressed, L: Log>(
    unit: &Unit<'_, L>,
    organization: OrganizationId,
    id: A::Id,
) -> Result<A, Refused> {
    let found = unit.load::<A>(id).await?;
    if found.exists() && found.organization(id) == Some(organization) {
        Ok(found)
    } else {
        Err(Refused::NotFound(A::NOUN))
    }
}

/// Something that belongs to an organization and is named below it.
pub(crate) trait Addressed: Aggregate {
    /// What it is called in refusals.
    const NOUN: &'static str;

    /// Whether it was made and is not gone.
    fn exists(&self) -> bool;
}

impl Addressed for ApiKey {
    const NOUN: &'static str = "API key";
    fn exists(&self) -> bool {
        self.is_active()
    }
}

impl Addressed for Client {
    const NOUN: &'static str = "client";
    fn exists(&self) -> bool {
        Self::exists(self)
    }
}

impl Addressed for Grant {
    const NOUN: &'static str = "grant";
    fn exists(&self) -> bool {
        self.is_live()
    }
}

impl Addressed for Connection {
    const NOUN: &'static str = "connection";
    fn exists(&self) -> bool {
        self.is_open()
    }
}

impl Addressed for Instance {
    const NOUN: &'static str = "instance";
    fn exists(&self) -> bool {
        Self::exists(self)
    }
}

impl Addressed for Server {
    const NOUN: &'static str = "server";
    fn exists(&self) -> bool {
        self.is_offered()
    }
}
