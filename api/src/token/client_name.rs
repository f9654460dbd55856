//! The `client_id` of OAuth: the id of a client, or the address of its document, from which its id is made.
//!
//! An id holds 122 bits of the SHA-256 of the address (UUID version 8, RFC 9562, 5.8). Whoever reads an id by an address compares the address too.

use aws_lc_rs::digest;
use domain::value::{ClientId, ClientUrl};
use uuid::Builder;

/// The id of the client whose document lies at this address.
pub(crate) fn id_of(url: &ClientUrl) -> ClientId {
    let mut bytes = [0; 16];
    let digest = digest::digest(&digest::SHA256, url.as_str().as_bytes());
    for (byte, of) in bytes.iter_mut().zip(digest.as_ref()) {
        *byte = *of;
    }
    ClientId::new(Builder::from_custom_bytes(bytes).into_uuid())
}

/// The id that a `client_id` stands for. One spelling of each: no two names for one client in logs and caches.
pub(crate) fn client_named(text: &str) -> Option<ClientId> {
    match ClientUrl::parse(text) {
        Ok(url) => Some(id_of(&url)),
        Err(_) => ClientId::parse(text).ok().filter(|id| id.to_string() == text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_id_and_no_other_address_has_it() {
        let id = |text: &str| client_named(text).unwrap().to_string();
        let first = id("https://app.example.com/client.json");
        assert_eq!(first, id("https://app.example.com/client.json"));
        assert_ne!(first, id("https://app.example.com/client.json?"));
        assert_eq!(client_named(&first).unwrap().to_string(), first);
        assert_eq!(client_named(&first.to_uppercase()), None);
        assert_eq!(client_named("https://app.example.com/../x"), None);
    }
}
