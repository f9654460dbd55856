//! Somebody whom nobody here knows comes from an identity provider: they become a user, and the identity leads to them from now on.
//!
//! Deliberately absent: that they become a user who is here already. Whoever has an account links an identity to it while signed in; an e-mail
//! address that somebody here has stays theirs, and the newcomer gets none (`oauth.md`, case 8).

use domain::ClaimScope;
use domain::user::{User, UserCommand, identity_claim};
use domain::value::{DisplayName, EmailAddress, Issuer, ProviderSubject, UserId};
use serde::{Deserialize, Serialize};

use super::person::must_be_in_person;
use crate::{Actor, Ports, Refused, Unit, UseCase};

/// Become a user: whoever asks, under the id with which they ask.
#[derive(Debug, Clone)]
pub struct Visit {
    /// The provider that vouches.
    pub issuer: Issuer,
    /// Its name for the person.
    pub subject: ProviderSubject,
    /// An address that it verified.
    pub email: Option<EmailAddress>,
    /// The name, if it tells one.
    pub name: Option<DisplayName>,
}

/// Whom the identity leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visited {
    /// Who; somebody else than asked, when the same person came twice at once.
    pub user: UserId,
}

impl UseCase for Visit {
    type Answer = Visited;

    async fn run<P: Ports>(
        &self,
        _: &P,
        actor: &Actor,
        unit: &mut Unit<'_, P::Log>,
    ) -> Result<Visited, Refused> {
        let user = must_be_in_person(actor)?;
        let claim = identity_claim(&self.issuer, &self.subject);
        if let Some(owner) = unit.owner_of(ClaimScope::Identity, &claim).await? {
            let user = UserId::parse(&owner).map_err(|error| Refused::Invalid(error.to_string()))?;
            return Ok(Visited { user });
        }
        let email = match &self.email {
            Some(email) if unit.owner_of(ClaimScope::Email, email.as_str()).await?.is_none() => {
                Some(email.clone())
            }
            Some(_) | None => None,
        };
        let (name, picture, registered_in) = (self.name.clone(), None, None);
        let register = UserCommand::Register { user, email, name, picture, registered_in };
        unit.decide::<User>(user, register).await?;
        let (issuer, subject) = (self.issuer.clone(), self.subject.clone());
        unit.decide::<User>(user, UserCommand::LinkIdentity { user, issuer, subject }).await?;
        Ok(Visited { user })
    }
}
