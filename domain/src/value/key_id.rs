//! The public part of an API key, by which it is looked up.

use serde::{Deserialize, Serialize};

use super::text_value;

/// 22 base62 characters: 128 random bits, padded with zeros in front. Not secret; it may be shown and logged.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyId(String);

const KEY_ID_CHARS: usize = 22;

/// The text is not the public part of a key. It does not repeat the text, which may be a whole key put in the wrong place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a key id has exactly {KEY_ID_CHARS} characters out of 0-9, A-Z and a-z")]
pub struct KeyIdError;

impl KeyId {
    /// Checks a key id.
    pub fn parse(text: &str) -> Result<Self, KeyIdError> {
        let base62 = text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if text.len() == KEY_ID_CHARS && base62 { Ok(Self(text.to_owned())) } else { Err(KeyIdError) }
    }

    /// Takes text that was just written in the right width and alphabet.
    pub(super) const fn of_base62(text: String) -> Self {
        Self(text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

text_value!(KeyId, KeyIdError);

impl std::borrow::Borrow<str> for KeyId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_lengths_and_alphabets_are_refused() {
        for text in [
            "",
            "2vqXWJ5hFY0aPzK9mR3tB",
            "2vqXWJ5hFY0aPzK9mR3tB7c",
            "2vqXWJ5hFY0aPzK9mR3t_7",
            "2vqXWJ5hFY0aPzK9mR3té",
        ] {
            assert_eq!(KeyId::parse(text), Err(KeyIdError), "{text}");
        }
    }

    #[test]
    fn case_matters() {
        let id = KeyId::parse("2vqXWJ5hFY0aPzK9mR3tB7").unwrap();
        assert_ne!(id, KeyId::parse("2VQXWJ5HFY0APZK9MR3TB7").unwrap());
    }
}
