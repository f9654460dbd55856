//! What may be asked of an API key.

use super::KeyEnvironment;
use crate::value::{DisplayName, InstanceId, KeyId, OrganizationId, Scopes, SecretDigest, Timestamp, UserId};

/// A request to an API key. The key itself is made outside; only its digest comes in.
#[derive(Debug, Clone)]
pub enum ApiKeyCommand {
    /// Bring it into being.
    Issue {
        /// Whose key it is.
        organization: OrganizationId,
        /// Its public part.
        key_id: KeyId,
        /// The name shown in lists.
        name: DisplayName,
        /// In whose name it calls.
        principal: UserId,
        /// Who issues it.
        issued_by: UserId,
        /// The only instance it opens, if it is bound to one.
        instance: Option<InstanceId>,
        /// What it may do.
        scopes: Scopes,
        /// What is kept of its secret.
        digest: SecretDigest,
        /// When it stops by itself, if it does.
        expires_at: Option<Timestamp>,
        /// What it is for.
        environment: KeyEnvironment,
        /// Now.
        at: Timestamp,
    },
    /// Change the name.
    Rename {
        /// The new name.
        name: DisplayName,
    },
    /// Refuse it from now on, for ever.
    Revoke {
        /// Why, for the audit.
        reason: DisplayName,
    },
}
