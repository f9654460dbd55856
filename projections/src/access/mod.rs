//! The in-memory view that the gateway reads: who is who, what is open, what is exposed, at one position of the log.
//!
//! A view is a value: folding gives a new one that shares almost everything with the old one, so a reader keeps a consistent snapshot for as
//! long as it likes and never waits. Personal data never enter it. Deliberately absent: decisions; it hands facts to `domain::policy`.

mod clients;
mod closing;
mod credential;
pub mod evidence;
mod fold;
mod grounds;
mod judge;
mod live;
mod lookup;
mod members;
mod oauth;
mod parties;
mod providers;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod token_tests;

use std::sync::Arc;

use domain::api_key::KeyEnvironment;
use domain::instance::{CallerAuthentication, MemberNames, Recording, WhenStale};
use domain::policy::Standing;
use domain::server::ServerOauth;
use domain::value::{
    AddressRange, ApiKeyId, AuthorizationId, ClientId, ConnectionId, CredentialField, GrantId, InstanceId,
    Issuer, KeyId, KeyThumbprint, OrganizationId, Position, ProviderId, Role, Scopes, SecretDigest, ServerId,
    Timestamp, ToolSelection, UpstreamUrl, UserId,
};
use imbl::GenericHashMap;
use imbl::shared_ptr::DefaultSharedPtr;

pub use clients::{Client, HeldSecret, OwnRegistration};
pub use credential::{Credential, Unmade};
pub use grounds::{Basis, Deciding, Grounds, Mark, Parties, Unanswered};
pub use judge::{Shown, Unfit, Wanted};
pub use live::{Held, LiveView};
pub use members::MEMBER_SEPARATOR;
pub use oauth::{Grant, SigningKey, SigningKeyState, TokenClaims, TokenHolder};
pub use providers::Provider;

/// Ids are ours or drawn at random, and the hash is keyed at random for each map: nobody chooses what collides.
type HashMap<K, V> = GenericHashMap<K, V, foldhash::fast::RandomState, DefaultSharedPtr>;

/// Everything the gateway needs to know, as of `position`.
#[derive(Debug, Clone, Default)]
pub struct AccessView {
    position: Position,
    organizations: HashMap<OrganizationId, Standing>,
    users: HashMap<UserId, Standing>,
    members: HashMap<(OrganizationId, UserId), Role>,
    keys: HashMap<KeyId, Arc<Key>>,
    key_ids: HashMap<ApiKeyId, KeyId>,
    servers: HashMap<ServerId, Arc<Server>>,
    connections: HashMap<ConnectionId, Arc<Connection>>,
    instances: HashMap<InstanceId, Arc<Instance>>,
    /// Those of each organization: a client may leave out which one it means.
    instances_of: HashMap<OrganizationId, imbl::OrdSet<InstanceId>>,
    clients: HashMap<ClientId, Arc<Client>>,
    /// Those that registered themselves and that nobody ever let act, by when they did.
    unused_clients: imbl::OrdSet<(Timestamp, ClientId)>,
    /// How many of them are nobody's.
    unused_of_nobody: usize,
    grants: HashMap<GrantId, Arc<Grant>>,
    /// The live grant of a user, a client and an instance.
    grant_of: HashMap<(UserId, ClientId, InstanceId), GrantId>,
    signing_keys: HashMap<KeyThumbprint, SigningKey>,
    revoked_tokens: oauth::RevokedTokens,
    /// At which providers somebody has identities, and how many at each.
    identities: HashMap<UserId, imbl::OrdMap<Issuer, u32>>,
    deployment: Deployment,
    closings: closing::Closings,
}

/// An API key.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// Its id as an aggregate.
    pub id: ApiKeyId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// The user it is bound to.
    pub principal: UserId,
    /// Who issued it.
    pub issued_by: UserId,
    /// The instance it is bound to, if it is.
    pub instance: Option<InstanceId>,
    /// What it may do.
    pub scopes: Scopes,
    /// Digest of its secret.
    pub digest: SecretDigest,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// Live or test.
    pub environment: KeyEnvironment,
    /// Whether it was revoked.
    pub revoked: bool,
}

/// An upstream server.
#[derive(Debug, Clone, PartialEq)]
pub struct Server {
    /// Whose it is; `None` for the deployment's catalogue.
    pub organization: Option<OrganizationId>,
    /// Where it is.
    pub url: UpstreamUrl,
    /// How often it moved to another origin.
    pub generation: u32,
    /// The credentials it wants.
    pub credential_fields: Vec<CredentialField>,
    /// How its connections are authorized by OAuth; `None` when they are not.
    pub oauth: Option<Arc<ServerOauth>>,
    /// Retired servers are not called any more.
    pub retired: bool,
}

/// Credentials and settings for one server.
#[derive(Debug, Clone, PartialEq)]
pub struct Connection {
    /// Whose it is.
    pub organization: OrganizationId,
    /// For which server.
    pub server: ServerId,
    /// Its secrets in the vault; `None` before any were set.
    pub secrets: Option<ConnectionSecrets>,
    /// What an authorization server gave out for it; `None` when nothing is of use.
    pub authorization: Option<ConnectionAuthorization>,
    /// Removed connections are not used any more.
    pub removed: bool,
}

/// Secrets in the vault, and for which generation of the server they were set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionSecrets {
    /// Version in the vault.
    pub version: u32,
    /// The server's generation when they were set.
    pub generation: u32,
}

/// Tokens beside the log, and for which generation of the server they were given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionAuthorization {
    /// Under which id they are kept.
    pub id: AuthorizationId,
    /// The server's generation when they were put in force.
    pub generation: u32,
}

impl Connection {
    /// What this server may be sent of an authorization. As with secrets, what was given out before it moved to another origin counts as nothing.
    pub fn authorization_for(&self, server: &Server) -> Option<AuthorizationId> {
        let authorization = self.authorization.filter(|held| held.generation == server.generation);
        authorization.filter(|_| server.oauth.is_some()).map(|held| held.id)
    }

    /// Version of the secrets that this server may be sent. Those that were set before it moved to another origin count as not set: whoever
    /// set them entrusted them to the place that it was at.
    pub fn secrets_for(&self, server: &Server) -> Option<u32> {
        self.secrets.filter(|secrets| secrets.generation == server.generation).map(|secrets| secrets.version)
    }
}

/// The thing behind an MCP endpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// Which one.
    pub id: InstanceId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// What it is made of.
    pub connections: Vec<ConnectionId>,
    /// What those are called, where there are several.
    pub names: MemberNames,
    /// The allow-list.
    pub tools: ToolSelection,
    /// How callers prove who they are.
    pub authentication: CallerAuthentication,
    /// Active, stopped (`Suspended`) or deleted (`Ended`).
    pub standing: Standing,
    /// How its calls are recorded.
    pub recording: Recording,
    /// What becomes of its calls while a node knows too little to decide.
    pub when_stale: WhenStale,
}

/// Facts about the deployment as a whole.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Deployment {
    /// Whether it was set up.
    pub bootstrapped: bool,
    /// Its administrators.
    pub administrators: imbl::HashSet<UserId>,
    /// The maintenance under way.
    pub maintenance: Option<Arc<Maintenance>>,
    /// The identity providers that people sign in with.
    pub providers: imbl::OrdMap<ProviderId, Arc<Provider>>,
}

/// A maintenance under way.
#[derive(Debug, Clone, PartialEq)]
pub struct Maintenance {
    /// When it is to end.
    pub until: Option<Timestamp>,
    /// Addresses that pass.
    pub allowed: Vec<AddressRange>,
}
