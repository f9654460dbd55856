//! Requests to addresses that strangers name: a client's document, a server that somebody enters. Whoever names one must not reach through us what
//! they cannot reach themselves (server-side request forgery).
//!
//! ```text
//!   URL: https, no user name, a port of the web --> name resolved once --> every address in the open internet?
//!        --> connected to just that (`mcp::upstream::GuardedConnector`) --> answer within its time and size, as it is: no redirect followed, nothing unpacked
//! ```
//! Nothing is kept open, no proxy of the environment is used. Loopback may be allowed, for demonstrations and tests alone; http goes nowhere else.

mod authorization;
mod documents;
mod routable;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Request, Response, Uri, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use mcp::upstream::{
    AddressRefused, GuardedConnector, OpenNetworks, Resolve, SystemNames, TlsSetupError, outbound_tls,
};
use url::{Host, Url};

pub(crate) use self::authorization::AuthorizationCalls;
pub(crate) use self::routable::is_global;

/// How long a connection may take to be there.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// All headers of an answer.
const HEADERS_BYTES_MAX: usize = 16 * 1024;
/// Below lie the ports of other protocols.
const OPEN_PORT_MIN: u16 = 1024;
const HTTPS_PORT: u16 = 443;

/// Whether this very machine may be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loopback {
    /// It may not.
    Refused,
    /// It may, over http too: a demonstration, or a test.
    Allowed,
}

/// What an answer may cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AnswerLimits {
    /// Until its headers are there.
    pub(crate) first_byte: Duration,
    /// Until it is there whole.
    pub(crate) whole: Duration,
    /// How long it may be.
    pub(crate) body_bytes_max: usize,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OutboundError {
    /// Not an address of the web.
    #[error("the address is not https, or names a user, or a port of another protocol")]
    Url,
    /// It leads to a network that is not open.
    #[error("the address does not lie in the open internet")]
    Address,
    /// Nobody answers.
    #[error("nobody answers there: {0}")]
    Unreachable(String),
    /// It takes too long.
    #[error("the answer takes too long")]
    TooSlow,
    /// It is too long.
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
    /// It is packed, and what it would be is not known.
    #[error("the answer is packed, which was not asked for")]
    Packed,
}

/// The guarded client.
#[derive(Clone)]
pub(crate) struct Outbound {
    client: Client<HttpsConnector<GuardedConnector>, Full<Bytes>>,
    loopback: Loopback,
}

impl std::fmt::Debug for Outbound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outbound").field("loopback", &self.loopback).finish_non_exhaustive()
    }
}

impl Outbound {
    /// With the certificates of the operating system and its names.
    pub(crate) fn try_new(loopback: Loopback) -> Result<Self, TlsSetupError> {
        Self::resolving(Arc::new(SystemNames), loopback)
    }

    fn resolving(names: Arc<dyn Resolve>, loopback: Loopback) -> Result<Self, TlsSetupError> {
        let open = OpenNetworks::new(move |address| match loopback {
            Loopback::Allowed if address.is_loopback() => true,
            Loopback::Allowed | Loopback::Refused => is_global(address),
        });
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(outbound_tls()?)
            .https_or_http() // `must_be_open` says when
            .enable_http1()
            .wrap_connector(GuardedConnector::new(names, Some(open), CONNECT_WITHIN));
        let client = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0) // each request looks at its own address
            .http1_max_buf_size(HEADERS_BYTES_MAX)
            .build(connector);
        Ok(Self { client, loopback })
    }

    /// Reads what lies at an address.
    pub(crate) async fn get(
        &self,
        url: &Url,
        accept: &'static str,
        limits: AnswerLimits,
    ) -> Result<Response<Bytes>, OutboundError> {
        self.must_be_open(url)?;
        let uri: Uri = url.as_str().parse().map_err(|_| OutboundError::Url)?;
        let mut request = Request::new(Full::default());
        *request.uri_mut() = uri;
        request.headers_mut().insert(header::ACCEPT, HeaderValue::from_static(accept));
        request.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let answered = tokio::time::timeout(limits.whole, self.answered(request, limits)).await;
        answered.unwrap_or(Err(OutboundError::TooSlow))
    }

    async fn answered(
        &self,
        request: Request<Full<Bytes>>,
        limits: AnswerLimits,
    ) -> Result<Response<Bytes>, OutboundError> {
        let answer = tokio::time::timeout(limits.first_byte, self.client.request(request)).await;
        let answer = answer.map_err(|_| OutboundError::TooSlow)?.map_err(|error| cause(&error))?;
        let packed = |value: &HeaderValue| !value.as_bytes().eq_ignore_ascii_case(b"identity");
        if answer.headers().get_all(header::CONTENT_ENCODING).iter().any(packed) {
            return Err(OutboundError::Packed);
        }
        let (parts, body) = answer.into_parts();
        let body = gathered(body, limits.body_bytes_max).await?;
        Ok(Response::from_parts(parts, body))
    }

    /// What can be said of an address before its name is resolved.
    fn must_be_open(&self, url: &Url) -> Result<(), OutboundError> {
        let loopback = match url.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(_)) => false,
            None => return Err(OutboundError::Url),
        };
        let own = self.loopback == Loopback::Allowed && loopback;
        let port = url.port_or_known_default().ok_or(OutboundError::Url)?;
        let is_of_the_web = port == HTTPS_PORT || port >= OPEN_PORT_MIN;
        let named = !url.username().is_empty() || url.password().is_some();
        match url.scheme() {
            "https" if is_of_the_web && !named => Ok(()),
            "http" if own && !named => Ok(()),
            _ => Err(OutboundError::Url),
        }
    }
}

/// The whole body, given up as soon as it is too long.
async fn gathered(mut body: Incoming, bytes_max: usize) -> Result<Bytes, OutboundError> {
    let too_long = || OutboundError::TooLong(bytes_max);
    if body.size_hint().lower() > u64::try_from(bytes_max).unwrap_or(u64::MAX) {
        return Err(too_long());
    }
    let mut held = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| OutboundError::Unreachable(error.to_string()))?;
        let Ok(data) = frame.into_data() else { continue }; // trailers say nothing here
        if held.len().saturating_add(data.len()) > bytes_max {
            return Err(too_long());
        }
        held.extend_from_slice(&data);
    }
    Ok(held.freeze())
}

/// What went wrong: the refusal of an address where it is one, else what lies deepest.
fn cause(error: &(dyn std::error::Error + 'static)) -> OutboundError {
    let mut deepest = error;
    loop {
        if deepest.is::<AddressRefused>() {
            return OutboundError::Address;
        }
        match deepest.source() {
            Some(source) => deepest = source,
            None => return OutboundError::Unreachable(deepest.to_string()),
        }
    }
}
