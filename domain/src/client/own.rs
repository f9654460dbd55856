//! What a client does about itself: it registers (RFC 7591), describes itself anew and leaves (RFC 7592), and is let act for the first time.
//!
//! ```text
//!   (unborn) --register itself--> unused --let act--> used
//!                                    `--nobody let it act for so long--> deleted, because it is unused
//! ```
//! It manages itself until whoever answers for it revokes its registration access token, or changes what it is: what they decided is not the
//! client's to undo, and it is told so by its token being refused.
//!
//! It gets codes, and refresh tokens for them, and nothing in its own name: nobody answers for it.

use serde::{Deserialize, Serialize};

use super::command::{ItselfDescribed, ItselfRegistered};
use super::{Client, ClientEnd, ClientError, ClientEvent, ClientKind, Description, GrantType, Standing};
use super::{must_be_reachable, must_fit, must_prove};
use crate::value::{ClientKeySource, Timestamp};

/// What is remembered of a client that registered itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Own {
    /// Since when it is there.
    pub(super) since: Timestamp,
    /// Whether anybody ever let it act.
    pub(super) used: bool,
    /// Who says what it is.
    #[serde(default)]
    pub(super) managed: Managed,
}

/// Who says what a client is that registered itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Managed {
    /// It does, with its registration access token.
    #[default]
    ByItself,
    /// Whoever answers for it, and it no longer.
    ByOthers,
}

impl Client {
    pub(super) fn register_itself(&self, said: &ItselfRegistered) -> Result<Vec<ClientEvent>, ClientError> {
        self.must_be_unborn()?;
        let ItselfDescribed { name, redirect_uris, scopes, grant_types, about, keys: _ } = &said.description;
        let is_public = matches!(said.kind, ClientKind::Public);
        must_be_reachable(redirect_uris, is_public)?;
        must_fit(Some(grant_types), redirect_uris, is_public)?;
        must_ask_people(grant_types)?;
        must_prove(&said.kind, said.authentication)?;
        Ok(vec![ClientEvent::SelfRegistered {
            organization: said.organization,
            client_id: said.client_id,
            name: name.clone(),
            kind: said.kind.clone(),
            redirect_uris: redirect_uris.clone(),
            scopes: scopes.clone(),
            registered_by: said.registered_by,
            authentication: said.authentication,
            grant_types: grant_types.clone(),
            registration_token: said.registration_token.clone(),
            about: Box::new(about.clone()),
            at: said.at,
        }])
    }

    pub(super) fn describe_itself(&self, said: &ItselfDescribed) -> Result<Vec<ClientEvent>, ClientError> {
        self.must_live()?;
        self.must_be_its_own()?;
        let ItselfDescribed { name, redirect_uris, scopes, grant_types, about, keys } = said;
        must_be_reachable(redirect_uris, self.is_public())?;
        must_fit(Some(grant_types), redirect_uris, self.is_public())?;
        must_ask_people(grant_types)?;
        let replaced = match keys {
            Some(keys) => self.replace_keys(keys)?,
            None => vec![],
        };
        let wanted =
            Description { name: name.clone(), redirect_uris: redirect_uris.clone(), scopes: scopes.clone() };
        let is_as_said = self.description.as_ref() == Some(&wanted)
            && self.grant_types.as_ref() == Some(grant_types)
            && self.about.as_ref() == Some(about);
        if is_as_said {
            return Ok(replaced);
        }
        let Description { name, redirect_uris, scopes } = wanted;
        let (grant_types, about) = (grant_types.clone(), Box::new(about.clone()));
        let described = ClientEvent::SelfDescribed { name, redirect_uris, scopes, grant_types, about };
        Ok([vec![described], replaced].concat())
    }

