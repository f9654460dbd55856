//! The pooled client: one for the whole process, shared by all upstreams.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request};
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};
use tokio::time::{Instant, timeout};

use super::classify::classify;
use super::clock::Clock;
use super::{
    GuardedConnector, OpenNetworks, Patience, Reach, ReaderLimit, SystemNames, TimeLimit, TlsSetupError,
    UpstreamConfig, UpstreamError, UpstreamResponse, UpstreamUrl,
};
use crate::memory::ByteBudget;

/// Unused connections are let go before the other side does: Node and uvicorn close theirs after five seconds, and a
/// request that meets that close is lost without being retried.
const CONNECTION_IDLE_MAX: Duration = Duration::from_secs(4);

/// A listening stream has no timeout of its own; this finds the peers that vanished.
const TCP_KEEPALIVE: Duration = Duration::from_secs(30);

/// What one connection reads ahead: these bytes are in no budget, so they must be few.
const READ_AHEAD_BYTES_MAX: usize = 64 * 1024;

type Pool = Client<HttpsConnector<GuardedConnector>, Full<Bytes>>;

/// The client. Cheap to clone; clones share the pools: one for each reach, or a connection that was made without looking would be used by who
/// must not go there.
#[derive(Debug, Clone)]
pub struct Upstream {
    anywhere: Pool,
    guarded: Pool,
    config: Arc<UpstreamConfig>,
    memory: ByteBudget,
}

/// One request, complete: these headers and no others are sent, beside `Host` and `Content-Length`.
#[derive(Debug, Clone)]
pub struct UpstreamRequest {
    /// POST, GET or DELETE.
    pub method: Method,
    /// Where to.
    pub url: UpstreamUrl,
    /// From [`crate::forward_headers::request`], plus the upstream's own credential and session.
    pub headers: HeaderMap,
    /// The message, untouched.
    pub body: Bytes,
    /// How its answer is waited for.
    pub patience: Patience,
    /// Where it may go.
    pub reach: Reach,
}

impl Upstream {
    /// Sets up TLS with the certificates of the operating system, and an empty pool.
    pub fn try_new(config: UpstreamConfig) -> Result<Self, TlsSetupError> {
        let tls = outbound_tls()?;
        let anywhere = pool(&config, tls.clone(), None);
        let guarded = pool(&config, tls, Some(config.open_networks.clone()));
        let memory = ByteBudget::new(config.held_bytes_max);
        Ok(Self { anywhere, guarded, config: Arc::new(config), memory })
    }

    /// What all calls together may hold: answers are counted here, and whoever gathers requests counts them with the same.
    pub const fn memory(&self) -> &ByteBudget {
        &self.memory
    }

    /// How long a client may take to read what was not streamed.
    pub(crate) fn reader_limit(&self) -> ReaderLimit {
        ReaderLimit::Until(Instant::now() + self.config.timeouts.hard)
    }

    /// Sends a request and waits for the head of its answer. Dropping the future closes the connection.
    pub async fn send(&self, request: UpstreamRequest) -> Result<UpstreamResponse, UpstreamError> {
        self.send_within(request, &self.memory).await
    }

    /// The same, for an answer that counts with another budget, usually a part of ours.
    pub async fn send_within(
        &self,
        request: UpstreamRequest,
        memory: &ByteBudget,
    ) -> Result<UpstreamResponse, UpstreamError> {
        let UpstreamRequest { method, url, headers, body, patience, reach } = request;
        let mut outgoing = Request::new(Full::new(body));
        *outgoing.method_mut() = method.clone();
        *outgoing.uri_mut() = url.uri().clone();
        *outgoing.headers_mut() = headers;
        let timeouts = &self.config.timeouts;
        let clock = Clock::start(timeouts, patience, Instant::now());
        let pool = match reach {
            Reach::Anywhere => &self.anywhere,
            Reach::OpenNetworks => &self.guarded,
        };
        let answer = timeout(timeouts.first_byte, pool.request(outgoing));
        let answer = answer.await.map_err(|_| UpstreamError::Timeout(TimeLimit::FirstByte))??;
        let (parts, incoming) = answer.into_parts();
        classify(&method, parts, incoming, (clock, memory), &self.config)
    }
}

fn pool(config: &UpstreamConfig, tls: ClientConfig, open: Option<OpenNetworks>) -> Pool {
    let connector = GuardedConnector::new(Arc::new(SystemNames), open, config.timeouts.connect);
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_http1()
        .wrap_connector(connector.keeping_alive(TCP_KEEPALIVE));
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(CONNECTION_IDLE_MAX)
        .pool_max_idle_per_host(config.idle_connections_per_host_max)
        .http1_max_buf_size(READ_AHEAD_BYTES_MAX)
        .build(connector)
}

/// TLS towards others, with the certificates of the operating system. A machine without any can still reach http upstreams: it starts, and https
/// fails with a clear cause.
pub fn outbound_tls() -> Result<ClientConfig, TlsSetupError> {
    use hyper_rustls::ConfigBuilderExt;
    let builder = || {
        ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
    };
    let config = match builder()?.with_native_roots() {
        Ok(config) => config.with_no_client_auth(),
        Err(error) => {
            tracing::warn!(%error, "no certificates on this machine: https upstreams cannot be verified");
            builder()?.with_root_certificates(RootCertStore::empty()).with_no_client_auth()
        }
    };
    Ok(config)
}
