//! The authorization server: one file for each endpoint, one table that states who may use it.
//!
//! Issuer, resources and endpoints are named after the configured public URL, never after what a request says of its host. Everything that the
//! metadata promises is derived from what the endpoints dispatch on, so that it promises nothing else. Deliberately absent: the implicit and the
//! password grant (OAuth 2.1), and any answer that tells whether a client, an instance or an organization exists.

mod asked_scopes;
mod asker;
mod authorization_code;
mod authorize;
mod bearer;
mod client_assertion;
mod client_authentication;
mod client_credentials;
mod client_keys;
mod client_metadata;
mod codes;
mod documents;
mod end;
mod error;
mod fetched;
mod form;
mod introspect;
mod issue;
mod jwks;
mod metadata;
mod pkce;
mod published_keys;
mod refresh;
mod register;
mod resource_metadata;
mod revoke;
mod standing;
mod table;
mod target;
mod token;

use std::sync::Arc;

use axum::Router;
use commands::Ports;
use domain::value::{Clock, SigningAlgorithm};
use projections::access::{Client, Deciding, Grounds};

use crate::key_holder::CheckKey;
use crate::limits::{Limits, Subject, Surface};
use crate::providers::Providers;
use crate::token::{CheckAssertions, CheckTokens, KeepRefreshTokens, PublicUrl, SignTokens, VerifySecrets};

pub use asked_scopes::read_scopes;
pub(crate) use authorize::{
    FORGET_FORMS, expectation, router as authorize_router, routes as authorize_routes,
};
pub(crate) use client_assertion::FORGET as FORGET_ASSERTIONS;
pub use client_authentication::{PresentedClient, PresentedProof};
pub(crate) use codes::FORGET as FORGET_CODES;
pub use codes::{CodeFacts, Presented as PresentedCode, Redeemed, redeem as redeem_code};
pub(crate) use documents::ClientDocuments;
pub(crate) use end::tell;
pub use error::{OauthError, OauthErrorCode, Tried};
pub(crate) use fetched::{FetchDocument, Fetched, NotFetched, Wanted};
pub use form::Parameters;
pub use introspect::{IntrospectForm, Introspected};
pub use jwks::KeySet;
pub use metadata::ServerMetadata;
pub use pkce::Challenge;
pub(crate) use published_keys::KeysOfClients;
pub use published_keys::PublishedKeyLimits;
pub use register::{RegistrationPolicy, UNUSED_CLIENT_KEPT_AT_LEAST, UNUSED_CLIENTS_MAX};
pub use resource_metadata::ResourceMetadata;
pub use revoke::{RevokeForm, Revoked};
pub use table::{OauthAccess, OauthRoute, Taken};
pub use token::{TokenAnswer, TokenForm, TokenType};

/// Everything that the endpoints need. `P` are the ports of the use cases.
pub struct Oauth<P> {
    /// The ports of the use cases.
    pub ports: Arc<P>,
    /// Issuer, and what resources are named after.
    pub url: PublicUrl,
    /// Who is who, and what is open.
    pub deciding: Deciding,
    /// The time of decisions.
    pub clock: Arc<dyn Clock>,
    /// Checks secrets of clients.
    pub secrets: Arc<dyn VerifySecrets>,
    /// Checks what clients sign to prove who they are.
    pub assertions: Arc<dyn CheckAssertions>,
    /// Checks API keys, which let somebody register a client, and registration access tokens.
    pub keys: Arc<dyn CheckKey>,
    /// Who may register a client.
    pub registration: RegistrationPolicy,
    /// How many clients there may be that are nobody's and that nobody ever let act.
    pub unused_clients_max: usize,
    /// The documents of clients that are known by one.
    pub(crate) documents: ClientDocuments,
    /// The keys that clients publish.
    pub(crate) published_keys: KeysOfClients,
    /// Signs access tokens.
    pub tokens: Arc<dyn SignTokens>,
    /// With which algorithm.
    pub algorithm: SigningAlgorithm,
    /// Reads access tokens that come back.
    pub checks: Arc<dyn CheckTokens>,
    /// Keeps refresh tokens.
    pub refresh: Arc<dyn KeepRefreshTokens>,
    /// How often anybody may ask.
    pub limits: Limits,
    /// Where codes are kept.
    pub pool: sqlx::PgPool,
    /// The identity providers, as this node knows them.
    pub providers: Providers,
}

impl<P> Clone for Oauth<P> {
    fn clone(&self) -> Self {
        Self {
            ports: Arc::clone(&self.ports),
            url: self.url.clone(),
            deciding: self.deciding.clone(),
            clock: Arc::clone(&self.clock),
            secrets: Arc::clone(&self.secrets),
            assertions: Arc::clone(&self.assertions),
            keys: Arc::clone(&self.keys),
            registration: self.registration,
            unused_clients_max: self.unused_clients_max,
            documents: self.documents.clone(),
            published_keys: self.published_keys.clone(),
            tokens: Arc::clone(&self.tokens),
            algorithm: self.algorithm,
            checks: Arc::clone(&self.checks),
            refresh: Arc::clone(&self.refresh),
            limits: self.limits.clone(),
            pool: self.pool.clone(),
            providers: self.providers.clone(),
        }
    }
}

impl<P> std::fmt::Debug for Oauth<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Oauth").finish_non_exhaustive()
    }
}

impl<P> Oauth<P> {
    /// Counts a client that proved itself, and its organization. A public one has only said its name, which anybody can: what it may have is
    /// bounded by the codes and refresh tokens of people, and by the address.
    pub(crate) fn count(&self, client: &Client) -> Result<(), OauthError> {
        if client.authentication.is_none() {
            return Ok(());
        }
        let organization = client.organization.map(|organization| Subject::Organization(organization.uuid()));
        for subject in [Subject::Client(client.id.uuid())].into_iter().chain(organization) {
            self.limits.take(Surface::Token, subject).map_err(OauthError::too_many)?;
        }
        Ok(())
    }

    /// The view of this node, if it may decide. Nothing is given out by what may have been taken back.
    pub(crate) fn grounds(&self) -> Result<Grounds, OauthError> {
        self.deciding
            .fresh()
            .ok_or_else(|| OauthError::unavailable("this node cannot decide right now; try again"))
    }
}

/// Every route, at the issuer with this URL.
pub fn routes<P: Ports + 'static>(url: &PublicUrl) -> Vec<OauthRoute<P>> {
    let fixed = [
        metadata::authorization_server(url),
        metadata::openid_configuration(url),
        resource_metadata::route(url),
        client_metadata::route(),
        jwks::route(),
        token::route(),
        revoke::route(),
        introspect::route(),
    ];
    fixed.into_iter().chain(register::routes()).collect()
}

/// The router of the whole table.
pub fn router<P: Ports + 'static>(oauth: &Oauth<P>) -> Router {
    routes(&oauth.url)
        .into_iter()
        .fold(Router::new(), |router, route: OauthRoute<P>| route.into_router(router, oauth))
}
