//! Proof Key for Code Exchange (RFC 7636), with S256 alone: whoever redeems a code shows what its challenge was made of.

use aws_lc_rs::{constant_time, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The one method (RFC 7636, 4.2).
pub(super) const METHOD: &str = "S256";

const VERIFIER_CHARS: std::ops::RangeInclusive<usize> = 43..=128;
const CHALLENGE_BYTES: usize = 32;

/// What a client sends with its question and what is kept until it redeems the code: the digest of a verifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge([u8; CHALLENGE_BYTES]);

impl Challenge {
    /// Reads a challenge of the method S256: 43 characters of base64url (RFC 7636, 4.2).
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// The text that it was sent as.
    pub fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// Whether this is the verifier that it was made of (RFC 7636, 4.6), in constant time.
    pub fn is_of(&self, verifier: &str) -> bool {
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        if !VERIFIER_CHARS.contains(&verifier.len()) || !verifier.bytes().all(unreserved) {
            return false;
        }
        let computed = digest::digest(&digest::SHA256, verifier.as_bytes());
        constant_time::verify_slices_are_equal(computed.as_ref(), &self.0).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"; // RFC 7636, appendix B
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn challenge() -> Challenge {
        Challenge::parse(CHALLENGE).unwrap()
    }

    #[test]
    fn item_21_what_is_no_challenge_is_refused() {
        let padded = format!("{}=", challenge().text());
        for text in ["", "short", &CHALLENGE[..42], &padded, &"+".repeat(43), &"A".repeat(128)] {
            assert!(Challenge::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn item_21_a_verifier_that_is_another_too_short_too_long_or_odd_is_refused() {
        let challenge = challenge();
        for verifier in [
            "",
            &VERIFIER[..42],
            &VERIFIER.to_lowercase(),
            &challenge.text(),
            &"a".repeat(129),
            &format!("{VERIFIER}="),
        ] {
            assert!(!challenge.is_of(verifier), "{verifier}");
        }
        let odd = "a b".repeat(20);
        let of_odd = Challenge(digest::digest(&digest::SHA256, odd.as_bytes()).as_ref().try_into().unwrap());
        assert!(!of_odd.is_of(&odd));
    }

    #[test]
    fn a_verifier_that_a_challenge_was_made_of_is_taken() {
        assert!(challenge().is_of(VERIFIER));
        for length in [43, 128] {
            let verifier = "~".repeat(length);
            let made =
                Challenge(digest::digest(&digest::SHA256, verifier.as_bytes()).as_ref().try_into().unwrap());
            assert!(made.is_of(&verifier));
            assert_eq!(Challenge::parse(&made.text()), Some(made));
        }
    }
}
