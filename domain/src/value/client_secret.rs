//! The text of an OAuth client's secret: `cs_` and 32 unguessable bytes in base62.

use super::{IssuedSecret, base62};

const SECRET_CHARS: usize = 43; // 62^43 > 2^256
const PREFIX: &str = "cs_";

/// Writes a new client secret out of 32 bytes that nobody can guess. With 46 characters it stays below the 72 bytes that bcrypt reads.
pub fn compose_client_secret(secret: &[u8; 32]) -> IssuedSecret {
    let mut text = String::with_capacity(PREFIX.len() + SECRET_CHARS); // never grown: no copy of the secret is left behind
    text.push_str(PREFIX);
    base62::push(&mut text, secret, SECRET_CHARS);
    IssuedSecret::new(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_secret_has_one_width() {
        assert_eq!(compose_client_secret(&[0; 32]).reveal(), format!("cs_{}", "0".repeat(43)));
        assert_eq!(compose_client_secret(&[0xff; 32]).reveal().len(), 46);
        assert_ne!(compose_client_secret(&[0xff; 32]).reveal(), compose_client_secret(&[0xfe; 32]).reveal());
    }
}
