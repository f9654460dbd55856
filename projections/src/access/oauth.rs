//! What the view knows for the authorization server beside its clients: grants, signing keys, and the tokens that were revoked before their time.

use std::sync::Arc;

use domain::access_token::AccessTokenEvent;
use domain::deployment::DeploymentEvent;
use domain::grant::{ACCESS_TOKEN_SECONDS, GrantEvent};
use domain::value::{
    ClientId, GrantId, InstanceId, KeyThumbprint, OrganizationId, Scopes, SigningAlgorithm, Timestamp,
    TokenId, UserId,
};

use super::{AccessView, HashMap};

/// One user's standing authorization of one client at one instance.
#[derive(Debug, Clone, PartialEq)]
pub struct Grant {
    /// Which one.
    pub id: GrantId,
    /// Whose instance it is for.
    pub organization: OrganizationId,
    /// Who consented.
    pub user: UserId,
    /// To what acting in their name.
    pub client: ClientId,
    /// Where.
    pub instance: InstanceId,
    /// The most that its tokens may do.
    pub scopes: Scopes,
    /// When it ends by itself, if it does.
    pub expires_at: Option<Timestamp>,
    /// Whether it was revoked.
    pub revoked: bool,
}

/// A key that signs access tokens, did, or will.
#[derive(Debug, Clone, PartialEq)]
pub struct SigningKey {
    /// Which one.
    pub kid: KeyThumbprint,
    /// How it signs.
    pub algorithm: SigningAlgorithm,
    /// What others verify with, as JSON (RFC 7517), without `kid`, `alg` and `use` unless it says them itself.
    pub public_jwk: Arc<str>,
    /// How far it is. A retired key is not in the view.
    pub state: SigningKeyState,
}

/// How far a signing key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SigningKeyState {
    /// Published, and signs nothing yet.
    Next {
        /// Since when.
        since: Timestamp,
    },
    /// Signs.
    Active {
        /// Since when.
        since: Timestamp,
    },
    /// What it signed still counts.
    Retiring {
        /// Since when another one signs in its place.
        since: Timestamp,
    },
}

/// What a verified token says of itself, as far as a decision needs it.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenClaims {
    /// Its own id: `jti`.
    pub token: TokenId,
    /// To which client it was issued: `client_id`.
    pub client: ClientId,
    /// In whose name it calls: `sub`.
    pub holder: TokenHolder,
    /// Its audience: the one instance that `aud` names.
    pub instance: InstanceId,
    /// What it may do: `scope`.
    pub scopes: Scopes,
    /// When it ends: `exp`.
    pub expires_at: Timestamp,
}

/// In whose name a token calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenHolder {
    /// A user's, by what they consented to.
    User {
        /// Who.
        user: UserId,
        /// By which grant.
        grant: GrantId,
    },
    /// Its client's own.
    Client,
}

/// What a token hangs on: who revokes one names no other's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Root {
    /// What a user consented to.
    Grant(GrantId),
    /// The client that got it in its own name.
    Client(ClientId),
}

impl TokenClaims {
    /// What it hangs on.
    pub(super) const fn root(&self) -> Root {
        match self.holder {
            TokenHolder::User { user: _, grant } => Root::Grant(grant),
            TokenHolder::Client => Root::Client(self.client),
        }
    }
}

/// Tokens that are refused before their time, until that is over.
#[derive(Debug, Clone, Default)]
pub(super) struct RevokedTokens {
    until: HashMap<(Root, TokenId), Timestamp>,
    in_order: imbl::OrdSet<(Timestamp, Root, TokenId)>,
}

impl RevokedTokens {
    pub(super) fn contains(&self, root: Root, token: TokenId) -> bool {
        self.until.contains_key(&(root, token))
    }

    /// A view has no clock. A token is revoked before it ends, and lives no longer than `ACCESS_TOKEN_SECONDS`: whatever ends so much earlier than
    /// this one has ended. Twice as long, since clocks differ.
    pub(super) fn insert(&mut self, root: Root, token: TokenId, expires_at: Timestamp) {
        let over = expires_at.plus_seconds(-2 * ACCESS_TOKEN_SECONDS);
        while let Some(oldest) = self.in_order.get_min().copied().filter(|(end, ..)| *end < over) {
            self.in_order.remove(&oldest);
            self.until.remove(&(oldest.1, oldest.2));
        }
        if self.until.insert((root, token), expires_at).is_none() {
            self.in_order.insert((expires_at, root, token));
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.in_order.len()
    }
}

impl AccessView {
    pub(super) fn fold_grant(&mut self, id: GrantId, fact: GrantEvent) {
        match fact {
            GrantEvent::Granted { organization, user, client, instance, scopes, expires_at } => {
                self.grant_of.insert((user, client, instance), id);
                let revoked = false;
                let grant = Grant { id, organization, user, client, instance, scopes, expires_at, revoked };
                self.grants.insert(id, Arc::new(grant));
            }
            GrantEvent::ScopesChanged { scopes } => {
                if let Some(grant) = self.grants.get_mut(&id) {
                    Arc::make_mut(grant).scopes = scopes;
                }
            }
            GrantEvent::Revoked { reason: _ } => {
                let Some(grant) = self.grants.get_mut(&id) else { return };
                let grant = Arc::make_mut(grant);
                grant.revoked = true;
                let place = (grant.user, grant.client, grant.instance);
                if self.grant_of.get(&place) == Some(&id) {
                    self.grant_of.remove(&place);
                }
            }
            GrantEvent::TokenRevoked { token, expires_at } => {
                self.revoked_tokens.insert(Root::Grant(id), token, expires_at);
            }
        }
    }

    pub(super) fn fold_access_token(&mut self, id: TokenId, fact: &AccessTokenEvent) {
        let AccessTokenEvent::Revoked { client, grant, organization: _, instance: _, expires_at } = fact;
        let root = grant.map_or(Root::Client(*client), Root::Grant);
        self.revoked_tokens.insert(root, id, *expires_at);
    }

    /// Folds what happens to signing keys; everything else about the deployment is folded elsewhere.
    pub(super) fn fold_signing_key(&mut self, fact: &DeploymentEvent) {
        match fact {
            DeploymentEvent::SigningKeyAdded { kid, algorithm, public_jwk, at } => {
                let (public_jwk, state) =
                    (Arc::from(public_jwk.as_str()), SigningKeyState::Next { since: *at });
                let key = SigningKey { kid: kid.clone(), algorithm: *algorithm, public_jwk, state };
                self.signing_keys.insert(kid.clone(), key);
            }
            DeploymentEvent::SigningKeyActivated { kid, at } => self.activate(kid, *at),
            DeploymentEvent::SigningKeyRetired { kid, emergency: _ } => {
                self.signing_keys.remove(kid);
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
            | DeploymentEvent::ProviderAdded { .. }
            | DeploymentEvent::ProviderChanged { .. }
            | DeploymentEvent::ProviderRemoved { .. } => {}
        }
    }

    fn activate(&mut self, kid: &KeyThumbprint, at: Timestamp) {
        if !self.signing_keys.contains_key(kid) {
            return;
        }
        for (other, key) in self.signing_keys.iter_mut() {
            match key.state {
                _ if other == kid => key.state = SigningKeyState::Active { since: at },
                SigningKeyState::Active { .. } => key.state = SigningKeyState::Retiring { since: at },
                SigningKeyState::Next { .. } | SigningKeyState::Retiring { .. } => {}
            }
        }
    }
}
