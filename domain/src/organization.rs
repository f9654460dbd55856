//! An organization is the tenant: its standing, its slug, its members and their roles.
//!
//! ```text
//!   (unborn) --create--> active <--resume-- suspended
//!                          |  `---suspend------^ |
//!                          `----delete--> deleted <-'     nothing leaves `deleted`
//! ```

mod command;
mod error;
mod event;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use command::OrganizationCommand;
pub use error::OrganizationError;
pub use event::{OrganizationEvent, OrganizationKind};

use crate::value::{DisplayName, OrganizationId, Role, Slug, UserId};

/// State of one organization: only what its rules need.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Organization {
    standing: Standing,
    kind: OrganizationKind,
    name: Option<DisplayName>,
    slug: Option<Slug>,
    members: BTreeMap<UserId, Role>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Standing {
    #[default]
    Unborn,
    Active,
    Suspended,
    Deleted,
}

aggregate!(
    Organization,
    id: OrganizationId,
    command: OrganizationCommand,
    event: OrganizationEvent,
    error: OrganizationError
);

impl crate::Aggregate for Organization {
    type Id = OrganizationId;

    fn organization(&self, id: OrganizationId) -> Option<OrganizationId> {
        Some(id)
    }

    fn decide(&self, command: &OrganizationCommand) -> Result<Vec<OrganizationEvent>, OrganizationError> {
        match command {
            OrganizationCommand::Create { kind, slug, name, owner } => self.create(*kind, slug, name, *owner),
            OrganizationCommand::Rename { name } => self.rename(name),
            OrganizationCommand::ChangeSlug { slug } => self.change_slug(slug),
            OrganizationCommand::AddMember { user, role, granted_by } => {
                self.add_member(*user, *role, *granted_by)
            }
            OrganizationCommand::ChangeRole { user, role, granted_by } => {
                self.change_role(*user, *role, *granted_by)
            }
            OrganizationCommand::RemoveMember { user, removed_by } => self.remove_member(*user, *removed_by),
            OrganizationCommand::Suspend { reason } => self.suspend(reason),
            OrganizationCommand::Resume => self.resume(),
            OrganizationCommand::Delete => self.delete(),
        }
    }
}

impl Organization {
    /// What this user is here; none for everybody else.
    pub fn role_of(&self, user: UserId) -> Option<Role> {
        self.members.get(&user).copied()
    }

    /// Its unique name.
    pub const fn slug(&self) -> Option<&Slug> {
        self.slug.as_ref()
    }

    /// Whether it is one person's own.
    pub const fn is_personal(&self) -> bool {
        matches!(self.kind, OrganizationKind::Personal)
    }

    /// Whether it refuses everything until it is resumed.
    pub const fn is_suspended(&self) -> bool {
        matches!(self.standing, Standing::Suspended)
    }

    /// Whether it was created and is not gone.
    pub const fn exists(&self) -> bool {
        matches!(self.standing, Standing::Active | Standing::Suspended)
    }

    fn create(
        &self,
        kind: OrganizationKind,
        slug: &Slug,
        name: &DisplayName,
        owner: UserId,
    ) -> Result<Vec<OrganizationEvent>, OrganizationError> {
        match self.standing {
            Standing::Unborn => {}
            Standing::Active | Standing::Suspended | Standing::Deleted => {
                return Err(OrganizationError::Exists);
            }
        }
        match (kind, slug.is_personal()) {
            (OrganizationKind::Personal, true) | (OrganizationKind::Team, false) => {}
            (OrganizationKind::Personal, false) | (OrganizationKind::Team, true) => {
                return Err(OrganizationError::SlugOfOtherKind);
            }
        }
        Ok(vec![
            OrganizationEvent::Created { kind, slug: slug.clone(), name: name.clone() },
            OrganizationEvent::MemberAdded { user: owner, role: Role::Owner },
        ])
    }

    fn rename(&self, name: &DisplayName) -> Result<Vec<OrganizationEvent>, OrganizationError> {
        self.must_be_active()?;
        if self.name.as_ref() == Some(name) {
            return Ok(vec![]); // a retry is not a mistake
        }
        Ok(vec![OrganizationEvent::Renamed { name: name.clone() }])
    }

    fn change_slug(&self, slug: &Slug) -> Result<Vec<OrganizationEvent>, OrganizationError> {
        self.must_be_active()?;
        if self.slug.as_ref() == Some(slug) {
            return Ok(vec![]);
        }
        if slug.is_personal() != (self.kind == OrganizationKind::Personal) {
            return Err(OrganizationError::SlugOfOtherKind);
        }
        Ok(vec![OrganizationEvent::SlugChanged { slug: slug.clone() }])
    }

