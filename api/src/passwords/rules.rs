//! Passwords that people choose, and the bcrypt texts that are kept of them: what is let near bcrypt at all (`oauth.md`, case 28).

use commands::secret::IssuedSecret;
use domain::value::{PresentedSecret, SecretDigest};
use serde::{Deserialize, Deserializer};

/// Shorter ones are guessed.
const PASSWORD_BYTES_MIN: usize = 8;
/// bcrypt reads 72 bytes, the last of them the end of the text.
const PASSWORD_BYTES_MAX: usize = 71;
/// A hash from elsewhere must not cost a minute.
const COST_MAX: u32 = 16;
const COST_MIN: u32 = 4;
/// `$2b$10$`, 22 characters of salt, 31 of digest.
const BCRYPT_CHARS: usize = 60;

/// A new password that can be kept.
#[derive(Debug, Clone)]
pub(crate) struct NewPassword(IssuedSecret);

/// Why a text is no password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PasswordError {
    /// Too short or too long.
    #[error("a password has {PASSWORD_BYTES_MIN} to {PASSWORD_BYTES_MAX} bytes")]
    Length,
    /// A null character: bcrypt would not see what comes after it, or see it again and again.
    #[error("a password holds no null character")]
    Null,
}

impl NewPassword {
    /// Checks a password. Nothing is changed about it: whoever types it again types the same.
    pub(crate) fn parse(text: String) -> Result<Self, PasswordError> {
        let secret = IssuedSecret::new(text);
        check(secret.reveal())?;
        Ok(Self(secret))
    }

    /// The text, for bcrypt.
    pub(super) const fn secret(&self) -> &IssuedSecret {
        &self.0
    }
}

/// Whether somebody can have chosen this: whatever else is presented is wrong without a look.
pub(super) fn may_be_one(presented: &PresentedSecret) -> bool {
    check(presented.reveal()).is_ok()
}

fn check(text: &str) -> Result<(), PasswordError> {
    if !(PASSWORD_BYTES_MIN..=PASSWORD_BYTES_MAX).contains(&text.len()) {
        return Err(PasswordError::Length);
    }
    if text.contains('\0') { Err(PasswordError::Null) } else { Ok(()) }
}

/// Errors of the reader repeat what they met; of a password they must not.
impl<'de> Deserialize<'de> for NewPassword {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)
            .map_err(|_| serde::de::Error::custom("a password is a string"))?;
        Self::parse(text).map_err(serde::de::Error::custom)
    }
}

/// A bcrypt text that may be checked against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeptPassword {
    digest: SecretDigest,
    cost: u32,
}

impl KeptPassword {
    /// Reads a text; none when it is of another kind, from another alphabet, or would take too long.
    pub(super) fn parse(hash: &str) -> Option<Self> {
        let known = ["$2a$", "$2b$", "$2y$"].iter().any(|mark| hash.starts_with(mark));
        if !hash.is_ascii() || hash.len() != BCRYPT_CHARS || !known {
            return None;
        }
        let (cost, rest) = hash.get(4..)?.split_once('$')?;
        let alphabet = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/');
        let digits = cost.len() == 2 && cost.bytes().all(|byte| byte.is_ascii_digit());
        if !digits || !rest.bytes().all(alphabet) {
            return None;
        }
        let cost = cost.parse().ok().filter(|cost| (COST_MIN..=COST_MAX).contains(cost))?;
        Some(Self { digest: SecretDigest::Bcrypt { hash: hash.to_owned() }, cost })
    }

    /// The digest.
    pub(super) const fn digest(&self) -> &SecretDigest {
        &self.digest
    }

    /// Whether it was made at another cost than new ones are.
    pub(super) const fn is_of_another_cost(&self, cost: u32) -> bool {
        self.cost != cost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy";

    #[test]
    fn attack_28_what_bcrypt_would_cut_or_not_see_is_no_password() {
        let parse = |text: &str| NewPassword::parse(text.to_owned()).map(|_| ());
        assert_eq!(parse("seven77"), Err(PasswordError::Length));
        assert_eq!(parse(&"a".repeat(72)), Err(PasswordError::Length));
        assert_eq!(parse(&"\u{95a2}".repeat(24)), Err(PasswordError::Length));
        assert_eq!(parse("password\0and more"), Err(PasswordError::Null));
        assert_eq!(parse(&"a".repeat(71)), Ok(()));
        assert_eq!(parse("八文字以上です"), Ok(()));
    }

    #[test]
    fn attack_28_a_hash_that_is_odd_or_a_bomb_is_not_checked_against() {
        for hash in [
            String::new(),
            HASH.replace("$10$", "$31$"),
            HASH.replace("$10$", "$17$"),
            HASH.replace("$10$", "$+9$"),
            HASH.replace("$2b$", "$2x$"),
            HASH.replace("$2b$", "$2$1"),
            HASH.replace('N', "\u{e9}"),
            HASH.replace('N', "$"),
            format!("{HASH}a"),
            HASH[..59].to_owned(),
        ] {
            assert_eq!(KeptPassword::parse(&hash), None, "{hash}");
        }
        let kept = KeptPassword::parse(HASH).unwrap();
        assert!(kept.is_of_another_cost(12) && !kept.is_of_another_cost(10));
    }

    #[test]
    fn a_refused_password_is_not_repeated() {
        for text in ["\"hunter2\"", "[\"hunter2hunter2\"]", "{\"hunter2hunter2\":1}"] {
            let refused = serde_json::from_str::<NewPassword>(text).unwrap_err().to_string();
            assert!(!refused.contains("hunter2"), "{refused}");
        }
    }
}
