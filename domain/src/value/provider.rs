//! What the deployment and an identity provider call each other (OpenID Connect Core, 2 and 3.1.2.1).

use serde::{Deserialize, Serialize};

use super::text_value;

/// The short name of a provider in addresses: 2 to 39 of `[a-z0-9-]`, no dash at an end, no double dash.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct ProviderId(String);

const ID_CHARS_MIN: usize = 2;
const ID_CHARS_MAX: usize = 39;

/// Why a text is not the short name of a provider.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the short name of a provider has {ID_CHARS_MIN} to {ID_CHARS_MAX} of a-z, 0-9 and single dashes inside, such as acme-id"
)]
pub struct ProviderIdError;

impl ProviderId {
    /// Reads a short name; nothing is silently changed.
    pub fn parse(text: &str) -> Result<Self, ProviderIdError> {
        let alphabet = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let fits = (ID_CHARS_MIN..=ID_CHARS_MAX).contains(&text.len()) && text.bytes().all(alphabet);
        if fits && !text.starts_with('-') && !text.ends_with('-') && !text.contains("--") {
            Ok(Self(text.to_owned()))
        } else {
            Err(ProviderIdError)
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

text_value!(ProviderId, ProviderIdError);

/// What a provider calls this deployment (RFC 6749, 2.2).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct ProviderClientId(String);

const CLIENT_ID_CHARS_MAX: usize = 255;

/// Why a text is not a client id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a client id has 1 to {CLIENT_ID_CHARS_MAX} visible ASCII characters")]
pub struct ProviderClientIdError;

impl ProviderClientId {
    /// Checks a client id and keeps its text.
    pub fn parse(text: &str) -> Result<Self, ProviderClientIdError> {
        let fits = !text.is_empty() && text.len() <= CLIENT_ID_CHARS_MAX;
        if fits && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ProviderClientIdError)
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

text_value!(ProviderClientId, ProviderClientIdError);

/// A scope that a provider is asked for (RFC 6749, 3.3). `openid` is always asked for and need not be named.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct ProviderScope(String);

const SCOPE_CHARS_MAX: usize = 128;

/// Why a text is not a scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a scope has 1 to {SCOPE_CHARS_MAX} visible ASCII characters other than quotation mark and backslash"
)]
pub struct ProviderScopeError;

impl ProviderScope {
    /// Checks a scope and keeps its text.
    pub fn parse(text: &str) -> Result<Self, ProviderScopeError> {
        let fits = !text.is_empty() && text.len() <= SCOPE_CHARS_MAX;
        if fits && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\') {
            Ok(Self(text.to_owned()))
        } else {
            Err(ProviderScopeError)
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

text_value!(ProviderScope, ProviderScopeError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_not_stand_in_an_address_is_no_short_name() {
        for text in ["", "a", "Acme", "-acme", "acme-", "ac--me", "a/b", "a.b", &"a".repeat(40)] {
            assert_eq!(ProviderId::parse(text), Err(ProviderIdError), "{text}");
        }
        assert_eq!(ProviderId::parse("acme-id2").unwrap().as_str(), "acme-id2");
    }

    #[test]
    fn what_would_be_two_scopes_or_none_is_none() {
        for text in ["", "a b", "a\"b", "a\\b", "\u{e9}", &"a".repeat(129)] {
            assert_eq!(ProviderScope::parse(text), Err(ProviderScopeError), "{text}");
        }
        assert_eq!(
            ProviderScope::parse("https://a.example/read").unwrap().as_str(),
            "https://a.example/read"
        );
        assert_eq!(ProviderClientId::parse("a b"), Err(ProviderClientIdError));
    }
}
