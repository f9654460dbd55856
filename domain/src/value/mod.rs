//! Values that are right by construction: parsed once at the edge, the type is the proof.

mod address_range;
mod authorization_server;
mod base62;
mod client_key;
mod client_secret;
mod client_url;
mod credential_field;
mod email;
mod header_name;
mod https_url;
mod identity;
mod ids;
mod key_id;
mod key_text;
mod member_name;
mod notice;
mod personal;
mod provider;
mod published_keys;
mod redirect_uri;
mod refresh_token;
mod registration_token;
mod role;
mod scope;
mod secret;
mod signing;
mod slug;
mod text;
mod timestamp;
mod tool;
mod upstream_url;

pub use address_range::{AddressRange, AddressRangeError};
pub use authorization_server::{AuthorizationServer, AuthorizationServerError, is_private};
pub use client_key::{
    AssertionAlgorithm, CLIENT_KEYS_MAX, ClientKey, ClientKeys, ClientKeysError, KeyName, KeyNameError,
};
pub use client_secret::compose_client_secret;
pub use client_url::{ClientUrl, ClientUrlError};
pub use credential_field::{CredentialField, FieldName, FieldNameError, HeaderPrefix, HeaderPrefixError};
pub use email::{EmailAddress, EmailError};
pub use header_name::{HeaderName, HeaderNameError};
pub use https_url::{HttpsUrl, HttpsUrlError, WebUrl, WebUrlError};
pub use identity::{Issuer, IssuerError, ProviderSubject, ProviderSubjectError};
pub use ids::{
    AnnouncementId, ApiKeyId, AuthorizationId, ClientId, ConnectionId, DeploymentId, GrantId, IdError,
    InstanceId, OrganizationId, Position, ProviderSecretId, ServerId, TokenId, UserId,
};
pub use key_id::{KeyId, KeyIdError};
pub use key_text::{KeyText, KeyTextError};
pub use member_name::{MemberName, MemberNameError};
pub use notice::{Notice, NoticeError};
pub use personal::{Personal, SubjectId};
pub use provider::{
    ProviderClientId, ProviderClientIdError, ProviderId, ProviderIdError, ProviderScope, ProviderScopeError,
};
pub use published_keys::{ClientKeySource, KeysUrl, KeysUrlError, PublishedKeys};
pub use redirect_uri::{RedirectUri, RedirectUriError};
pub use refresh_token::{compose_refresh_token, is_refresh_token};
pub use registration_token::compose_registration_token;
pub use role::{Role, RoleError};
pub use scope::{Scope, ScopeError, Scopes};
pub use secret::{IssuedSecret, PresentedSecret, SecretDigest};
pub use signing::{KeyThumbprint, KeyThumbprintError, PublicJwk, PublicJwkError, SigningAlgorithm};
pub use slug::{Slug, SlugError};
pub use text::{DisplayName, TextError, turns_text};
pub use timestamp::{Clock, Timestamp, TimestampError};
pub use tool::{ToolName, ToolNameError, ToolSelection};
pub use upstream_url::{UpstreamUrl, UpstreamUrlError};

/// Text on the wire for a value that is parsed: `TryFrom<String>` in, `as_str` out.
macro_rules! text_value {
    ($type:ident, $error:ty) => {
        impl TryFrom<String> for $type {
            type Error = $error;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::parse(&text)
            }
        }
        impl std::str::FromStr for $type {
            type Err = $error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }
        impl From<$type> for String {
            fn from(value: $type) -> Self {
                value.as_str().to_owned()
            }
        }
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use text_value;
