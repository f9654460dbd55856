//! A user is a person: their standing and the little that is known about them.
//!
//! ```text
//!   (unborn) --register--> active <--resume-- suspended
//!                            |  `---suspend------^ |
//!                            `----delete--> deleted <-'     nothing leaves `deleted` but by
//!   any of them --erase--> erased                            nothing leaves `erased`
//! ```
//!
//! A password and the identities of providers lead to a user; they are not the user. That there is a password is a fact; what is kept of it lies
//! beside the log, because a log cannot forget.

mod command;
mod error;
mod event;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub use command::UserCommand;
pub use error::UserError;
pub use event::{UserEvent, identity_claim};

use crate::value::{
    DisplayName, EmailAddress, HttpsUrl, Issuer, OrganizationId, Personal, ProviderSubject, SubjectId,
    Timestamp, UserId,
};

/// Identities of one user.
pub const IDENTITIES_MAX: usize = 10;

/// State of one user: only what the rules need.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct User {
    standing: Standing,
    email: Option<Personal<EmailAddress>>,
    name: Option<Personal<DisplayName>>,
    picture: Option<Personal<HttpsUrl>>,
    registered_in: Option<OrganizationId>,
    has_password: bool,
    identities: Vec<Identity>,
    /// Providers that do not answer, and whose word of before is taken instead.
    in_fallback: BTreeSet<Issuer>,
}

/// Who the user is at a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Identity {
    issuer: Issuer,
    subject: Personal<ProviderSubject>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Standing {
    #[default]
    Unborn,
    Active,
    Suspended,
    Deleted,
    Erased,
}

aggregate!(User, id: UserId, command: UserCommand, event: UserEvent, error: UserError);

impl crate::Aggregate for User {
    type Id = UserId;

    fn organization(&self, _: UserId) -> Option<OrganizationId> {
        None // a person may be a member of many
    }

    fn decide(&self, command: &UserCommand) -> Result<Vec<UserEvent>, UserError> {
        match command {
            UserCommand::Register { user, email, name, picture, registered_in } => {
                self.must_be_unborn()?;
                Ok(vec![UserEvent::Registered {
                    email: personal(*user, email.as_ref()),
                    name: personal(*user, name.as_ref()),
                    picture: personal(*user, picture.as_ref()),
                    registered_in: *registered_in,
                }])
            }
            UserCommand::ChangeEmail { user, email } => self.change_email(*user, email.as_ref()),
            UserCommand::ChangeProfile { user, name, picture } => {
                self.change_profile(*user, name.as_ref(), picture.as_ref())
            }
            UserCommand::Suspend { reason } => self.suspend(reason),
            UserCommand::Resume => self.resume(),
            UserCommand::Delete => self.delete(),
            UserCommand::Erase { reason } => self.erase(reason),
            UserCommand::SetPassword => {
                self.must_be_active()?;
                Ok(vec![UserEvent::PasswordSet {}])
            }
            UserCommand::RemovePassword => self.remove_password(),
            UserCommand::LinkIdentity { user, issuer, subject } => self.link(*user, issuer, subject),
            UserCommand::UnlinkIdentity { user, issuer, subject } => self.unlink(*user, issuer, subject),
            UserCommand::BeginFallback { issuer, vouched_at } => self.begin_fallback(issuer, *vouched_at),
            UserCommand::EndFallback { issuer } => self.end_fallback(issuer),
        }
    }
}

impl User {
    /// Whether what this user asks for counts.
    pub const fn is_active(&self) -> bool {
        matches!(self.standing, Standing::Active)
    }

    /// Whether the user was registered and is not gone.
    pub const fn exists(&self) -> bool {
        matches!(self.standing, Standing::Active | Standing::Suspended)
    }

    /// Whether the user was ever registered, whatever became of them.
    pub const fn was_registered(&self) -> bool {
        !matches!(self.standing, Standing::Unborn)
    }

    /// Whether nothing may be known of the user any more.
    pub const fn is_erased(&self) -> bool {
        matches!(self.standing, Standing::Erased)
    }

