//! What may be asked of an OAuth client.

use std::collections::BTreeSet;

use super::{ClientAbout, ClientAuthentication, ClientDocument, ClientKind, GrantType};
use crate::value::{
    ClientId, ClientKeySource, DisplayName, OrganizationId, RedirectUri, Scopes, SecretDigest, Timestamp,
    UserId,
};

/// What a client says of itself when it registers, and each time that it describes itself anew.
#[derive(Debug, Clone)]
pub struct ItselfDescribed {
    /// The name shown at consent.
    pub name: DisplayName,
    /// Where browsers may be sent back to.
    pub redirect_uris: BTreeSet<RedirectUri>,
    /// The most it can be granted.
    pub scopes: Scopes,
    /// By which grants it gets tokens; never in its own name.
    pub grant_types: BTreeSet<GrantType>,
    /// What else it says.
    pub about: ClientAbout,
    /// Other keys in place of those that it has. When it registers, they are in its kind.
    pub keys: Option<ClientKeySource>,
}

/// A client that registers itself.
#[derive(Debug, Clone)]
pub struct ItselfRegistered {
    /// Whose client it is; nobody's where anybody may register one.
    pub organization: Option<OrganizationId>,
    /// Its public identifier.
    pub client_id: ClientId,
    /// What it has to prove itself with.
    pub kind: ClientKind,
    /// How it does that.
    pub authentication: Option<ClientAuthentication>,
    /// What it says of itself.
    pub description: ItselfDescribed,
    /// Who let it register, where that takes leave.
    pub registered_by: Option<UserId>,
    /// What is kept of its registration access token.
    pub registration_token: SecretDigest,
    /// Now.
    pub at: Timestamp,
}

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
    /// Bring itself into being (RFC 7591).
    RegisterItself(Box<ItselfRegistered>),
    /// Describe itself anew (RFC 7592, 2.2).
    DescribeItself(Box<ItselfDescribed>),
    /// Take note of what a person saw of it, where its identifier is the address of a document.
    SeeDocument(Box<ClientDocument>),
    /// Other keys in place of those that it proves itself with.
    ReplaceKeys {
        /// All of them, or where they are.
        keys: ClientKeySource,
    },
    /// Manage itself no longer: whoever answers for it does.
    RevokeRegistrationToken,
    /// Take note that somebody lets it act.
    Use,
    /// End it, if it registered itself and nobody let it act since.
    EndIfUnused {
        /// It must have been there for as long.
        since: Timestamp,
    },
    /// End itself for good (RFC 7592, 2.3).
    Leave,
}
