//! What use cases need from outside: the log, fresh ids and secrets, hashing, the vault, the clock. Adapters live in `api`.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use cqrs_es::persist::{PersistedEventRepository, SerializedEvent};
use domain::value::{Clock, ConnectionId, OrganizationId, Position, ProviderSecretId, SecretDigest, UserId};
use domain::{ClaimChange, ClaimScope};
use uuid::Uuid;

use crate::secret::{IssuedSecret, PresentedSecret};

/// Everything a use case may reach for, bundled so that a use case names one type parameter.
pub trait Ports: Send + Sync {
    /// The event log.
    type Log: Log;
    /// Ids and randomness.
    type Entropy: Entropy;
    /// Digests of secrets.
    type Hasher: SecretHasher;
    /// Sealed upstream credentials.
    type Vault: Vault;
    /// The time.
    type Clock: Clock;

    /// The event log.
    fn log(&self) -> &Self::Log;
    /// Ids and randomness.
    fn entropy(&self) -> &Self::Entropy;
    /// Digests of secrets.
    fn hasher(&self) -> &Self::Hasher;
    /// Sealed upstream credentials.
    fn vault(&self) -> &Self::Vault;
    /// The time.
    fn clock(&self) -> &Self::Clock;
}

/// The idempotency key of one command, unique in the log. Scoped to its actor by whoever makes it from a caller's text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CommandId(String);

impl CommandId {
    /// Wraps an id.
    pub const fn new(id: String) -> Self {
        Self(id)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The log: reads of single aggregates as `cqrs-es` wants them, and one append for everything that a use case decided.
pub trait Log: PersistedEventRepository {
    /// A command that was carried out before, under this id.
    fn find(&self, command: &CommandId) -> impl Future<Output = Result<Option<Recorded>, LogError>> + Send;

    /// Appends all events of a use case, its claims and its id in one transaction. The position is that of its last event, or the
    /// head of the log when there is no event.
    fn append(&self, batch: Batch) -> impl Future<Output = Result<Position, AppendError>> + Send;

    /// The organizations that this user was ever taken into, whatever became of it.
    fn organizations_of(
        &self,
        user: UserId,
    ) -> impl Future<Output = Result<Vec<OrganizationId>, LogError>> + Send;

    /// The id of the aggregate that owns a unique name. Whoever rests on it is refused when it has changed hands: by the aggregate, or by the name itself.
    fn owner_of(
        &self,
        scope: ClaimScope,
        value: &str,
    ) -> impl Future<Output = Result<Option<String>, LogError>> + Send;

    /// Destroys the key of everybody who was erased, as the log says, and has one. May be repeated: whoever does it next does what is left.
    fn forget_erased(&self) -> impl Future<Output = Result<(), LogError>> + Send;

    /// Lets other writers go first for so long.
    fn give_way(&self, pause: Duration) -> impl Future<Output = ()> + Send;
}

/// What the log remembers of a command.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// Digest of the request that was carried out.
    pub request_digest: String,
    /// Where its last event is.
    pub position: Position,
    /// Its answer, as JSON.
    pub answer: String,
}

/// One command, decided and ready to be appended.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Its id.
    pub command: CommandId,
    /// Digest of the request, to tell a retry from another request under the same id.
    pub request_digest: String,
    /// Its events, in order, of any number of aggregates.
    pub events: Vec<SerializedEvent>,
    /// Changes to unique names, in order, with the aggregate they are for.
    pub claims: Vec<(Owner, ClaimChange)>,
    /// Aggregates that it does not change but rests on: one that changed meanwhile is a conflict.
    pub rests_on: Vec<Seen>,
    /// Its answer, as JSON.
    pub answer: String,
}

/// The aggregate that owns a claim.
pub type Owner = (&'static str, String);

/// An aggregate as a command saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its type.
    pub aggregate_type: &'static str,
    /// Its id.
    pub aggregate_id: String,
    /// The sequence of its last event.
    pub sequence: usize,
}

/// The log cannot be read or reached.
#[derive(Debug, thiserror::Error)]
#[error("the log cannot be reached: {0}")]
pub struct LogError(pub String);

/// Why an append did not happen.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Another writer was faster on one of the aggregates.
    #[error("another change to the same thing came first")]
    Conflict,
    /// A unique name belongs to somebody else.
    #[error("the {} is taken", .0.as_str())]
    Taken(ClaimScope),
    /// The command id was carried out already, in the meantime.
    #[error("this command was carried out already")]
    Duplicate,
    /// Too many commands are waiting.
    #[error("too many commands are waiting to be written")]
    Overloaded,
    /// The log did not answer; whether the command is in it can be learned by asking again with the same id.
    #[error(transparent)]
    Log(#[from] LogError),
}

/// Fresh ids and secrets.
pub trait Entropy: Send + Sync {
    /// A fresh time-ordered id.
    fn id(&self) -> Uuid;
    /// 32 bytes that nobody can guess.
    fn secret(&self) -> [u8; 32];
}

/// Digests of secrets, and their check.
pub trait SecretHasher: Send + Sync {
    /// Digest of a secret of full entropy (an API key): cheap to check, on the hot path.
    fn digest(&self, secret: &IssuedSecret) -> SecretDigest;
    /// Whether a presented secret is the one behind a digest made by `digest`, in constant time.
    fn matches(&self, presented: &PresentedSecret, digest: &SecretDigest) -> bool;
    /// Slow digest of a client's secret, off the runtime's threads.
    fn slow_digest(
        &self,
        secret: &IssuedSecret,
    ) -> impl Future<Output = Result<SecretDigest, HashError>> + Send;
}

/// There is no slow digest.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// As many as may wait are waiting.
    #[error("too many secrets are waiting to be digested; retry later")]
    Busy,
    /// The digest cannot be made.
    #[error("a secret cannot be digested: {0}")]
    Failed(String),
}

/// The vault did not take the secrets.
#[derive(Debug, thiserror::Error)]
#[error("the vault cannot be reached: {0}")]
pub struct VaultError(pub String);

/// Where credentials for others are sealed. What is stored is not in use until an event names it.
pub trait Vault: Send + Sync {
    /// Seals the fields of a new version of a connection's secrets; answers its number, higher than any that is kept and than the one
    /// that is in force, which may be kept no longer.
    fn store(
        &self,
        connection: ConnectionId,
        in_force: u32,
        fields: &BTreeMap<String, PresentedSecret>,
    ) -> impl Future<Output = Result<u32, VaultError>> + Send;

    /// Seals a client secret for an identity provider, under an id of its own.
    fn keep(
        &self,
        id: ProviderSecretId,
        secret: &PresentedSecret,
    ) -> impl Future<Output = Result<(), VaultError>> + Send;
}
