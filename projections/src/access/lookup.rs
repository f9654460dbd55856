//! What the gateway asks the view.

use std::net::IpAddr;
use std::sync::Arc;

use domain::policy::{InstanceFacts, KeyFacts, Standing, TokenFacts, TokenSubject};
use domain::value::{
    ApiKeyId, ClientId, ConnectionId, GrantId, InstanceId, KeyId, OrganizationId, Position, Role, ServerId,
    SigningAlgorithm, UserId,
};

use super::{
    AccessView, Client, Connection, Deployment, Grant, Instance, Key, Server, SigningKey, SigningKeyState,
    TokenClaims, TokenHolder,
};

impl AccessView {
    /// The last event that this view holds.
    pub const fn position(&self) -> Position {
        self.position
    }

    /// The key with this public part.
    pub fn key(&self, key_id: &str) -> Option<&Arc<Key>> {
        self.keys.get(key_id)
    }

    /// The public part of a key.
    pub fn public_part(&self, key: &Key) -> Option<&KeyId> {
        self.key_ids.get(&key.id)
    }

    /// The key with this id.
    pub fn key_by_id(&self, id: ApiKeyId) -> Option<&Arc<Key>> {
        self.keys.get(self.key_ids.get(&id)?)
    }

    /// The same key as it stands in this view.
    pub fn key_now(&self, key: &Key) -> Option<&Arc<Key>> {
        self.key_by_id(key.id)
    }

    /// The facts of a decision about a key.
    pub fn key_facts<'a>(&self, key: &'a Key) -> KeyFacts<'a> {
        KeyFacts {
            organization: key.organization,
            organization_standing: self.organization(key.organization),
            principal_standing: self.user(key.principal),
            role: self.role(key.organization, key.principal),
            revoked: key.revoked,
            expires_at: key.expires_at,
            scopes: &key.scopes,
            instance: key.instance,
        }
    }

    /// The facts of a decision about a token that was verified. `None` when this view does not know its client, its grant or its instance, or knows
    /// them otherwise: then the token is none of ours, or newer than the view.
    pub fn token_facts<'a>(&'a self, claims: &'a TokenClaims) -> Option<TokenFacts<'a>> {
        let client = self.client(claims.client)?;
        let instance = self.instance(claims.instance)?;
        let (subject, granted) = match claims.holder {
            TokenHolder::User { user, grant } => {
                let grant = self.grant(grant)?;
                let is_theirs =
                    (grant.user, grant.client, grant.instance) == (user, claims.client, claims.instance);
                if !is_theirs {
                    return None;
                }
                let subject = TokenSubject::User {
                    grant_revoked: grant.revoked,
                    grant_expires_at: grant.expires_at,
                    standing: self.user(user),
                    role: self.role(instance.organization, user),
                };
                (subject, &grant.scopes)
            }
            TokenHolder::Client => {
                (TokenSubject::Client { organization: client.organization }, &client.scopes)
            }
        };
        Some(TokenFacts {
            organization: instance.organization,
            organization_standing: self.organization(instance.organization),
            revoked: self.is_revoked(claims),
            expires_at: claims.expires_at,
            client_standing: client.standing,
            subject,
            scopes: [&claims.scopes, granted, &client.scopes],
            instance: claims.instance,
        })
    }

    /// A client, also a disabled or deleted one.
    pub fn client(&self, id: ClientId) -> Option<&Arc<Client>> {
        self.clients.get(&id)
    }

    /// A grant, also a revoked one.
    pub fn grant(&self, id: GrantId) -> Option<&Arc<Grant>> {
        self.grants.get(&id)
    }

    /// The live grant of a user, a client and an instance. Its time may be over.
    pub fn grant_of(&self, user: UserId, client: ClientId, instance: InstanceId) -> Option<&Arc<Grant>> {
        self.grant(*self.grant_of.get(&(user, client, instance))?)
    }

    /// Whether a token was revoked before its time. Forgotten a while after that is over.
    pub fn is_revoked(&self, claims: &TokenClaims) -> bool {
        self.revoked_tokens.contains(claims.root(), claims.token)
    }

    /// A key that signs, did, or will; not a retired one.
    pub fn signing_key(&self, kid: &str) -> Option<&SigningKey> {
        self.signing_keys.get(kid)
    }

    /// All keys that are published, in the order of their ids.
    pub fn signing_keys(&self) -> Vec<&SigningKey> {
        let mut keys: Vec<_> = self.signing_keys.values().collect();
        keys.sort_by(|one, other| one.kid.cmp(&other.kid));
        keys
    }

    /// The key that signs by this algorithm.
    pub fn active_signing_key(&self, algorithm: SigningAlgorithm) -> Option<&SigningKey> {
        self.signing_keys.values().find(|key| match key.state {
            SigningKeyState::Active { .. } => key.algorithm == algorithm,
            SigningKeyState::Next { .. } | SigningKeyState::Retiring { .. } => false,
        })
    }

    /// An instance, also a stopped or deleted one.
    pub fn instance(&self, id: InstanceId) -> Option<&Arc<Instance>> {
        self.instances.get(&id)
    }

    /// The instances of an organization, also stopped and deleted ones.
    pub fn instances_of(&self, organization: OrganizationId) -> impl Iterator<Item = &Arc<Instance>> {
        let ids = self.instances_of.get(&organization).into_iter().flatten();
        ids.filter_map(|id| self.instance(*id))
    }

    /// The facts of a decision about an instance.
    pub fn instance_facts<'a>(&self, instance: &'a Instance) -> InstanceFacts<'a> {
        InstanceFacts {
            id: instance.id,
            organization: instance.organization,
            organization_standing: self.organization(instance.organization),
            standing: instance.standing,
            authentication: instance.authentication,
            tools: &instance.tools,
        }
    }

    /// A connection, unless removed, and its server, unless retired.
    pub fn upstream(&self, id: ConnectionId) -> Option<(&Arc<Connection>, &Arc<Server>)> {
        let connection = self.connections.get(&id).filter(|connection| !connection.removed)?;
        let server = self.server(connection.server).filter(|server| !server.retired)?;
        Some((connection, server))
    }

    /// A server, also a retired one.
    pub fn server(&self, id: ServerId) -> Option<&Arc<Server>> {
        self.servers.get(&id)
    }

    /// The standing of an organization; one that never was has ended.
    pub fn organization(&self, id: OrganizationId) -> Standing {
        self.organizations.get(&id).copied().unwrap_or(Standing::Ended)
    }

    /// The standing of a user; one that never was has ended.
    pub fn user(&self, id: UserId) -> Standing {
        self.users.get(&id).copied().unwrap_or(Standing::Ended)
    }

    /// Whether there ever was such a user, as far as this view goes.
    pub fn has_heard_of(&self, user: UserId) -> bool {
        self.users.contains_key(&user)
    }

    /// What a user is in an organization.
    pub fn role(&self, organization: OrganizationId, user: UserId) -> Option<Role> {
        self.members.get(&(organization, user)).copied()
    }

    /// The deployment as a whole.
    pub const fn deployment(&self) -> &Deployment {
        &self.deployment
    }

    /// Whether a key is one with which its user administers the deployment: a key that somebody else issued in their name does not.
    pub fn administers(&self, key: &Key) -> bool {
        self.deployment.administrators.contains(&key.principal) && key.issued_by == key.principal
    }

    /// Whether a maintenance keeps this address out.
    pub fn in_maintenance(&self, client: IpAddr) -> bool {
        self.deployment
            .maintenance
            .as_ref()
            .is_some_and(|maintenance| !maintenance.allowed.iter().any(|range| range.contains(client)))
    }
}
