//! The public part of an API key, by which it is looked up.

use std::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};

use super::text_value;

/// 22 base62 characters: 128 random bits, padded with zeros in front. Not secret; it may be shown and logged.
// Kept in place, since there is one in every row of the largest maps.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct KeyId([u8; KEY_ID_CHARS]);

const KEY_ID_CHARS: usize = 22;

/// The text is not the public part of a key. It does not repeat the text, which may be a whole key put in the wrong place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a key id has exactly {KEY_ID_CHARS} characters out of 0-9, A-Z and a-z")]
pub struct KeyIdError;

impl KeyId {
    /// Checks a key id.
    pub fn parse(text: &str) -> Result<Self, KeyIdError> {
        let characters: [u8; KEY_ID_CHARS] = text.as_bytes().try_into().map_err(|_| KeyIdError)?;
        if characters.iter().all(u8::is_ascii_alphanumeric) { Ok(Self(characters)) } else { Err(KeyIdError) }
    }

    /// Takes text that was just written in the right width and alphabet.
    pub(super) fn of_base62(text: &str) -> Self {
        let mut characters = [b'0'; KEY_ID_CHARS];
        characters.iter_mut().zip(text.bytes()).for_each(|(to, byte)| *to = byte);
        Self(characters)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default() // ASCII, always
    }
}

impl std::fmt::Debug for KeyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("KeyId").field(&self.as_str()).finish()
    }
}

/// As the text, by which it is looked up too.
impl Hash for KeyId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

text_value!(KeyId, KeyIdError);

impl std::borrow::Borrow<str> for KeyId {
    fn borrow(&self) -> &str {
        self.as_str()
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