    fn add_member(
        &self,
        user: UserId,
        role: Role,
        granted_by: Option<UserId>,
    ) -> Result<Vec<OrganizationEvent>, OrganizationError> {
        self.must_be_active()?;
        if self.kind == OrganizationKind::Personal {
            return Err(OrganizationError::Personal);
        }
        self.must_reach(granted_by, role)?;
        match self.members.get(&user) {
            Some(held) if *held == role => Ok(vec![]),
            Some(_) => Err(OrganizationError::AlreadyMember),
            None => Ok(vec![OrganizationEvent::MemberAdded { user, role }]),
        }
    }

    fn change_role(
        &self,
        user: UserId,
        role: Role,
        granted_by: Option<UserId>,
    ) -> Result<Vec<OrganizationEvent>, OrganizationError> {
        self.must_be_active()?;
        let held = *self.members.get(&user).ok_or(OrganizationError::NotMember)?;
        self.must_reach(granted_by, role)?;
        self.must_reach(granted_by, held)?;
        if held == role {
            return Ok(vec![]);
        }
        if self.is_last_owner(user) {
            return Err(OrganizationError::LastOwner);
        }
        Ok(vec![OrganizationEvent::RoleChanged { user, role }])
    }

    fn remove_member(
        &self,
        user: UserId,
        removed_by: Option<UserId>,
    ) -> Result<Vec<OrganizationEvent>, OrganizationError> {
        self.must_be_active()?;
        let Some(held) = self.members.get(&user) else { return Ok(vec![]) };
        let leaves_by_oneself = removed_by == Some(user);
        if !leaves_by_oneself {
            self.must_reach(removed_by, *held)?;
        }
        if self.is_last_owner(user) {
            return Err(OrganizationError::LastOwner);
        }
        Ok(vec![OrganizationEvent::MemberRemoved { user }])
    }

    fn suspend(&self, reason: &DisplayName) -> Result<Vec<OrganizationEvent>, OrganizationError> {
        match self.standing {
            Standing::Unborn => Err(OrganizationError::Unknown),
            Standing::Deleted => Err(OrganizationError::Deleted),
            Standing::Suspended => Ok(vec![]),
            Standing::Active => Ok(vec![OrganizationEvent::Suspended { reason: reason.clone() }]),
        }
    }

    fn resume(&self) -> Result<Vec<OrganizationEvent>, OrganizationError> {
        match self.standing {
            Standing::Unborn => Err(OrganizationError::Unknown),
            Standing::Deleted => Err(OrganizationError::Deleted),
            Standing::Active => Ok(vec![]),
            Standing::Suspended => Ok(vec![OrganizationEvent::Resumed {}]),
        }
    }

    fn delete(&self) -> Result<Vec<OrganizationEvent>, OrganizationError> {
        match self.standing {
            Standing::Unborn => Err(OrganizationError::Unknown),
            Standing::Deleted => Ok(vec![]),
            Standing::Active | Standing::Suspended => Ok(vec![OrganizationEvent::Deleted {}]),
        }
    }

    fn must_be_active(&self) -> Result<(), OrganizationError> {
        match self.standing {
            Standing::Unborn => Err(OrganizationError::Unknown),
            Standing::Suspended => Err(OrganizationError::Suspended),
            Standing::Deleted => Err(OrganizationError::Deleted),
            Standing::Active => Ok(()),
        }
    }

    /// Nobody hands out or takes away a role above their own. `None` is the deployment's administrator, who is above them all.
    fn must_reach(&self, by: Option<UserId>, role: Role) -> Result<(), OrganizationError> {
        let Some(by) = by else { return Ok(()) };
        match self.members.get(&by) {
            Some(own) if own.may_grant(role) => Ok(()),
            Some(_) | None => Err(OrganizationError::AboveOwnRole),
        }
    }

    /// Whether nobody else stays responsible when this user goes.
    pub fn is_last_owner(&self, user: UserId) -> bool {
        self.members.get(&user) == Some(&Role::Owner)
            && self.members.values().filter(|role| **role == Role::Owner).count() == 1
    }

    fn evolve(&mut self, event: OrganizationEvent) {
        match event {
            OrganizationEvent::Created { kind, slug, name } => {
                self.standing = Standing::Active;
                self.kind = kind;
                self.slug = Some(slug);
                self.name = Some(name);
            }
            OrganizationEvent::Renamed { name } => self.name = Some(name),
            OrganizationEvent::SlugChanged { slug } => self.slug = Some(slug),
            OrganizationEvent::MemberAdded { user, role } | OrganizationEvent::RoleChanged { user, role } => {
                self.members.insert(user, role);
            }
            OrganizationEvent::MemberRemoved { user } => {
                self.members.remove(&user);
            }
            OrganizationEvent::Suspended { .. } => self.standing = Standing::Suspended,
            OrganizationEvent::Resumed {} => self.standing = Standing::Active,
            OrganizationEvent::Deleted {} => self.standing = Standing::Deleted,
        }
    }
}

#[cfg(test)]
mod tests;
