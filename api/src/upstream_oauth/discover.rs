//! From a server to whoever gives out tokens for it.
//!
//! ```text
//!   server --asked without a token--> its challenge --> resource metadata: where it says, else for its path, else for its host
//!       --> an authorization server among those named --> its metadata, of that very issuer
//!   no resource metadata anywhere: the host itself is the authorization server, by its metadata or else at the endpoints of 2025-03-26
//! ```
//! Whatever is fetched was named by somebody else: nothing is followed out of https, nor to where servers of organizations may not be. Only the
//! host of the server itself is reached as the server is.

use std::collections::BTreeSet;

use bytes::Bytes;
use domain::server::UpstreamGrant;
use domain::value::{AuthorizationServer, ProviderScope, is_private};
use http::{HeaderValue, Request, StatusCode, header};
use mcp::challenge::BearerChallenge;
use mcp::headers::{MCP_METHOD, MCP_PROTOCOL_VERSION};
use mcp::upstream::Reach;
use serde::de::DeserializeOwned;
use url::Url;

use super::addresses::{is_resource_of, of_issuer, of_resource};
use super::metadata::{ISSUERS_MAX, Known, ResourceDocument, ServerDocument, UnfitServer, scopes_of};
use super::ports::CallAuthorization;

/// `server/discover` of 2026-07-28: every server knows it or refuses it, and does nothing for it.
const QUESTION: &str = concat!(
    r#"{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{"_meta":{"#,
    r#""io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"#,
    r#""io.modelcontextprotocol/clientInfo":{"name":"sekisho","version":""#,
    env!("CARGO_PKG_VERSION"),
    r#""}}}}"#
);

/// The server that tokens are wanted for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target<'a> {
    /// Where it is.
    pub(super) url: &'a Url,
    /// How it is reached.
    pub(super) reach: Reach,
    /// How a connection comes to a token.
    pub(super) grant: UpstreamGrant,
    /// The one authorization server that counts, if whoever registered the server said so.
    pub(super) pinned: Option<&'a AuthorizationServer>,
}

/// What was found out.
#[derive(Debug)]
pub(super) struct Found {
    /// What tokens are asked for (RFC 8707).
    pub(super) resource: String,
    /// What they must be good for, as far as the server says.
    pub(super) scopes: BTreeSet<ProviderScope>,
    /// Who gives them out.
    pub(super) server: Known,
    /// How its token endpoint is reached.
    pub(super) reach: Reach,
    /// How its registration endpoint is reached.
    pub(super) registration_reach: Reach,
}

/// Why nobody is found who gives out tokens.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotFound {
    /// Nobody says who does, or whoever is named does not answer.
    #[error("no authorization server is found: {0}")]
    Nobody(String),
    /// The server speaks for another resource (RFC 9728, 3.3).
    #[error("its metadata are those of another resource")]
    OtherResource,
    /// It names another authorization server than the one that counts.
    #[error("it does not name the authorization server that was chosen for it")]
    OtherServer,
    /// The authorization server must not be used.
    #[error("its authorization server is not used: {0}")]
    Unfit(#[from] UnfitServer),
}

pub(super) struct Discovery<'a> {
    pub(super) calls: &'a dyn CallAuthorization,
    pub(super) target: Target<'a>,
}

