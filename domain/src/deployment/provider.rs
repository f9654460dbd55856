//! The identity providers that people sign in with.
//!
//! ```text
//!   (none) --add--> offered --remove--> removed
//!                    ^  `--change--^       |
//!                    `---------add---------'     under the same issuer: sessions and identities know a provider by it
//! ```
//! A provider never moves to another issuer: what it was entrusted with would be sent to somebody else. What is secret lies beside the log.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{DeploymentError, DeploymentEvent};
use crate::value::{DisplayName, Issuer, ProviderClientId, ProviderId, ProviderScope, ProviderSecretId};

/// Providers that are offered at a time.
pub const PROVIDERS_MAX: usize = 20;
/// Scopes that one provider is asked for.
pub const PROVIDER_SCOPES_MAX: usize = 20;

/// How somebody who comes from a provider is matched with a user.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AccountMatching {
    /// By the identity alone.
    #[default]
    Identity,
    /// Also by an e-mail address that the provider verified; and only with the user who is signed in at that moment.
    VerifiedEmail,
}

impl AccountMatching {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::VerifiedEmail => "verified_email",
        }
    }

    /// Read from the wire.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Identity, Self::VerifiedEmail].into_iter().find(|matching| matching.as_str() == text)
    }
}

/// All that may change about a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderTerms {
    /// What its button says.
    pub name: DisplayName,
    /// What it calls this deployment.
    pub client_id: ProviderClientId,
    /// What it is asked for beside `openid`.
    pub scopes: BTreeSet<ProviderScope>,
    /// How accounts are matched.
    pub matching: AccountMatching,
    /// Where the client secret lies; none for a public client.
    pub secret: Option<ProviderSecretId>,
}

/// Every provider there was: what is removed stays known by its issuer.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Providers(BTreeMap<ProviderId, Held>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Held {
    issuer: Issuer,
    /// None once it is removed.
    terms: Option<ProviderTerms>,
}

impl Providers {
    pub(super) fn terms(&self, provider: &ProviderId) -> Option<&ProviderTerms> {
        self.0.get(provider)?.terms.as_ref()
    }

    pub(super) fn add(
        &self,
        provider: &ProviderId,
        issuer: &Issuer,
        terms: &ProviderTerms,
    ) -> Result<Vec<DeploymentEvent>, DeploymentError> {
        match self.0.get(provider) {
            Some(held) if held.issuer != *issuer => return Err(DeploymentError::ProviderOfAnotherIssuer),
            Some(Held { terms: Some(held), .. }) if held == terms => return Ok(vec![]),
            Some(Held { terms: Some(_), .. }) => return Err(DeploymentError::ProviderExists),
            Some(Held { terms: None, .. }) | None => must_be_few(&terms.scopes)?,
        }
        let mut offered = self.0.values().filter(|held| held.terms.is_some());
        if offered.any(|held| held.issuer == *issuer) {
            return Err(DeploymentError::IssuerExists);
        }
        if self.0.values().filter(|held| held.terms.is_some()).count() >= PROVIDERS_MAX {
            return Err(DeploymentError::TooManyProviders);
        }
        let ProviderTerms { name, client_id, scopes, matching, secret } = terms.clone();
        let (provider, issuer) = (provider.clone(), issuer.clone());
        Ok(vec![DeploymentEvent::ProviderAdded {
            provider,
            name,
            issuer,
            client_id,
            scopes,
            matching,
            secret,
        }])
    }

    pub(super) fn change(
        &self,
        provider: &ProviderId,
        terms: &ProviderTerms,
    ) -> Result<Vec<DeploymentEvent>, DeploymentError> {
        let held = self.terms(provider).ok_or(DeploymentError::UnknownProvider)?;
        if held == terms {
            return Ok(vec![]);
        }
        must_be_few(&terms.scopes)?;
        let ProviderTerms { name, client_id, scopes, matching, secret } = terms.clone();
        let provider = provider.clone();
        Ok(vec![DeploymentEvent::ProviderChanged { provider, name, client_id, scopes, matching, secret }])
    }

    pub(super) fn remove(&self, provider: &ProviderId) -> Result<Vec<DeploymentEvent>, DeploymentError> {
        match self.0.get(provider) {
            None => Err(DeploymentError::UnknownProvider),
            Some(Held { terms: None, .. }) => Ok(vec![]),
            Some(Held { terms: Some(_), .. }) => {
                Ok(vec![DeploymentEvent::ProviderRemoved { provider: provider.clone() }])
            }
        }
    }

    pub(super) fn added(&mut self, provider: ProviderId, issuer: Issuer, terms: ProviderTerms) {
        self.0.insert(provider, Held { issuer, terms: Some(terms) });
    }

    pub(super) fn changed(&mut self, provider: &ProviderId, terms: Option<ProviderTerms>) {
        if let Some(held) = self.0.get_mut(provider) {
            held.terms = terms;
        }
    }
}

fn must_be_few(scopes: &BTreeSet<ProviderScope>) -> Result<(), DeploymentError> {
    if scopes.len() > PROVIDER_SCOPES_MAX { Err(DeploymentError::TooManyProviderScopes) } else { Ok(()) }
}
