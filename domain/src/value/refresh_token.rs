//! The text of a refresh token: `rt_` and 256 random bits. What it stands for is kept beside the log, under its digest.

use super::{IssuedSecret, base62};

const SECRET_CHARS: usize = 43; // 62^43 > 2^256
const PREFIX: &str = "rt_";

/// Writes a new refresh token out of 32 bytes that nobody can guess.
pub fn compose_refresh_token(secret: &[u8; 32]) -> IssuedSecret {
    let mut text = String::with_capacity(PREFIX.len() + SECRET_CHARS); // never grown: no copy of the secret is left behind
    text.push_str(PREFIX);
    base62::push(&mut text, secret, SECRET_CHARS);
    IssuedSecret::new(text)
}

/// Whether a text is written as a refresh token; nothing else is looked for in the table.
pub fn is_refresh_token(text: &str) -> bool {
    let letters = text.strip_prefix(PREFIX).map(str::as_bytes);
    letters
        .is_some_and(|letters| letters.len() == SECRET_CHARS && letters.iter().all(u8::is_ascii_alphanumeric))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_or_longer_or_of_other_letters_is_none() {
        let zeros = "0".repeat(43);
        for text in [
            "",
            "rt_",
            &format!("rt_{}", &zeros[1..]),
            &format!("rt_{zeros}0"),
            &format!("cs_{zeros}"),
            &zeros,
        ] {
            assert!(!is_refresh_token(text), "{text}");
        }
        assert!(!is_refresh_token(&format!("rt_{}-", &zeros[1..])));
        assert!(!is_refresh_token(&format!("rt_{}\u{e9}", &zeros[2..])));
    }

    #[test]
    fn whatever_is_composed_is_one() {
        for bytes in [[0; 32], [0xff; 32], [7; 32]] {
            assert!(is_refresh_token(compose_refresh_token(&bytes).reveal()));
        }
        assert_ne!(compose_refresh_token(&[0xff; 32]).reveal(), compose_refresh_token(&[0xfe; 32]).reveal());
    }
}
