//! The text of a registration access token (RFC 7592, 3): `rat_` and 256 random bits. Only a digest of it is kept.

use super::{IssuedSecret, base62};

const SECRET_CHARS: usize = 43; // 62^43 > 2^256
const PREFIX: &str = "rat_";

/// Writes a new registration access token out of 32 bytes that nobody can guess.
pub fn compose_registration_token(secret: &[u8; 32]) -> IssuedSecret {
    let mut text = String::with_capacity(PREFIX.len() + SECRET_CHARS); // never grown: no copy of the secret is left behind
    text.push_str(PREFIX);
    base62::push(&mut text, secret, SECRET_CHARS);
    IssuedSecret::new(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registration_access_token_has_one_width() {
        assert_eq!(compose_registration_token(&[0; 32]).reveal(), format!("rat_{}", "0".repeat(43)));
        assert_eq!(compose_registration_token(&[0xff; 32]).reveal().len(), 47);
    }
}
