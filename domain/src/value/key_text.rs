//! The text of an API key: `sk_<env>_<key id>_<secret><checksum>`, always 80 characters, all of one double click.
//!
//! The checksum is the CRC-32 (IEEE 802.3) of everything before it. It refuses a mistyped or truncated key before any look-up, and lets a
//! scanner tell keys from noise; it proves nothing, which is what the digest of the whole text is for.
//! As a pattern: `sk_(live|test)_[0-9A-Za-z]{22}_[0-9A-Za-z]{49}`.

use super::{ApiKeyId, IssuedSecret, KeyId, base62};
use crate::api_key::KeyEnvironment;

const KEY_CHARS: usize = PREFIX_CHARS + KEY_ID_CHARS + 1 + SECRET_CHARS + CHECKSUM_CHARS;
const PREFIX_CHARS: usize = "sk_live_".len();
const KEY_ID_CHARS: usize = 22; // 62^22 > 2^128
const SECRET_CHARS: usize = 43; // 62^43 > 2^256
const CHECKSUM_CHARS: usize = 6; // 62^6 > 2^32

/// A presented key that has the right shape and checksum. Whether it is anybody's key is another question.
#[derive(Clone, Copy)]
pub struct KeyText<'a> {
    environment: KeyEnvironment,
    key_id: &'a str,
    id: ApiKeyId,
}

/// Why a text is not an API key. It never repeats the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyTextError {
    /// It does not look like one.
    #[error("this is not an API key: a key starts with sk_live_ or sk_test_ and has {KEY_CHARS} characters")]
    NotAKey,
    /// The end is missing.
    #[error("this API key is truncated: a key has {KEY_CHARS} characters")]
    Truncated,
    /// At least one character is wrong.
    #[error("this API key is mistyped: its checksum does not fit")]
    WrongChecksum,
}

impl KeyTextError {
    /// The stable name of the reason.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotAKey => "not-a-key",
            Self::Truncated => "key-truncated",
            Self::WrongChecksum => "key-checksum",
        }
    }
}

impl<'a> KeyText<'a> {
    /// Writes a new key out of its id and 32 bytes that nobody can guess.
    pub fn compose(environment: KeyEnvironment, id: ApiKeyId, secret: &[u8; 32]) -> IssuedSecret {
        let mut text = String::with_capacity(KEY_CHARS); // never grown, so that no copy of the secret is left behind
        text.push_str(prefix(environment));
        base62::push(&mut text, id.uuid().as_bytes(), KEY_ID_CHARS);
        text.push('_');
        base62::push(&mut text, secret, SECRET_CHARS);
        let checksum = crc32fast::hash(text.as_bytes());
        base62::push(&mut text, &checksum.to_be_bytes(), CHECKSUM_CHARS);
        IssuedSecret::new(text)
    }

    /// Reads a presented key without copying it: the shape, then the checksum, then the rest.
    pub fn parse(text: &'a str) -> Result<Self, KeyTextError> {
        let is_prefix = |environment: &KeyEnvironment| text.starts_with(prefix(*environment));
        let environment = KeyEnvironment::ALL.into_iter().find(is_prefix).ok_or(KeyTextError::NotAKey)?;
        if text.len() < KEY_CHARS {
            return Err(KeyTextError::Truncated);
        }
        if text.len() > KEY_CHARS || !text.is_ascii() {
            return Err(KeyTextError::NotAKey);
        }
        let (checked, checksum) = text.split_at(KEY_CHARS - CHECKSUM_CHARS);
        if base62::read(checksum) != Some(u128::from(crc32fast::hash(checked.as_bytes()))) {
            return Err(KeyTextError::WrongChecksum);
        }
        let (key_id, secret) =
            checked.get(PREFIX_CHARS..).and_then(|rest| rest.split_once('_')).ok_or(KeyTextError::NotAKey)?;
        let has_shape =
            key_id.len() == KEY_ID_CHARS && secret.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let id = base62::read(key_id).filter(|_| has_shape).ok_or(KeyTextError::NotAKey)?;
        Ok(Self { environment, key_id, id: ApiKeyId::new(uuid::Uuid::from_u128(id)) })
    }

    /// What the key says it is for.
    pub const fn environment(&self) -> KeyEnvironment {
        self.environment
    }

    /// The public part, by which the key is looked up.
    pub const fn key_id(&self) -> &'a str {
        self.key_id
    }

    /// The same as an id.
    pub const fn id(&self) -> ApiKeyId {
        self.id
    }
}

const fn prefix(environment: KeyEnvironment) -> &'static str {
    match environment {
        KeyEnvironment::Live => "sk_live_",
        KeyEnvironment::Test => "sk_test_",
    }
}

impl From<ApiKeyId> for KeyId {
    fn from(id: ApiKeyId) -> Self {
        let mut text = String::with_capacity(KEY_ID_CHARS);
        base62::push(&mut text, id.uuid().as_bytes(), KEY_ID_CHARS);
        Self::of_base62(&text)
    }
}

