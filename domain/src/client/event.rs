//! What happened to an OAuth client.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{ClientAbout, ClientAuthentication, GrantType};
use crate::value::{
    ClientId, ClientKeySource, ClientKeys, ClientUrl, DisplayName, OrganizationId, PublishedKeys,
    RedirectUri, Scopes, SecretDigest, Timestamp, TokenId, UserId,
};
use crate::{ClaimChange, ClaimScope, Facts};

/// Whether the client can keep a secret (RFC 6749, 2.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ClientKind {
    /// Runs where its user can read everything; proves itself by PKCE alone.
    Public,
    /// Runs on a server and presents a secret.
    Confidential {
        /// What is kept of the secret.
        secret: SecretDigest,
    },
    /// Runs on a server and signs with a key of its own, which is told to nobody.
    Keyed {
        /// The public halves.
        keys: ClientKeys,
    },
    /// The same, but the public halves lie where it publishes them, and are whatever lies there.
    Publishing {
        /// Where.
        keys: PublishedKeys,
    },
}

impl From<ClientKeySource> for ClientKind {
    fn from(source: ClientKeySource) -> Self {
        match source {
            ClientKeySource::Sent(keys) => Self::Keyed { keys },
            ClientKeySource::Published(keys) => Self::Publishing { keys },
        }
    }
}

/// Why a client is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ClientEnd {
    /// It left.
    ByItself,
    /// It registered itself, and nobody ever let it act.
    Unused,
}

impl ClientEnd {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ByItself => "by_itself",
            Self::Unused => "unused",
        }
    }
}

impl ClientKind {
    /// What it is to others: whether it can keep something to itself.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Confidential { .. } | Self::Keyed { .. } | Self::Publishing { .. } => "confidential",
        }
    }

    /// How a client of this kind proves itself; none for a public one.
    pub fn authentication(&self, named: Option<ClientAuthentication>) -> Option<ClientAuthentication> {
        match self {
            Self::Public => None,
            Self::Confidential { .. } => Some(named.unwrap_or_default()),
            Self::Keyed { .. } | Self::Publishing { .. } => Some(ClientAuthentication::PrivateKeyJwt),
        }
    }
}

