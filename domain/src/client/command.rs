//! What may be asked of an OAuth client.

use std::collections::BTreeSet;

use super::{ClientAuthentication, ClientKind, GrantType};
use crate::value::{
    ClientId, DisplayName, OrganizationId, RedirectUri, Scopes, SecretDigest, Timestamp, TokenId, UserId,
};

/// A request to a client. Secrets are made and digested outside.
#[derive(Debug, Clone)]
pub enum ClientCommand {
    /// Bring it into being.
    Register {
        /// Whose client it is.
        organization: OrganizationId,
        /// Its public identifier.
        client_id: ClientId,
        /// The name shown at consent.
        name: DisplayName,
        /// Public, or confidential with its first secret.
        kind: ClientKind,
        /// Where browsers may be sent back to.
        redirect_uris: BTreeSet<RedirectUri>,
        /// The most it can be granted.
        scopes: Scopes,
        /// Who registers it.
        registered_by: UserId,
        /// How it proves itself, unless by its secret in the header. A public client has no way to.
        authentication: Option<ClientAuthentication>,
        /// By which grants it gets tokens, unless by all that it can use.
        grant_types: Option<BTreeSet<GrantType>>,
    },
    /// Replace its description.
    Update {
        /// The name shown at consent.
        name: DisplayName,
        /// Where browsers may be sent back to.
        redirect_uris: BTreeSet<RedirectUri>,
        /// The most it can be granted.
        scopes: Scopes,
    },
    /// Give it a new secret.
    RotateSecret {
        /// What is kept of the new secret.
        secret: SecretDigest,
        /// How long the current one still works; none stops it at once.
        previous_until: Option<Timestamp>,
    },
    /// Refuse everything it asks for.
    Disable {
        /// Why, for the audit.
        reason: DisplayName,
    },
    /// Let it ask again.
    Enable,
    /// End it for good.
    Delete,
    /// Refuse one of the tokens that it got in its own name (RFC 7009).
    RevokeToken {
        /// Which.
        token: TokenId,
        /// When it ends by itself.
        expires_at: Timestamp,
        /// Now.
        at: Timestamp,
    },
}
