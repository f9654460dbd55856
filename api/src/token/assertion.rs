//! What a client signs to prove who it is (RFC 7523, 3; OpenID Connect Core 1.0, 9), as it is written.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// The claims of an assertion. No claim twice: what can be read in two ways is none.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct AssertionClaims {
    /// The client.
    pub iss: String,
    /// The client again.
    pub sub: String,
    /// For whom it is.
    pub aud: Audience,
    /// When it ends, in seconds of Unix time.
    #[serde(deserialize_with = "seconds")]
    pub exp: i64,
    /// When it was signed.
    #[serde(default, deserialize_with = "seconds_if_any")]
    pub iat: Option<i64>,
    /// Before when it is none.
    #[serde(default, deserialize_with = "seconds_if_any")]
    pub nbf: Option<i64>,
    /// Its own name: it counts once.
    pub jti: String,
}

/// A moment as it is written: a JSON number, with a fraction or without (RFC 7519, 2, `NumericDate`).
#[derive(Deserialize)]
#[serde(untagged)]
enum NumericDate {
    Whole(i64),
    Fraction(f64),
}

impl NumericDate {
    /// The whole second that it lies in; none when there is no such time.
    fn seconds(&self) -> Option<i64> {
        match self {
            Self::Whole(seconds) => Some(*seconds),
            Self::Fraction(seconds) => {
                time::Duration::checked_seconds_f64(seconds.floor()).map(time::Duration::whole_seconds)
            }
        }
    }
}

fn seconds<'de, D: Deserializer<'de>>(written: D) -> Result<i64, D::Error> {
    NumericDate::deserialize(written)?.seconds().ok_or_else(|| D::Error::custom("no moment"))
}

fn seconds_if_any<'de, D: Deserializer<'de>>(written: D) -> Result<Option<i64>, D::Error> {
    let Some(written) = Option::<NumericDate>::deserialize(written)? else { return Ok(None) };
    written.seconds().map(Some).ok_or_else(|| D::Error::custom("no moment"))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(exp: &str) -> Option<i64> {
        let text = format!(r#"{{"iss":"a","sub":"a","aud":"b","jti":"c","exp":{exp},"nbf":{exp}}}"#);
        let claims: AssertionClaims = serde_json::from_str(&text).ok()?;
        assert_eq!(claims.nbf, Some(claims.exp));
        Some(claims.exp)
    }

    #[test]
    fn what_is_no_number_or_no_time_is_no_moment() {
        for exp in ["null", "\"1800000000\"", "[1]", "{}", "true", "1e300", "-1e300", "1.8e19"] {
            assert_eq!(ends(exp), None, "{exp}");
        }
    }

    #[test]
    fn a_moment_is_a_number_with_a_fraction_or_without() {
        for (exp, seconds) in
            [("1800000000", 1_800_000_000), ("1800000000.0", 1_800_000_000), ("1.8e9", 1_800_000_000)]
        {
            assert_eq!(ends(exp), Some(seconds), "{exp}");
        }
        assert_eq!(
            (ends("1800000000.999"), ends("-0.5"), ends("0")),
            (Some(1_800_000_000), Some(-1), Some(0))
        );
    }
}
