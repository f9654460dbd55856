//! What the view knows of identity providers, and of who has an identity at which. Their names for people never enter it.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::deployment::{AccountMatching, DeploymentEvent};
use domain::user::UserEvent;
use domain::value::{
    DisplayName, Issuer, ProviderClientId, ProviderId, ProviderScope, ProviderSecretId, UserId,
};

use super::{AccessView, Deployment};

/// An identity provider that people sign in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// Its short name.
    pub id: ProviderId,
    /// What its button says.
    pub name: DisplayName,
    /// Whom it speaks for.
    pub issuer: Issuer,
    /// What it calls this deployment.
    pub client_id: ProviderClientId,
    /// What it is asked for beside `openid`.
    pub scopes: BTreeSet<ProviderScope>,
    /// How accounts are matched.
    pub matching: AccountMatching,
    /// Where the client secret lies; none for a public client.
    pub secret: Option<ProviderSecretId>,
}

impl Deployment {
    pub(super) fn fold_provider(&mut self, fact: DeploymentEvent) {
        match fact {
            DeploymentEvent::ProviderAdded {
                provider: id,
                name,
                issuer,
                client_id,
                scopes,
                matching,
                secret,
            } => {
                let provider = Provider { id: id.clone(), name, issuer, client_id, scopes, matching, secret };
                self.providers.insert(id, Arc::new(provider));
            }
            DeploymentEvent::ProviderChanged { provider: id, name, client_id, scopes, matching, secret } => {
                let Some(held) = self.providers.get(&id) else { return };
                let issuer = held.issuer.clone();
                let provider = Provider { id: id.clone(), name, issuer, client_id, scopes, matching, secret };
                self.providers.insert(id, Arc::new(provider));
            }
            DeploymentEvent::ProviderRemoved { provider } => {
                self.providers.remove(&provider);
            }
            DeploymentEvent::Bootstrapped { .. }
            | DeploymentEvent::AdministratorAdded { .. }
            | DeploymentEvent::AdministratorRemoved { .. }
            | DeploymentEvent::MaintenanceStarted { .. }
            | DeploymentEvent::MaintenanceEnded {}
            | DeploymentEvent::AnnouncementPublished { .. }
            | DeploymentEvent::AnnouncementWithdrawn { .. }
            | DeploymentEvent::LinksChanged { .. }
            | DeploymentEvent::ParkedEventRetried { .. }
            | DeploymentEvent::ParkedEventSkipped { .. }
            | DeploymentEvent::SigningKeyAdded { .. }
            | DeploymentEvent::SigningKeyActivated { .. }
            | DeploymentEvent::SigningKeyRetired { .. } => {} // folded elsewhere
        }
    }
}

impl AccessView {
    pub(super) fn fold_identity(&mut self, user: UserId, fact: &UserEvent) {
        match fact {
            UserEvent::IdentityLinked { issuer, subject: _ } => {
                *self.identities.entry(user).or_default().entry(issuer.clone()).or_insert(0) += 1;
            }
            UserEvent::IdentityUnlinked { issuer, subject: _ } => {
                let Some(theirs) = self.identities.get_mut(&user) else { return };
                match theirs.get(issuer).copied() {
                    Some(count) if count > 1 => {
                        theirs.insert(issuer.clone(), count - 1);
                    }
                    Some(_) | None => {
                        theirs.remove(issuer);
                    }
                }
            }
            UserEvent::Deleted {} | UserEvent::Erased { .. } => {
                self.identities.remove(&user);
            }
            UserEvent::Registered { .. }
            | UserEvent::EmailChanged { .. }
            | UserEvent::ProfileChanged { .. }
            | UserEvent::Suspended { .. }
            | UserEvent::Resumed {}
            | UserEvent::PasswordSet {}
            | UserEvent::PasswordRemoved {}
            | UserEvent::FallbackBegan { .. }
            | UserEvent::FallbackEnded { .. } => {}
        }
    }

    /// The provider of this short name, while it is offered.
    pub fn provider(&self, id: &ProviderId) -> Option<&Arc<Provider>> {
        self.deployment.providers.get(id)
    }

    /// All that are offered, in the order of their short names.
    pub fn providers(&self) -> impl Iterator<Item = &Arc<Provider>> {
        self.deployment.providers.values()
    }

    /// The issuers at which somebody has an identity.
    pub fn issuers_of(&self, user: UserId) -> impl Iterator<Item = &Issuer> {
        self.identities.get(&user).into_iter().flat_map(imbl::OrdMap::keys)
    }
}

#[cfg(test)]
mod tests {
    use domain::value::{Personal, ProviderSubject, SubjectId};
    use uuid::Uuid;

    use super::*;

    const ANN: UserId = UserId::new(Uuid::from_u128(1));

    fn issuer() -> Issuer {
        Issuer::parse("https://id.example.com").unwrap()
    }

    fn subject(text: &str) -> Personal<ProviderSubject> {
        Personal::new(SubjectId::from(ANN), ProviderSubject::parse(text).unwrap())
    }

    #[test]
    fn somebody_is_at_a_provider_until_their_last_identity_there_is_gone() {
        let mut view = AccessView::default();
        let linked = |text| UserEvent::IdentityLinked { issuer: issuer(), subject: subject(text) };
        let unlinked = |text| UserEvent::IdentityUnlinked { issuer: issuer(), subject: subject(text) };
        for (fact, there) in [(linked("a"), 1), (linked("b"), 1), (unlinked("a"), 1), (unlinked("b"), 0)] {
            view.fold_identity(ANN, &fact);
            assert_eq!(view.issuers_of(ANN).count(), there, "{fact:?}");
        }
        view.fold_identity(ANN, &linked("a"));
        view.fold_identity(ANN, &UserEvent::Deleted {});
        assert_eq!(view.issuers_of(ANN).count(), 0);
    }

    #[test]
    fn a_provider_keeps_its_issuer_whatever_changes_about_it() {
        let acme = ProviderId::parse("acme").unwrap();
        let (client_id, scopes) = (ProviderClientId::parse("sekisho").unwrap(), BTreeSet::new());
        let name = |text| DisplayName::parse(text).unwrap();
        let mut deployment = Deployment::default();
        deployment.fold_provider(DeploymentEvent::ProviderAdded {
            provider: acme.clone(),
            name: name("Acme"),
            issuer: issuer(),
            client_id: client_id.clone(),
            scopes: scopes.clone(),
            matching: AccountMatching::Identity,
            secret: None,
        });
        deployment.fold_provider(DeploymentEvent::ProviderChanged {
            provider: acme.clone(),
            name: name("Acme ID"),
            client_id,
            scopes,
            matching: AccountMatching::VerifiedEmail,
            secret: None,
        });
        let held = deployment.providers.get(&acme).unwrap();
        assert_eq!((held.name.as_str(), &held.issuer), ("Acme ID", &issuer()));
        deployment.fold_provider(DeploymentEvent::ProviderRemoved { provider: acme.clone() });
        assert!(deployment.providers.get(&acme).is_none());
    }
}
