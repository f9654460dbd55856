//! Requests to identity providers over hyper: bounded in size and time, never redirected, no proxy from the environment.

use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use mcp::upstream::{TlsSetupError, outbound_tls};
use openidconnect::{HttpRequest, HttpResponse};

use crate::providers::{CallProvider, NoAnswer};

/// What a provider publishes, and what it answers to a code, is far shorter.
const ANSWER_BYTES_MAX: usize = 256 * 1024;
/// Unused connections are let go before the other side does.
const CONNECTION_IDLE_MAX: Duration = Duration::from_secs(4);
const CONNECTIONS_IDLE_MAX: usize = 4;

/// The pooled client.
#[derive(Debug, Clone)]
pub(crate) struct ProviderCalls(Client<HttpsConnector<HttpConnector>, Full<Bytes>>);

impl ProviderCalls {
    /// With the certificates of the operating system.
    pub(crate) fn try_new() -> Result<Self, TlsSetupError> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false); // https addresses come through here too
        tcp.set_nodelay(true);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(outbound_tls()?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(CONNECTION_IDLE_MAX)
            .pool_max_idle_per_host(CONNECTIONS_IDLE_MAX)
            .build(connector);
        Ok(Self(client))
    }

    async fn gathered(&self, request: HttpRequest) -> Result<HttpResponse, String> {
        let request = request.map(|body| Full::new(Bytes::from(body)));
        let answer = self.0.request(request).await.map_err(|error| causes(&error))?;
        let (parts, body) = answer.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await.map_err(|error| error.to_string())?;
        Ok(Response::from_parts(parts, body.to_bytes().to_vec()))
    }
}

impl CallProvider for ProviderCalls {
    fn call(
        &self,
        request: HttpRequest,
        within: Duration,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<HttpResponse, NoAnswer>> + Send + '_>> {
        Box::pin(async move {
            match tokio::time::timeout(within, self.gathered(request)).await {
                Ok(answer) => answer.map_err(NoAnswer),
                Err(_) => Err(NoAnswer("it took too long".to_owned())),
            }
        })
    }
}

/// What went wrong, with what was behind it: hyper's own text tells neither.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