/// The secret is left out.
impl std::fmt::Debug for KeyText<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyText({}{})", prefix(self.environment), self.key_id)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(seed: u8) -> String {
        let id = ApiKeyId::new(uuid::Uuid::from_u128(0x0192_f0c1_2b3c_7d4e_8f50_1122_3344_5566));
        KeyText::compose(KeyEnvironment::Live, id, &[seed; 32]).reveal().to_owned()
    }

    fn with_checksum(checked: &str) -> String {
        let mut text = checked.to_owned();
        base62::push(&mut text, &crc32fast::hash(checked.as_bytes()).to_be_bytes(), CHECKSUM_CHARS);
        text
    }

    #[test]
    fn other_credentials_are_not_keys() {
        for text in
            ["", "sk_", "sk_live", "sk_prod_abc", "Bearer sk_live_", "ghp_0123456789", "cs_abc", "関所"]
        {
            assert_eq!(KeyText::parse(text).unwrap_err(), KeyTextError::NotAKey, "{text}");
        }
        assert_eq!(KeyText::parse(&format!("{}0", key(7))).unwrap_err(), KeyTextError::NotAKey);
    }

    #[test]
    fn every_truncation_is_refused() {
        let key = key(7);
        for length in 0..key.len() {
            let expected =
                if length < PREFIX_CHARS { KeyTextError::NotAKey } else { KeyTextError::Truncated };
            assert_eq!(KeyText::parse(&key[..length]).unwrap_err(), expected, "{length}");
        }
    }

    #[test]
    fn every_change_of_one_character_is_refused() {
        for seed in [0, 7, 0xff] {
            let key = key(seed);
            for place in 0..key.len() {
                for other in
                    (0x20..0x7f).map(char::from).chain(['é']).filter(|c| !key[place..].starts_with(*c))
                {
                    let changed = format!("{}{other}{}", &key[..place], &key[place + 1..]);
                    assert!(KeyText::parse(&changed).is_err(), "{changed}");
                }
            }
        }
    }

    #[test]
    fn neighbours_that_changed_places_are_refused() {
        let key = key(0x5a);
        for place in 0..key.len() - 1 {
            let mut bytes = key.clone().into_bytes();
            bytes.swap(place, place + 1);
            let swapped = String::from_utf8(bytes).unwrap();
            assert!(swapped == key || KeyText::parse(&swapped).is_err(), "{swapped}");
        }
    }

    #[test]
    fn a_checksum_that_fits_does_not_make_a_key() {
        for checked in [
            format!("sk_live_{}_{}", "z".repeat(22), "0".repeat(43)), // larger than 128 bits
            format!("sk_live_{}_{}", "0".repeat(21), "0".repeat(44)),
            format!("sk_live_{}-{}", "0".repeat(22), "0".repeat(43)),
            format!("sk_live_{}_{}", "0".repeat(22), "+".repeat(43)),
            format!("sk_live_{}_{}_", "0".repeat(22), "0".repeat(42)),
        ] {
            assert_eq!(
                KeyText::parse(&with_checksum(&checked)).unwrap_err(),
                KeyTextError::NotAKey,
                "{checked}"
            );
        }
        let mut foreign_checksum = key(7);
        foreign_checksum.replace_range(KEY_CHARS - CHECKSUM_CHARS.., "zzzzzz");
        assert_eq!(KeyText::parse(&foreign_checksum).unwrap_err(), KeyTextError::WrongChecksum);
    }

    #[test]
    fn the_format_is_a_promise() {
        let key = key(7);
        assert_eq!(key, "sk_live_02y8wgXKCDxMWhedue9J4g_1fJjkkpe9PiTw9KSulA8Ghct30vZz4HpdQ5c5b9cPF12ZQiZE");
        assert_eq!(format!("{:?}", KeyText::parse(&key).unwrap()), "KeyText(sk_live_02y8wgXKCDxMWhedue9J4g)");
    }

    proptest! {
        #[test]
        fn what_is_composed_is_read_back(id: u128, secret: [u8; 32], live: bool) {
            let environment = if live { KeyEnvironment::Live } else { KeyEnvironment::Test };
            let id = ApiKeyId::new(uuid::Uuid::from_u128(id));
            let issued = KeyText::compose(environment, id, &secret);
            prop_assert_eq!(issued.reveal().len(), KEY_CHARS);
            let parsed = KeyText::parse(issued.reveal()).unwrap();
            prop_assert_eq!((parsed.environment(), parsed.id()), (environment, id));
            prop_assert_eq!(KeyId::parse(parsed.key_id()).unwrap(), KeyId::from(id));
        }

        #[test]
        fn nothing_that_is_presented_panics(text: String) {
            prop_assert!(KeyText::parse(&text).is_err());
            let prefixed = format!("sk_test_{text}");
            prop_assert!(KeyText::parse(&prefixed).is_err());
        }
    }
}