    /// Of keys that are the same ones there is nothing to tell.
    pub(super) fn replace_keys(&self, keys: &ClientKeySource) -> Result<Vec<ClientEvent>, ClientError> {
        self.must_live()?;
        match &self.kind {
            Some(ClientKind::Keyed { .. } | ClientKind::Publishing { .. }) => {
                if self.kind == Some(keys.clone().into()) {
                    return Ok(vec![]);
                }
                Ok(vec![match keys.clone() {
                    ClientKeySource::Sent(keys) => ClientEvent::KeysReplaced { keys },
                    ClientKeySource::Published(keys) => ClientEvent::KeysPublished { keys },
                }])
            }
            Some(ClientKind::Public | ClientKind::Confidential { .. }) | None => Err(ClientError::NoKeys),
        }
    }

    /// What whoever answers for it did, and with that the end of its managing itself. What changes nothing takes nothing over.
    pub(super) fn taken_over(&self, mut did: Vec<ClientEvent>) -> Vec<ClientEvent> {
        if !did.is_empty() && self.manages_itself() {
            did.push(ClientEvent::RegistrationTokenRevoked {});
        }
        did
    }

    pub(super) fn revoke_registration_token(&self) -> Result<Vec<ClientEvent>, ClientError> {
        match (self.standing, self.own) {
            (Standing::Unborn, _) => Err(ClientError::Unknown),
            (Standing::Deleted, _) => Err(ClientError::Deleted),
            (Standing::Enabled | Standing::Disabled, None) => Err(ClientError::NotItsOwn),
            (Standing::Enabled | Standing::Disabled, Some(Own { managed: Managed::ByOthers, .. })) => {
                Ok(vec![])
            }
            (Standing::Enabled | Standing::Disabled, Some(Own { managed: Managed::ByItself, .. })) => {
                Ok(vec![ClientEvent::RegistrationTokenRevoked {}])
            }
        }
    }

    pub(super) fn be_taken_over(&mut self) {
        self.own = self.own.map(|own| Own { managed: Managed::ByOthers, ..own });
    }

    fn manages_itself(&self) -> bool {
        self.must_be_its_own().is_ok()
    }

    /// Somebody lets it act. Told once, of those that would be forgotten otherwise.
    pub(super) fn be_used(&self) -> Result<Vec<ClientEvent>, ClientError> {
        self.must_live()?;
        match self.own {
            Some(Own { used: false, .. }) => Ok(vec![ClientEvent::FirstUsed {}]),
            Some(Own { used: true, .. }) | None => Ok(vec![]),
        }
    }

    /// Ends it, if it registered itself no later than this and nobody ever let it act. Whatever else it is, it stays.
    pub(super) fn end_if_unused(&self, since: Timestamp) -> Vec<ClientEvent> {
        match (self.standing, self.own) {
            (Standing::Enabled | Standing::Disabled, Some(own)) if !own.used && own.since <= since => {
                vec![ClientEvent::Deleted { reason: Some(ClientEnd::Unused) }]
            }
            (Standing::Unborn | Standing::Enabled | Standing::Disabled | Standing::Deleted, _) => vec![],
        }
    }

    pub(super) fn leave(&self) -> Result<Vec<ClientEvent>, ClientError> {
        match self.standing {
            Standing::Unborn => Err(ClientError::Unknown),
            Standing::Deleted => Ok(vec![]),
            Standing::Enabled | Standing::Disabled => {
                self.must_be_its_own()?;
                Ok(vec![ClientEvent::Deleted { reason: Some(ClientEnd::ByItself) }])
            }
        }
    }

    const fn must_be_its_own(&self) -> Result<(), ClientError> {
        match self.own {
            None => Err(ClientError::NotItsOwn),
            Some(Own { managed: Managed::ByOthers, .. }) => Err(ClientError::TakenOver),
            Some(Own { managed: Managed::ByItself, .. }) => Ok(()),
        }
    }
}

/// People consent to what it does; in its own name it does nothing.
pub(super) fn must_ask_people(
    grant_types: &std::collections::BTreeSet<GrantType>,
) -> Result<(), ClientError> {
    if grant_types.contains(&GrantType::ClientCredentials) {
        return Err(ClientError::OwnCredentials);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
