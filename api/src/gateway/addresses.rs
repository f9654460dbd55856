//! Addresses of servers in the form that requests carry: read once for each server, not for each call.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use domain::value::ServerId;
use mcp::upstream::UpstreamUrl;
use projections::access::Server;

/// Servers whose addresses are remembered.
const REMEMBERED_MAX: usize = 10_000;

/// What was read, and the text that it was read from: a server may have moved since.
type Read = (domain::value::UpstreamUrl, UpstreamUrl);

/// The memory. A text that says the same address is the same text.
#[derive(Debug, Default)]
pub struct Addresses(RwLock<HashMap<ServerId, Read>>);

impl Addresses {
    /// Where a server is, if its text is an address that can be called.
    pub(super) fn of(&self, id: ServerId, server: &Server) -> Option<UpstreamUrl> {
        if let Some((text, url)) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&id)
            && *text == server.url
        {
            return Some(url.clone());
        }
        let url = UpstreamUrl::parse(server.url.as_str()).ok()?;
        let mut remembered = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= REMEMBERED_MAX {
            remembered.clear(); // rare, and costs one reading for each server in use
        }
        remembered.insert(id, (server.url.clone(), url.clone()));
        Some(url)
    }
}

#[cfg(test)]
mod tests {
    use domain::value::OrganizationId;

    use super::*;

    fn server(url: &str) -> Server {
        Server {
            organization: Some(OrganizationId::new(uuid::Uuid::from_u128(1))),
            url: domain::value::UpstreamUrl::parse(url).unwrap(),
            generation: 0,
            credential_fields: Vec::new(),
            oauth: None,
            retired: false,
        }
    }

    #[test]
    fn a_server_that_has_moved_is_asked_where_it_is_now() {
        let (addresses, id) = (Addresses::default(), ServerId::new(uuid::Uuid::from_u128(2)));
        for url in ["http://one.example/mcp", "http://one.example/mcp", "http://two.example/mcp"] {
            let found = addresses.of(id, &server(url)).unwrap();
            assert_eq!(found, UpstreamUrl::parse(url).unwrap());
        }
    }

    #[test]
    fn memory_is_bounded() {
        let addresses = Addresses::default();
        for number in 0..2 * REMEMBERED_MAX as u128 {
            let id = ServerId::new(uuid::Uuid::from_u128(number));
            assert!(addresses.of(id, &server("http://one.example/mcp")).is_some());
        }
        assert!(addresses.0.read().unwrap().len() <= REMEMBERED_MAX);
    }
}
