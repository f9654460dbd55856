//! What a person saw of a client whose identifier is the address of a document, when they let it act: the log keeps that, whatever the document
//! says later.
//!
//! ```text
//!   (unborn) --seen--> enabled --seen, and another document--> enabled
//! ```
//! Nothing is known of such a client before somebody lets it act. Nobody here answers for it: it acts for people alone.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::own::must_ask_people;
use super::{Client, ClientError, ClientEvent, ClientKind, Description, GrantType, Standing};
use super::{must_be_reachable, must_fit};
use crate::value::{ClientUrl, DisplayName, RedirectUri, Scopes};

/// What a document says of its client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientDocument {
    /// Where it is; as text the `client_id` of OAuth.
    pub url: ClientUrl,
    /// The name shown at consent.
    pub name: DisplayName,
    /// Public, or the keys that it proves itself with. Never a secret: anybody can read a document.
    pub kind: ClientKind,
    /// Where browsers may be sent back to.
    pub redirect_uris: BTreeSet<RedirectUri>,
    /// The most it can be granted.
    pub scopes: Scopes,
    /// By which grants it gets tokens.
    pub grant_types: BTreeSet<GrantType>,
}

impl Client {
    /// Told only when the document is another one than was seen last.
    pub(super) fn see_document(&self, seen: &ClientDocument) -> Result<Vec<ClientEvent>, ClientError> {
        match self.standing {
            Standing::Deleted => return Err(ClientError::Deleted),
            Standing::Unborn => {}
            Standing::Enabled | Standing::Disabled if self.document.as_ref() == Some(&seen.url) => {}
            Standing::Enabled | Standing::Disabled => return Err(ClientError::Exists),
        }
        let is_public = match seen.kind {
            ClientKind::Public => true,
            ClientKind::Keyed { .. } | ClientKind::Publishing { .. } => false,
            ClientKind::Confidential { .. } => return Err(ClientError::PublishedSecret),
        };
        must_be_reachable(&seen.redirect_uris, is_public)?;
        must_fit(Some(&seen.grant_types), &seen.redirect_uris, is_public)?;
        must_ask_people(&seen.grant_types)?;
        let ClientDocument { url, name, kind, redirect_uris, scopes, grant_types } = seen.clone();
        let wanted = Description { name, redirect_uris, scopes };
        let is_as_seen = self.description.as_ref() == Some(&wanted)
            && self.kind.as_ref() == Some(&kind)
            && self.grant_types.as_ref() == Some(&grant_types);
        if is_as_seen {
            return Ok(vec![]);
        }
        let Description { name, redirect_uris, scopes } = wanted;
        Ok(vec![ClientEvent::DocumentSeen { url, name, kind, redirect_uris, scopes, grant_types }])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Aggregate as _;
    use crate::client::ClientCommand;
    use crate::value::{Scope, SecretDigest};

    fn document(name: &str) -> ClientDocument {
        ClientDocument {
            url: ClientUrl::parse("https://app.example.com/client.json").unwrap(),
            name: DisplayName::parse(name).unwrap(),
            kind: ClientKind::Public,
            redirect_uris: [RedirectUri::parse("https://app.example.com/cb").unwrap()].into(),
            scopes: [Scope::McpRead].into_iter().collect(),
            grant_types: [GrantType::AuthorizationCode].into(),
        }
    }

    fn after(events: Vec<ClientEvent>) -> Client {
        let mut client = Client::default();
        for event in events {
            client.evolve(event);
        }
        client
    }

    fn see(client: &Client, seen: ClientDocument) -> Result<Vec<ClientEvent>, ClientError> {
        client.decide(&ClientCommand::SeeDocument(Box::new(seen)))
    }

    #[test]
    fn whoever_answers_for_no_one_gets_nothing_in_its_own_name_and_publishes_no_secret() {
        let own = ClientDocument { grant_types: GrantType::ALL.into(), ..document("App") };
        assert_eq!(see(&Client::default(), own), Err(ClientError::PublicCredentials));
        let secret = SecretDigest::HmacSha256 { pepper: 1, hex: "00ff".repeat(16) };
        let kept = ClientDocument { kind: ClientKind::Confidential { secret }, ..document("App") };
        assert_eq!(see(&Client::default(), kept), Err(ClientError::PublishedSecret));
        let nowhere = ClientDocument { redirect_uris: [].into(), ..document("App") };
        assert_eq!(see(&Client::default(), nowhere), Err(ClientError::NoRedirectUri));
    }

    #[test]
    fn a_document_is_told_once_and_again_when_it_is_another() {
        let seen = see(&Client::default(), document("App")).unwrap();
        assert_eq!(seen.len(), 1);
        let client = after(seen);
        assert!(client.is_enabled());
        assert_eq!(see(&client, document("App")), Ok(vec![]));
        assert_eq!(see(&client, document("App 2")).unwrap().len(), 1);
    }
}
