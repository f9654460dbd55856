//! What may be asked of a connection.

use std::collections::BTreeSet;

use super::{AuthorizationEnd, Authorized, ConnectionOwner};
use crate::value::{AuthorizationId, DisplayName, FieldName, OrganizationId, ProviderScope, ServerId};

/// A request to a connection.
#[derive(Debug, Clone)]
pub enum ConnectionCommand {
    /// Bring it into being.
    Create {
        /// Where it belongs.
        organization: OrganizationId,
        /// Whose credentials it holds.
        owner: ConnectionOwner,
        /// The server it connects to.
        server: ServerId,
        /// The name shown in lists.
        name: DisplayName,
    },
    /// Change the name.
    Rename {
        /// The new name.
        name: DisplayName,
    },
    /// Put a new set of secrets in force.
    SetSecrets {
        /// The fields that have a value in the set.
        fields: BTreeSet<FieldName>,
        /// Under which version the vault keeps the set.
        version: u32,
    },
    /// Use what an authorization server gave out for it.
    Authorize(Authorized),
    /// Ask whoever authorized it for more, because the upstream did.
    WantScopes {
        /// Of which authorization the scopes are too few.
        authorization: AuthorizationId,
        /// What is wanted.
        scopes: BTreeSet<ProviderScope>,
    },
    /// Note that an authorization is of no use any more.
    LoseAuthorization {
        /// Which.
        authorization: AuthorizationId,
        /// Why.
        reason: AuthorizationEnd,
    },
    /// Take the authorization back.
    WithdrawAuthorization,
    /// End it for good.
    Remove,
}
