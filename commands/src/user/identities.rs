//! Identities of providers that lead to a person: one more, one less. Only the person, in a browser.

use domain::user::{User, UserCommand};
use domain::value::{Issuer, ProviderSubject};

use super::person::must_be_in_person;
use crate::access::acting_user;
use crate::{Actor, Ports, Refused, Unit, UseCase};

/// Let whoever asks sign in with an identity of a provider, too.
#[derive(Debug, Clone)]
pub struct LinkIdentity {
    /// The provider.
    pub issuer: Issuer,
    /// Its name for the person.
    pub subject: ProviderSubject,
}

/// Let whoever asks sign in with nothing of a provider any more.
#[derive(Debug, Clone)]
pub struct UnlinkIdentities {
    /// The provider.
    pub issuer: Issuer,
}

impl UseCase for LinkIdentity {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        must_be_in_person(actor)?;
        let user = acting_user(unit, actor).await?;
        let (issuer, subject) = (self.issuer.clone(), self.subject.clone());
        unit.decide::<User>(user, UserCommand::LinkIdentity { user, issuer, subject }).await
    }
}

impl UseCase for UnlinkIdentities {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        must_be_in_person(actor)?;
        let user = acting_user(unit, actor).await?;
        let person = unit.load::<User>(user).await?;
        let subjects: Vec<_> = person.subjects_at(&self.issuer).cloned().collect();
        for subject in subjects {
            let issuer = self.issuer.clone();
            unit.decide::<User>(user, UserCommand::UnlinkIdentity { user, issuer, subject }).await?;
        }
        Ok(())
    }
}
