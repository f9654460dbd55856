//! How a client asks: how it proves itself and by which grants it gets tokens. Metadata, dispatch and registration derive from these enums.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// How a confidential client proves itself at the token endpoint (RFC 7591, 2). A public client has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthentication {
    /// Its secret in the header (RFC 6749, 2.3.1).
    #[default]
    SecretBasic,
    /// Its secret in the body.
    SecretPost,
    /// A token that it signs itself (RFC 7523).
    PrivateKeyJwt,
}

impl ClientAuthentication {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::SecretBasic, Self::SecretPost, Self::PrivateKeyJwt];

    /// The name in OAuth metadata: `token_endpoint_auth_method`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SecretBasic => "client_secret_basic",
            Self::SecretPost => "client_secret_post",
            Self::PrivateKeyJwt => "private_key_jwt",
        }
    }

    /// The way with this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.as_str() == text)
    }
}

/// By which grant a client gets tokens (RFC 6749, 4 and 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    /// A code that a user's consent gave, with PKCE.
    AuthorizationCode,
    /// A refresh token.
    RefreshToken,
    /// In its own name.
    ClientCredentials,
}

impl GrantType {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::AuthorizationCode, Self::RefreshToken, Self::ClientCredentials];

    /// The name in OAuth: `grant_type`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
        }
    }

    /// The grant type with this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grant_type| grant_type.as_str() == text)
    }

    /// Those of a client that named none: what it can do with what it has.
    pub fn by_default(is_confidential: bool, has_redirects: bool) -> BTreeSet<Self> {
        let fits = |grant_type: &Self| match grant_type {
            Self::AuthorizationCode | Self::RefreshToken => has_redirects,
            Self::ClientCredentials => is_confidential,
        };
        Self::ALL.into_iter().filter(fits).collect()
    }
}
