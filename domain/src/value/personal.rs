//! Personal data inside events: clear in memory, sealed under a per-subject key in the log, gone when the key is gone.
//!
//! The domain does no cryptography. It marks what is personal and whose it is; the log's adapter seals every
//! `{"$personal": {...}}` object before it is stored and opens it when it is read.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Whose datum it is: the id under which the sealing key is kept and, one day, destroyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct SubjectId(Uuid);

impl SubjectId {
    /// Wraps the id of a person, or of whatever else the datum is about.
    pub const fn new(id: Uuid) -> Self {
        Self(id)
    }

    /// The raw value.
    pub const fn uuid(self) -> Uuid {
        self.0
    }
}

impl From<super::UserId> for SubjectId {
    fn from(user: super::UserId) -> Self {
        Self(user.uuid())
    }
}

/// A personal datum as it meets the code: readable, still sealed, or erased for ever.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Personal<T> {
    /// Readable: its subject's key still exists.
    #[serde(rename = "$personal")]
    Known {
        /// Whose datum it is.
        subject: SubjectId,
        /// The datum.
        value: T,
    },
    /// As it lies in the log: whoever reads it this way has no use for the datum, and no key.
    #[serde(rename = "$sealed")]
    Sealed {
        /// Whose datum it is.
        subject: SubjectId,
        /// Nonce, base64.
        nonce: String,
        /// AES-256-GCM ciphertext and tag, base64; bound to the event's aggregate, sequence and field.
        ciphertext: String,
    },
    /// The subject's key was destroyed; nothing can bring the datum back.
    #[serde(rename = "$erased")]
    Erased {
        /// Whose datum it was.
        subject: SubjectId,
    },
}

impl<T> Personal<T> {
    /// Marks a datum as personal.
    pub const fn new(subject: SubjectId, value: T) -> Self {
        Self::Known { subject, value }
    }

    /// The datum, where it can be read.
    pub const fn known(&self) -> Option<&T> {
        match self {
            Self::Known { value, .. } => Some(value),
            Self::Sealed { .. } | Self::Erased { .. } => None,
        }
    }
}

/// Never prints the datum: events are logged, people are not.
impl<T> std::fmt::Debug for Personal<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Known { .. } => f.write_str("Personal(known)"),
            Self::Sealed { .. } => f.write_str("Personal(sealed)"),
            Self::Erased { .. } => f.write_str("Personal(erased)"),
        }
    }
}
