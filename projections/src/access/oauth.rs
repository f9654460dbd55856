//! What the view knows for the authorization server: clients, grants, signing keys, and the tokens that were revoked before their time.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::client::{ClientAuthentication, ClientEvent, ClientKind, GrantType};
use domain::deployment::DeploymentEvent;
use domain::grant::{ACCESS_TOKEN_SECONDS, GrantEvent};
use domain::policy::Standing;
use domain::value::{
    ClientId, DisplayName, GrantId, InstanceId, KeyThumbprint, OrganizationId, RedirectUri, Scopes,
    SecretDigest, SigningAlgorithm, Timestamp, TokenId, UserId,
};

use super::{AccessView, HashMap};

/// An OAuth client.
#[derive(Debug, Clone, PartialEq)]
pub struct Client {
    /// Its id; as text the `client_id` of OAuth.
    pub id: ClientId,
    /// Whose it is; `None` for one that belongs to nobody in particular.
    pub organization: Option<OrganizationId>,
    /// The name shown at consent.
    pub name: DisplayName,
    /// `Suspended` when disabled, `Ended` when deleted.
    pub standing: Standing,
    /// How it proves itself; `None` for a public one.
    pub authentication: Option<ClientAuthentication>,
    /// Its secrets, the newest first.
    pub secrets: Vec<HeldSecret>,
    /// Where browsers may be sent back to.
    pub redirect_uris: BTreeSet<RedirectUri>,
    /// Those that it named; `None` when it named none.
    pub named_grant_types: Option<BTreeSet<GrantType>>,
    /// The most it can be granted.
    pub scopes: Scopes,
}

/// What is kept of a client's secret.
#[derive(Debug, Clone, PartialEq)]
pub struct HeldSecret {
    /// Which of the client's secrets, counted from 0: what was checked of another one says nothing about this.
    pub number: u32,
    /// Digest of it.
    pub digest: SecretDigest,
    /// How long it still works; `None` while it is the current one.
    pub until: Option<Timestamp>,
}

impl Client {
    /// By which grants it gets tokens.
    pub fn grant_types(&self) -> BTreeSet<GrantType> {
        let by_default =
            || GrantType::by_default(self.authentication.is_some(), !self.redirect_uris.is_empty());
        self.named_grant_types.clone().unwrap_or_else(by_default)
    }

    /// The secrets that work at this moment.
    pub fn secrets_at(&self, now: Timestamp) -> impl Iterator<Item = &HeldSecret> {
        self.secrets.iter().filter(move |secret| secret.until.is_none_or(|until| until > now))
    }
}

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
    fn insert(&mut self, root: Root, token: TokenId, expires_at: Timestamp) {
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
    pub(super) fn fold_client(&mut self, id: ClientId, fact: ClientEvent) {
        if let ClientEvent::Registered {
            organization,
            client_id: _, // the aggregate's own id
            name,
            kind,
            redirect_uris,
            scopes,
            registered_by: _, // who changes a client is no business of those who ask by it
            authentication,
            grant_types: named_grant_types,
        } = fact
        {
            let (authentication, secrets) = match kind {
                ClientKind::Public => (None, Vec::new()),
                ClientKind::Confidential { secret } => {
                    let secret = HeldSecret { number: 0, digest: secret, until: None };
                    (Some(authentication.unwrap_or_default()), vec![secret])
                }
            };
            let (organization, standing) = (Some(organization), Standing::Active);
            let client = Client {
                id,
                organization,
                name,
                standing,
                authentication,
                secrets,
                redirect_uris,
                named_grant_types,
                scopes,
            };
            self.clients.insert(id, Arc::new(client));
            return;
        }
        if let ClientEvent::TokenRevoked { token, expires_at } = fact {
            self.revoked_tokens.insert(Root::Client(id), token, expires_at);
            return;
        }
        let Some(client) = self.clients.get_mut(&id) else { return };
        let client = Arc::make_mut(client);
        match fact {
            ClientEvent::Registered { .. } | ClientEvent::TokenRevoked { .. } => {} // above
            ClientEvent::Updated { name, redirect_uris, scopes } => {
                client.name = name;
                client.redirect_uris = redirect_uris;
                client.scopes = scopes;
            }
            ClientEvent::SecretRotated { secret, previous_until } => client.rotate(secret, previous_until),
            ClientEvent::Disabled { reason: _ } => client.standing = Standing::Suspended,
            ClientEvent::Enabled {} => client.standing = Standing::Active,
            ClientEvent::Deleted {} => {
                client.standing = Standing::Ended;
                client.secrets.clear();
            }
        }
    }

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
            | DeploymentEvent::ParkedEventSkipped { .. } => {}
        }
    }

    fn activate(&mut self, kid: &KeyThumbprint, at: Timestamp) {
        let Some(algorithm) = self.signing_keys.get(kid).map(|key| key.algorithm) else { return };
        for (other, key) in self.signing_keys.iter_mut() {
            match key.state {
                _ if other == kid => key.state = SigningKeyState::Active { since: at },
                SigningKeyState::Active { .. } if key.algorithm == algorithm => {
                    key.state = SigningKeyState::Retiring { since: at };
                }
                SigningKeyState::Next { .. }
                | SigningKeyState::Active { .. }
                | SigningKeyState::Retiring { .. } => {}
            }
        }
    }
}

impl Client {
    /// The one before may go on for a while; of an older one nothing is left.
    fn rotate(&mut self, digest: SecretDigest, previous_until: Option<Timestamp>) {
        let previous = self.secrets.drain(..).next();
        let number = previous.as_ref().map_or(0, |secret| secret.number.saturating_add(1));
        self.secrets.push(HeldSecret { number, digest, until: None });
        if let (Some(previous), Some(until)) = (previous, previous_until) {
            self.secrets.push(HeldSecret { until: Some(until), ..previous });
        }
    }
}
