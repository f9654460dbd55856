//! What is kept of a secret: never the secret.

use serde::{Deserialize, Serialize};

/// A stored digest. `==` compares events in tests only: a presented secret is checked by the adapter, in constant time.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
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
