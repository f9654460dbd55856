//! The three types of a secret: issued (shown once), presented (checked once), and the digest that is kept.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

/// A stored digest. `==` compares events in tests only: a presented secret is checked by the adapter, in constant time.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "algorithm", rename_all = "snake_case")]
pub enum SecretDigest {
    /// HMAC-SHA-256 under a pepper: for secrets of ours, which have full entropy.
    HmacSha256 {
        /// Which pepper.
        pepper: u32,
        /// 32 bytes in lower-case hexadecimal.
        hex: String,
    },
    /// bcrypt in its `$2b$` form: for secrets that people or other systems choose.
    Bcrypt {
        /// The whole hash string with cost and salt.
        hash: String,
    },
}

impl std::fmt::Debug for SecretDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::HmacSha256 { pepper, .. } => write!(f, "SecretDigest(hmac_sha256, pepper {pepper})"),
            Self::Bcrypt { .. } => f.write_str("SecretDigest(bcrypt)"),
        }
    }
}

/// A secret that was just made. It may be shown to its owner once; it cannot be printed by accident.
#[derive(Clone)]
pub struct IssuedSecret(Zeroizing<String>);

/// A secret that somebody presented. It can be checked, neither printed nor serialised.
pub struct PresentedSecret(Zeroizing<String>);

/// In clear, for the one answer that shows it; whoever keeps that answer for a retry seals it.
impl Serialize for IssuedSecret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for IssuedSecret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

impl IssuedSecret {
    /// Wraps a fresh secret.
    pub fn new(secret: String) -> Self {
        Self(Zeroizing::new(secret))
    }

    /// The text, for the one answer that shows it and for hashing.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl PresentedSecret {
    /// Wraps what a caller sent.
    pub fn new(secret: String) -> Self {
        Self(Zeroizing::new(secret))
    }

    /// The text, for checking.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for IssuedSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IssuedSecret(…)")
    }
}

impl std::fmt::Debug for PresentedSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PresentedSecret(…)")
    }
}

#[cfg(test)]
mod tests {
    use std::marker::PhantomData;

    use super::*;

    /// Whether values of a type can be compared, as the compiler sees it: what holds for some types comes before what holds for all.
    struct Compared<T>(PhantomData<T>);

    impl<T: PartialEq> Compared<T> {
        const BY_VALUE: bool = true;
    }

    trait Otherwise {
        const BY_VALUE: bool = false;
    }

    impl<T> Otherwise for Compared<T> {}

    #[test]
    fn item_22_attack_39_a_secret_is_compared_by_nothing_that_ends_at_the_first_difference() {
        let by_value = [Compared::<IssuedSecret>::BY_VALUE, Compared::<PresentedSecret>::BY_VALUE];
        assert_eq!(
            by_value,
            [false, false],
            "whoever checks one has its bytes, and compares those in constant time"
        );
        assert_eq!([Compared::<String>::BY_VALUE], [true], "the question can be answered otherwise");
    }

    #[test]
    fn a_secret_cannot_be_printed() {
        assert!(!format!("{:?}", IssuedSecret::new("hunter2".into())).contains("hunter2"));
        assert!(!format!("{:?}", PresentedSecret::new("hunter2".into())).contains("hunter2"));
    }
}
