//! The way to a provider and back: what a browser is sent there with, and what of it must come back (OpenID Connect Core, 3.1.2; RFC 7636).
//!
//! `state` alone is drawn. Nonce and verifier are keyed digests of it, so that nothing of what must stay secret is kept anywhere.

use openidconnect::core::{CoreAuthPrompt, CoreAuthenticationFlow, CoreClient, CoreJsonWebKeySet};
use openidconnect::{
    AuthType, AuthUrl, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet, IssuerUrl, Nonce,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope,
};
use projections::access::Provider;

use super::metadata::Metadata;
use super::{Down, Providers};

/// The library's client with the two endpoints that are used.
pub(super) type Client =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet, EndpointNotSet>;

/// What a browser is led to a provider with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Way<'a> {
    /// What it must come back with.
    pub(crate) state: &'a str,
    /// Whether the provider is to ask the person anew, and not to take its own session for an answer.
    pub(crate) in_person: bool,
    /// In which languages.
    pub(crate) ui_locales: Option<&'a str>,
}

impl Providers {
    /// Where a browser is led, if the provider is there.
    pub(crate) async fn lead(&self, provider: &Provider, way: Way<'_>) -> Result<String, Down> {
        let known = self.known(provider);
        let metadata = self.metadata(&known).await?;
        let client = self.client(provider, &metadata, None, CoreJsonWebKeySet::new(Vec::new()))?;
        let (state, nonce) = (way.state.to_owned(), self.nonce(way.state));
        let verifier = self.verifier(way.state);
        let mut request = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                move || CsrfToken::new(state),
                move || nonce,
            )
            .add_scopes(provider.scopes.iter().map(|scope| Scope::new(scope.to_string())))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
        if way.in_person {
            request = request.add_prompt(CoreAuthPrompt::Login).set_max_age(std::time::Duration::ZERO);
        }
        if let Some(ui_locales) = way.ui_locales {
            request = request.add_extra_param("ui_locales", ui_locales);
        }
        let (url, _, _) = request.url();
        Ok(url.into())
    }

    /// Where a provider sends browsers back to: an address of its own for each, so that none can pass for another (RFC 9700, 4.4.2).
    pub(crate) fn callback(&self, provider: &Provider) -> String {
        format!("{}/sign-in/callback/{}", self.0.url.issuer(), provider.id)
    }

    pub(super) fn nonce(&self, state: &str) -> Nonce {
        Nonce::new(self.0.digests.keyed("nonce at a provider", state))
    }

    pub(super) fn verifier(&self, state: &str) -> PkceCodeVerifier {
        PkceCodeVerifier::new(self.0.digests.keyed("code verifier at a provider", state))
    }

    pub(super) fn client(
        &self,
        provider: &Provider,
        metadata: &Metadata,
        secret: Option<ClientSecret>,
        keys: CoreJsonWebKeySet,
    ) -> Result<Client, Down> {
        let issuer = IssuerUrl::new(provider.issuer.to_string()).map_err(|_| Down)?;
        let back = RedirectUrl::new(self.callback(provider)).map_err(|_| Down)?;
        let way = if metadata.secret_in_form { AuthType::RequestBody } else { AuthType::BasicAuth };
        let authorization: AuthUrl = metadata.authorization.clone();
        let client = CoreClient::new(ClientId::new(provider.client_id.to_string()), issuer, keys)
            .set_auth_uri(authorization)
            .set_token_uri(metadata.token.clone())
            .set_redirect_uri(back)
            .set_auth_type(way);
        Ok(match secret {
            Some(secret) => client.set_client_secret(secret),
            None => client,
        })
    }
}
