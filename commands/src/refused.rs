//! Why something that was asked is not done. One enum for the whole control plane, mapped exhaustively at the edge.

use std::convert::Infallible;

use domain::ClaimScope;
use domain::api_key::ApiKeyError;
use domain::client::ClientError;
use domain::connection::ConnectionError;
use domain::deployment::DeploymentError;
use domain::grant::GrantError;
use domain::instance::InstanceError;
use domain::organization::OrganizationError;
use domain::server::ServerError;
use domain::user::UserError;

use crate::ports::{AppendError, HashError, LogError, VaultError};

/// A use case refuses.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// By a rule of organizations.
    #[error(transparent)]
    Organization(#[from] OrganizationError),
    /// By a rule of users.
    #[error(transparent)]
    User(#[from] UserError),
    /// By a rule of clients.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// By a rule of grants.
    #[error(transparent)]
    Grant(#[from] GrantError),
    /// By a rule of API keys.
    #[error(transparent)]
    ApiKey(#[from] ApiKeyError),
    /// By a rule of servers.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// By a rule of connections.
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    /// By a rule of instances.
    #[error(transparent)]
    Instance(#[from] InstanceError),
    /// By a rule of the deployment.
    #[error(transparent)]
    Deployment(#[from] DeploymentError),
    /// Somebody must stay responsible for these organizations.
    #[error("this user is the last owner of {}; make another member owner there first", .0.join(", "))]
    LastOwnerOf(Vec<String>),
    /// It does not exist, or not in the actor's organization: the two look the same.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The actor's role does not reach this far.
    #[error("{0}")]
    Forbidden(&'static str),
    /// The request contradicts itself or what it refers to.
    #[error("{0}")]
    Invalid(String),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The vault cannot be written.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// A secret is not digested.
    #[error(transparent)]
    Hash(#[from] HashError),
}

/// An aggregate that refuses nothing.
impl From<Infallible> for Refused {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// Carrying out a use case failed.
#[derive(Debug, thiserror::Error)]
pub enum CarryOutError {
    /// The use case refuses.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// A unique name belongs to somebody else.
    #[error("the {} is taken", .0.as_str())]
    Taken(ClaimScope),
    /// Others kept changing the same thing.
    #[error("others changed the same thing at the same time; read it again and retry")]
    Conflict,
    /// The idempotency key was used for another request.
    #[error("this idempotency key was used for another request")]
    KeyReused,
    /// Too many commands are waiting.
    #[error("too many commands are waiting to be written; retry later")]
    Overloaded,
    /// The log did not answer.
    #[error(transparent)]
    Log(LogError),
}

impl From<AppendError> for CarryOutError {
    /// A command that is in the log already is a conflict until its answer is looked up.
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Conflict | AppendError::Duplicate => Self::Conflict,
            AppendError::Taken(scope) => Self::Taken(scope),
            AppendError::Overloaded => Self::Overloaded,
            AppendError::Log(error) => Self::Log(error),
        }
    }
}
