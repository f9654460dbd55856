//! What an upstream wants to be told on every call: which header, filled from which field of a connection.

use serde::{Deserialize, Serialize};

use super::{HeaderName, text_value};

/// One credential that a server needs. The value itself lives in the vault, under the field's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CredentialField {
    /// The field of the connection that holds the value.
    pub name: FieldName,
    /// The header that carries it to the upstream.
    pub header: HeaderName,
    /// What stands before the value, such as `Bearer `.
    pub prefix: Option<HeaderPrefix>,
    /// Whether a connection without it is incomplete.
    pub required: bool,
}

/// The name of a credential field: 1 to 64 of `[a-z0-9_]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct FieldName(String);

const FIELD_NAME_CHARS_MAX: usize = 64;

/// The text is not a field name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a field name has 1 to {FIELD_NAME_CHARS_MAX} characters out of a-z, 0-9 and _, such as api_token")]
pub struct FieldNameError;

impl FieldName {
    /// Checks a field name.
    pub fn parse(text: &str) -> Result<Self, FieldNameError> {
        let alphabet = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if text.is_empty() || text.len() > FIELD_NAME_CHARS_MAX || !text.bytes().all(alphabet) {
            return Err(FieldNameError);
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

text_value!(FieldName, FieldNameError);

/// Text before a credential in its header: 1 to 32 visible ASCII characters and blanks, not starting with a blank.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct HeaderPrefix(String);

const HEADER_PREFIX_CHARS_MAX: usize = 32;

/// The text cannot stand before a credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a prefix has 1 to {HEADER_PREFIX_CHARS_MAX} visible ASCII characters and blanks, such as \"Bearer \"; leave it out for none"
)]
pub struct HeaderPrefixError;

impl HeaderPrefix {
    /// Checks a prefix; a blank at its end is part of it.
    pub fn parse(text: &str) -> Result<Self, HeaderPrefixError> {
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
        if text.is_empty() || text.len() > HEADER_PREFIX_CHARS_MAX || text.starts_with(' ') || !visible {
            return Err(HeaderPrefixError);
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

text_value!(HeaderPrefix, HeaderPrefixError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn field_names_are_plain_identifiers() {
        for text in ["", "Api", "api-key", "api key", "鍵", &"a".repeat(65)] {
            assert_eq!(FieldName::parse(text), Err(FieldNameError), "{text}");
        }
        assert_eq!(FieldName::parse("api_token_2").unwrap().as_str(), "api_token_2");
    }

    #[test]
    fn a_prefix_cannot_start_another_header() {
        for text in ["", " Bearer", "a\r\nx: y", "tab\t", "鍵", &"a".repeat(33)] {
            assert_eq!(HeaderPrefix::parse(text), Err(HeaderPrefixError), "{text}");
        }
        assert_eq!(HeaderPrefix::parse("Bearer ").unwrap().as_str(), "Bearer ");
    }
}
