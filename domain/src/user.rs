//! A user is a person: their standing and the little that is known about them.
//!
//! ```text
//!   (unborn) --register--> active <--resume-- suspended
//!                            |  `---suspend------^ |
//!                            `----delete--> deleted <-'     nothing leaves `deleted` but by
//!   any of them --erase--> erased                            nothing leaves `erased`
//! ```
//!
//! Absent: identities of providers and passwords. They lead to a user; they are not the user.

mod command;
mod error;
mod event;

use serde::{Deserialize, Serialize};

pub use command::UserCommand;
pub use error::UserError;
pub use event::UserEvent;

use crate::value::{DisplayName, EmailAddress, HttpsUrl, OrganizationId, Personal, SubjectId, UserId};

/// State of one user: only what the rules need.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct User {
    standing: Standing,
    email: Option<Personal<EmailAddress>>,
    name: Option<Personal<DisplayName>>,
    picture: Option<Personal<HttpsUrl>>,
    registered_in: Option<OrganizationId>,
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
            UserEvent::Deleted {} => self.standing = Standing::Deleted,
            UserEvent::Erased { .. } => {
                self.standing = Standing::Erased;
                (self.email, self.name, self.picture) = (None, None, None);
            }
        }
    }
}

/// Marks a datum as this person's own.
fn personal<T: Clone>(user: UserId, value: Option<&T>) -> Option<Personal<T>> {
    value.map(|value| Personal::new(SubjectId::from(user), value.clone()))
}

#[cfg(test)]
mod tests;
