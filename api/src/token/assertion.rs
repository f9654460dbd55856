//! What a client signs to prove who it is (RFC 7523, 3; OpenID Connect Core 1.0, 9), as it is written.

use serde::Deserialize;

/// The claims of an assertion. Whole numbers, and no claim twice: what can be read in two ways is none.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct AssertionClaims {
    /// The client.
    pub iss: String,
    /// The client again.
    pub sub: String,
    /// For whom it is.
    pub aud: Audience,
    /// When it ends, in seconds of Unix time.
    pub exp: i64,
    /// When it was signed.
    #[serde(default)]
    pub iat: Option<i64>,
    /// Before when it is none.
    #[serde(default)]
    pub nbf: Option<i64>,
    /// Its own name: it counts once.
    pub jti: String,
}

/// Whom an assertion is for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Audience {
    /// One.
    One(String),
    /// A list.
    List(Vec<String>),
}

impl Audience {
    /// The only one that it is for. One that is for others, too, could be shown to us by one of them.
    pub fn only(&self) -> Option<&str> {
        match self {
            Self::One(one) => Some(one),
            Self::List(list) => match list.as_slice() {
                [one] => Some(one),
                _ => None,
            },
        }
    }
}