events! {
    /// Facts about an OAuth client.
    pub enum ClientEvent of "client" {
        /// It may ask for authorization.
        Registered = "registered" v 1 {
            /// Whose client it is.
            organization: OrganizationId,
            /// The public identifier; as text it is the `client_id` of OAuth.
            client_id: ClientId,
            /// The name shown at consent.
            name: DisplayName,
            /// Public, or confidential with its first secret.
            kind: ClientKind,
            /// Where browsers may be sent back to.
            redirect_uris: BTreeSet<RedirectUri>,
            /// The most it can be granted.
            scopes: Scopes,
            /// Who registered it.
            registered_by: UserId,
            /// How it proves itself; none is by its secret in the header, and for a public client by nothing.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            authentication: Option<ClientAuthentication>,
            /// By which grants it gets tokens; none is by all that it can use.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            grant_types: Option<BTreeSet<GrantType>>,
        },
        /// It has another description.
        Updated = "updated" v 1 {
            /// The name shown at consent.
            name: DisplayName,
            /// Where browsers may be sent back to.
            redirect_uris: BTreeSet<RedirectUri>,
            /// The most it can be granted.
            scopes: Scopes,
        },
        /// It has a new secret beside the old one, or instead of it. Of an older one nothing is left.
        SecretRotated = "secret_rotated" v 1 {
            /// What is kept of the new secret.
            secret: SecretDigest,
            /// How long the old one still works; none means that it stopped at once.
            previous_until: Option<Timestamp>,
        },
        /// Everything it asks for is refused.
        Disabled = "disabled" v 1 {
            /// Why.
            reason: DisplayName,
        },
        /// It may ask again.
        Enabled = "enabled" v 1 {},
        /// It is gone; its identifier stays taken.
        Deleted = "deleted" v 1 {
            /// Why; none is because whoever answers for it ended it.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            reason: Option<ClientEnd>,
        },
        /// It registered itself, and may ask people for authorization.
        SelfRegistered = "self_registered" v 1 {
            /// Whose client it is; none where anybody may register one.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            organization: Option<OrganizationId>,
            /// The public identifier; as text it is the `client_id` of OAuth.
            client_id: ClientId,
            /// The name shown at consent.
            name: DisplayName,
            /// Public, or what it proves itself with.
            kind: ClientKind,
            /// Where browsers may be sent back to.
            redirect_uris: BTreeSet<RedirectUri>,
            /// The most it can be granted.
            scopes: Scopes,
            /// Who let it register, where that takes leave.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            registered_by: Option<UserId>,
            /// How it proves itself; none for a public client.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            authentication: Option<ClientAuthentication>,
            /// By which grants it gets tokens.
            grant_types: BTreeSet<GrantType>,
            /// What is kept of the token that it manages its registration with.
            registration_token: SecretDigest,
            /// What else it says of itself.
            about: Box<ClientAbout>,
            /// When.
            at: Timestamp,
        },
        /// It described itself anew.
        SelfDescribed = "self_described" v 1 {
            /// The name shown at consent.
            name: DisplayName,
            /// Where browsers may be sent back to.
            redirect_uris: BTreeSet<RedirectUri>,
            /// The most it can be granted.
            scopes: Scopes,
            /// By which grants it gets tokens.
            grant_types: BTreeSet<GrantType>,
            /// What else it says of itself.
            about: Box<ClientAbout>,
        },
        /// It proves itself with other keys. Those before prove nothing from now on, unless they are among them.
        KeysReplaced = "keys_replaced" v 1 {
            /// All of them.
            keys: ClientKeys,
        },
        /// It proves itself with the keys that it publishes there. Those before prove nothing from now on, unless they are among them.
        KeysPublished = "keys_published" v 1 {
            /// Where.
            keys: PublishedKeys,
        },
        /// What a person saw of it when they let it act. Its identifier is the address of a document, and that says so; the first one brings it into
        /// being.
        DocumentSeen = "document_seen" v 1 {
            /// Where the document is; it is the `client_id` of OAuth.
            url: ClientUrl,
            /// The name shown at consent.
            name: DisplayName,
            /// Public, or what it proves itself with.
            kind: ClientKind,
            /// Where browsers may be sent back to.
            redirect_uris: BTreeSet<RedirectUri>,
            /// The most it can be granted.
            scopes: Scopes,
            /// By which grants it gets tokens.
            grant_types: BTreeSet<GrantType>,
        },
        /// Somebody let it act for the first time: one that registered itself is kept from now on.
        FirstUsed = "first_used" v 1 {},
        /// Its registration access token opens nothing any more: whoever answers for it did that, or changed it themselves. From now on it is theirs alone.
        RegistrationTokenRevoked = "registration_token_revoked" v 1 {},
        /// One of the tokens that it got in its own name is refused from now on.
        // Since access tokens tell that themselves (`access_token.revoked`), nothing writes it.
        TokenRevoked = "token_revoked" v 1 {
            /// Which.
            token: TokenId,
            /// When it would have ended by itself; after that nobody needs to remember it.
            expires_at: Timestamp,
        },
    }
}

impl Facts for ClientEvent {
    const AGGREGATE: &'static str = ClientEvent::AGGREGATE;
    const TYPES: &'static [(&'static str, u32)] = ClientEvent::TYPES;

    /// Never given back: an identifier that named one client in the audit must not name another.
    fn claims(&self) -> Vec<ClaimChange> {
        match self {
            Self::Registered { client_id, .. } | Self::SelfRegistered { client_id, .. } => {
                vec![ClaimChange::Take { scope: ClaimScope::ClientId, value: client_id.to_string() }]
            }
            Self::Updated { .. }
            | Self::SecretRotated { .. }
            | Self::Disabled { .. }
            | Self::Enabled {}
            | Self::Deleted { .. }
            | Self::SelfDescribed { .. }
            | Self::KeysReplaced { .. }
            | Self::KeysPublished { .. }
            | Self::DocumentSeen { .. } // its id is made of its address
            | Self::FirstUsed {}
            | Self::RegistrationTokenRevoked {}
            | Self::TokenRevoked { .. } => vec![],
        }
    }
}