    /// Whether this organization made the user known.
    pub fn is_registered_in(&self, organization: OrganizationId) -> bool {
        self.registered_in == Some(organization)
    }

    /// Whether they can sign in with a password.
    pub const fn has_password(&self) -> bool {
        self.has_password
    }

    /// Their names at a provider. One that was erased cannot be told.
    pub fn subjects_at<'a>(&'a self, issuer: &'a Issuer) -> impl Iterator<Item = &'a ProviderSubject> {
        let theirs = self.identities.iter().filter(move |identity| identity.issuer == *issuer);
        theirs.filter_map(|identity| identity.subject.known())
    }

    fn must_be_unborn(&self) -> Result<(), UserError> {
        match self.standing {
            Standing::Unborn => Ok(()),
            Standing::Active | Standing::Suspended | Standing::Deleted | Standing::Erased => {
                Err(UserError::Exists)
            }
        }
    }

    fn change_email(&self, user: UserId, email: Option<&EmailAddress>) -> Result<Vec<UserEvent>, UserError> {
        self.must_be_active()?;
        let email = personal(user, email);
        if self.email == email {
            return Ok(vec![]);
        }
        Ok(vec![UserEvent::EmailChanged { email }])
    }

    fn change_profile(
        &self,
        user: UserId,
        name: Option<&DisplayName>,
        picture: Option<&HttpsUrl>,
    ) -> Result<Vec<UserEvent>, UserError> {
        self.must_be_active()?;
        let (name, picture) = (personal(user, name), personal(user, picture));
        if self.name == name && self.picture == picture {
            return Ok(vec![]);
        }
        Ok(vec![UserEvent::ProfileChanged { name, picture }])
    }

    fn suspend(&self, reason: &DisplayName) -> Result<Vec<UserEvent>, UserError> {
        match self.standing {
            Standing::Unborn => Err(UserError::Unknown),
            Standing::Deleted => Err(UserError::Deleted),
            Standing::Erased => Err(UserError::Erased),
            Standing::Suspended => Ok(vec![]),
            Standing::Active => Ok(vec![UserEvent::Suspended { reason: reason.clone() }]),
        }
    }

    fn resume(&self) -> Result<Vec<UserEvent>, UserError> {
        match self.standing {
            Standing::Unborn => Err(UserError::Unknown),
            Standing::Deleted => Err(UserError::Deleted),
            Standing::Erased => Err(UserError::Erased),
            Standing::Active => Ok(vec![]),
            Standing::Suspended => Ok(vec![UserEvent::Resumed {}]),
        }
    }

    fn delete(&self) -> Result<Vec<UserEvent>, UserError> {
        match self.standing {
            Standing::Unborn => Err(UserError::Unknown),
            Standing::Deleted | Standing::Erased => Ok(vec![]),
            Standing::Active | Standing::Suspended => Ok(vec![UserEvent::Deleted {}]),
        }
    }

    /// Also of somebody who was deleted: what was known of them still stands, sealed, in the log.
    fn erase(&self, reason: &DisplayName) -> Result<Vec<UserEvent>, UserError> {
        match self.standing {
            Standing::Unborn => Err(UserError::Unknown),
            Standing::Erased => Ok(vec![]),
            Standing::Active | Standing::Suspended | Standing::Deleted => {
                Ok(vec![UserEvent::Erased { reason: reason.clone() }])
            }
        }
    }

    fn remove_password(&self) -> Result<Vec<UserEvent>, UserError> {
        self.must_be_active()?;
        if self.has_password { Ok(vec![UserEvent::PasswordRemoved {}]) } else { Ok(vec![]) }
    }

    fn link(
        &self,
        user: UserId,
        issuer: &Issuer,
        subject: &ProviderSubject,
    ) -> Result<Vec<UserEvent>, UserError> {
        self.must_be_active()?;
        let identity = Identity::of(user, issuer, subject);
        if self.identities.contains(&identity) {
            return Ok(vec![]);
        }
        if self.identities.len() >= IDENTITIES_MAX {
            return Err(UserError::TooManyIdentities);
        }
        let Identity { issuer, subject } = identity;
        Ok(vec![UserEvent::IdentityLinked { issuer, subject }])
    }