impl Discovery<'_> {
    pub(super) async fn run(&self) -> Result<Found, NotFound> {
        let challenge = self.challenge().await;
        let Some(document) = self.resource(&challenge).await? else {
            return self.without_resource_metadata(&challenge).await;
        };
        let named = &document.authorization_servers;
        let scopes = wanted(&challenge, &document.scopes_supported);
        let mut last = NotFound::Nobody("its metadata name none".to_owned());
        for issuer in named.iter().take(ISSUERS_MAX) {
            if self.target.pinned.is_some_and(|pinned| pinned.as_str() != issuer) {
                last = NotFound::OtherServer;
                continue;
            }
            let Ok(issuer) = AuthorizationServer::parse(issuer) else {
                last = NotFound::Unfit(UnfitServer::Endpoint);
                continue;
            };
            match self.server(&issuer).await {
                Ok(Some(server)) => return Ok(self.found(document.resource, scopes, server)),
                Ok(None) => last = NotFound::Nobody(format!("{issuer} publishes no metadata")),
                Err(unfit) => return Err(unfit.into()),
            }
        }
        Err(last)
    }

    /// What the server says to whoever comes without a token. That it says nothing is not the end: metadata have their places.
    async fn challenge(&self) -> BearerChallenge {
        let request = Request::post(self.target.url.as_str())
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json, text/event-stream")
            .header(MCP_PROTOCOL_VERSION, "2026-07-28")
            .header(MCP_METHOD, "server/discover")
            .body(Bytes::from_static(QUESTION.as_bytes()));
        let Ok(request) = request else { return BearerChallenge::default() };
        match self.calls.call(request, self.target.reach).await {
            Ok(answer) if answer.status() == StatusCode::UNAUTHORIZED => {
                BearerChallenge::read(answer.headers()).unwrap_or_default()
            }
            Ok(_) | Err(_) => BearerChallenge::default(),
        }
    }

    async fn resource(&self, challenge: &BearerChallenge) -> Result<Option<ResourceDocument>, NotFound> {
        let named = challenge.resource_metadata.as_deref().and_then(|text| Url::parse(text).ok());
        let named = named.filter(|url| is_private(url) || url.origin() == self.target.url.origin());
        for place in named.into_iter().chain(of_resource(self.target.url)) {
            let Some(document) = self.document::<ResourceDocument>(&place).await else { continue };
            let resource = Url::parse(&document.resource).ok();
            if !resource.is_some_and(|resource| is_resource_of(&resource, self.target.url)) {
                return Err(NotFound::OtherResource);
            }
            return Ok(Some(document));
        }
        Ok(None)
    }

    /// The metadata of an issuer. What lies at the first place that has any decides: there is no second opinion on who somebody is.
    async fn server(&self, issuer: &AuthorizationServer) -> Result<Option<Known>, UnfitServer> {
        let Ok(url) = Url::parse(issuer.as_str()) else { return Ok(None) };
        for place in of_issuer(&url) {
            if let Some(document) = self.document::<ServerDocument>(&place).await {
                let document = document.of(issuer, self.target.grant)?;
                let vouched_for = self.target.pinned.is_some() && self.target.reach == Reach::Anywhere;
                if !vouched_for {
                    document.must_not_be_mistaken(self.target.grant)?;
                }
                return Ok(Some(document));
            }
        }
        Ok(None)
    }

    /// MCP 2025-03-26, 2.3: the host of the server is its authorization server.
    async fn without_resource_metadata(&self, challenge: &BearerChallenge) -> Result<Found, NotFound> {
        let url = self.target.url;
        let resource = url.as_str().to_owned();
        let nobody = || NotFound::Nobody("it publishes no metadata, and is not under https".to_owned());
        let issuer = AuthorizationServer::parse(&url.origin().ascii_serialization()).map_err(|_| nobody())?;
        if self.target.pinned.is_some_and(|pinned| *pinned != issuer) {
            return Err(NotFound::OtherServer);
        }
        let published = self.server(&issuer).await?;
        let server = published.or_else(|| Known::unpublished(url)).ok_or_else(nobody)?;
        let scopes = wanted(challenge, &[]);
        Ok(self.found(resource, scopes, server))
    }

    /// Each address is reached for what it is, whoever named it: only beside the server itself as the server is.
    fn found(&self, resource: String, scopes: BTreeSet<ProviderScope>, server: Known) -> Found {
        let reach = self.reach(&server.token);
        let registration_reach =
            server.registration.as_ref().map_or(Reach::OpenNetworks, |place| self.reach(place));
        Found { resource, scopes, server, reach, registration_reach }
    }

    /// JSON that lies somewhere, if it does.
    async fn document<T: DeserializeOwned>(&self, place: &Url) -> Option<T> {
        let mut request = Request::get(place.as_str()).body(Bytes::new()).ok()?;
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(header::ACCEPT, json);
        request.headers_mut().insert(MCP_PROTOCOL_VERSION, HeaderValue::from_static("2026-07-28"));
        match self.calls.call(request, self.reach(place)).await {
            Ok(answer) if answer.status() == StatusCode::OK => serde_json::from_slice(answer.body()).ok(),
            Ok(_) => None,
            Err(why) => {
                tracing::info!(server.address = %place.origin().ascii_serialization(), cause = why.0, "metadata of an upstream cannot be fetched");
                None
            }
        }
    }

    fn reach(&self, place: &Url) -> Reach {
        if place.origin() == self.target.url.origin() { self.target.reach } else { Reach::OpenNetworks }
    }
}

/// What the challenge says, else all that the resource has (MCP 2025-11-25, scope selection).
fn wanted(challenge: &BearerChallenge, supported: &[String]) -> BTreeSet<ProviderScope> {
    match &challenge.scope {
        Some(scope) => scopes_of(scope.split(' ')),
        None => scopes_of(supported.iter().map(String::as_str)),
    }
}
