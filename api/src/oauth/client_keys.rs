//! What a client proves itself with now, where it says that itself: in the document that describes it, or at the address of its keys.

use std::sync::Arc;

use domain::client::ClientDocument;
use domain::value::{ClientKeySource, PresentedSecret, PublishedKeys};
use projections::access::Client;

use super::Oauth;
use super::documents::DocumentFault;
use super::error::OauthError;
use super::fetched::FetchFault;
use crate::limits::Subscriber;
use crate::token::AssertionClaims;

impl<P> Oauth<P> {
    /// A client that is known by its document proves itself as that says now, whatever it said when somebody consented. While nothing can be told of it, a
    /// client that keeps nothing to itself goes on: there is nothing that could have been taken back.
    pub(super) async fn as_described(
        &self,
        client: &Arc<Client>,
        asker: Subscriber,
    ) -> Result<Arc<Client>, OauthError> {
        let Some(url) = &client.document else { return Ok(Arc::clone(client)) };
        match self.documents.proving(url, asker).await {
            Ok(document) => {
                let now = Client::described(client.id, ClientDocument::clone(&document));
                let (authentication, keys) = (now.authentication, now.keys);
                Ok(Arc::new(Client { authentication, keys, ..Client::clone(client) }))
            }
            Err(fault) if client.authentication.is_none() && fault.tells_nothing() => Ok(Arc::clone(client)),
            Err(DocumentFault::Fetch(FetchFault::Busy)) => {
                Err(OauthError::unavailable("documents of many clients are being fetched; try again"))
            }
            Err(
                DocumentFault::Off
                | DocumentFault::Fetch(
                    FetchFault::NotFetched(_) | FetchFault::NoDocument(_) | FetchFault::Unfit(_),
                ),
            ) => Err(OauthError::no_client_document()),
        }
    }

    /// What an assertion says, if a key signed it that is new in its client's document.
    pub(super) async fn signed_by_newly_described(
        &self,
        client: &Client,
        assertion: &PresentedSecret,
        asker: Subscriber,
    ) -> Option<AssertionClaims> {
        let document = self.documents.proving_anew(client.document.as_ref()?, asker).await.ok()?;
        let now = Client::described(client.id, ClientDocument::clone(&document)).keys?;
        match &now {
            ClientKeySource::Sent(keys) if client.keys.as_ref() != Some(&now) => {
                self.assertions.check(assertion.reveal(), keys.as_slice())
            }
            ClientKeySource::Sent(_) | ClientKeySource::Published(_) => None,
        }
    }

    /// What an assertion says, if a key that its client publishes signed it: one that is known, or one that is new there.
    pub(super) async fn signed_by_published(
        &self,
        at: &PublishedKeys,
        assertion: &PresentedSecret,
        asker: Subscriber,
    ) -> Result<Option<AssertionClaims>, FetchFault> {
        let known = self.published_keys.get(at, asker).await?;
        if let Some(says) = self.assertions.check(assertion.reveal(), &known) {
            return Ok(Some(says));
        }
        let now = self.published_keys.again(at, asker).await?;
        Ok(if now == known { None } else { self.assertions.check(assertion.reveal(), &now) })
    }
}