    fn unlink(
        &self,
        user: UserId,
        issuer: &Issuer,
        subject: &ProviderSubject,
    ) -> Result<Vec<UserEvent>, UserError> {
        self.must_be_active()?;
        let identity = Identity::of(user, issuer, subject);
        if !self.identities.contains(&identity) {
            return Ok(vec![]);
        }
        if self.identities.len() == 1 && !self.has_password {
            return Err(UserError::LastWayIn);
        }
        let Identity { issuer, subject } = identity;
        Ok(vec![UserEvent::IdentityUnlinked { issuer, subject }])
    }

    fn begin_fallback(&self, issuer: &Issuer, vouched_at: Timestamp) -> Result<Vec<UserEvent>, UserError> {
        self.must_be_active()?;
        if !self.identities.iter().any(|identity| identity.issuer == *issuer) {
            return Err(UserError::UnknownIdentity);
        }
        if self.in_fallback.contains(issuer) {
            return Ok(vec![]);
        }
        Ok(vec![UserEvent::FallbackBegan { issuer: issuer.clone(), vouched_at }])
    }

    fn end_fallback(&self, issuer: &Issuer) -> Result<Vec<UserEvent>, UserError> {
        self.must_be_active()?;
        if !self.in_fallback.contains(issuer) {
            return Ok(vec![]);
        }
        Ok(vec![UserEvent::FallbackEnded { issuer: issuer.clone() }])
    }

    fn must_be_active(&self) -> Result<(), UserError> {
        match self.standing {
            Standing::Unborn => Err(UserError::Unknown),
            Standing::Suspended => Err(UserError::Suspended),
            Standing::Deleted => Err(UserError::Deleted),
            Standing::Erased => Err(UserError::Erased),
            Standing::Active => Ok(()),
        }
    }

    fn evolve(&mut self, event: UserEvent) {
        match event {
            UserEvent::Registered { email, name, picture, registered_in } => {
                self.standing = Standing::Active;
                self.registered_in = registered_in;
                self.email = email;
                self.name = name;
                self.picture = picture;
            }
            UserEvent::EmailChanged { email } => self.email = email,
            UserEvent::ProfileChanged { name, picture } => {
                self.name = name;
                self.picture = picture;
            }
            UserEvent::Suspended { .. } => self.standing = Standing::Suspended,
            UserEvent::Resumed {} => self.standing = Standing::Active,
            UserEvent::Deleted {} => {
                self.standing = Standing::Deleted;
                self.has_password = false;
                self.identities.clear();
                self.in_fallback.clear();
            }
            UserEvent::Erased { .. } => {
                self.standing = Standing::Erased;
                (self.email, self.name, self.picture) = (None, None, None);
                self.has_password = false;
                self.identities.clear();
                self.in_fallback.clear();
            }
            UserEvent::PasswordSet {} => self.has_password = true,
            UserEvent::PasswordRemoved {} => self.has_password = false,
            UserEvent::IdentityLinked { issuer, subject } => {
                self.identities.push(Identity { issuer, subject });
            }
            UserEvent::IdentityUnlinked { issuer, subject } => {
                let unlinked = Identity { issuer, subject };
                self.identities.retain(|identity| *identity != unlinked);
            }
            UserEvent::FallbackBegan { issuer, vouched_at: _ } => {
                self.in_fallback.insert(issuer);
            }
            UserEvent::FallbackEnded { issuer } => {
                self.in_fallback.remove(&issuer);
            }
        }
    }
}

impl Identity {
    fn of(user: UserId, issuer: &Issuer, subject: &ProviderSubject) -> Self {
        Self { issuer: issuer.clone(), subject: Personal::new(SubjectId::from(user), subject.clone()) }
    }
}

/// Marks a datum as this person's own.
fn personal<T: Clone>(user: UserId, value: Option<&T>) -> Option<Personal<T>> {
    value.map(|value| Personal::new(SubjectId::from(user), value.clone()))
}

#[cfg(test)]
mod tests;
