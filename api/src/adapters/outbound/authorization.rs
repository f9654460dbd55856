//! Requests to authorization servers of upstreams: to addresses that servers name, and to servers, without any credential of ours.
//!
//! They are reached as upstreams are: by the address that is connected to, in the networks that servers of organizations may be in. Nothing is kept
//! open, no redirect is followed, nothing unpacked.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use mcp::upstream::{GuardedConnector, OpenNetworks, Reach, SystemNames, TlsSetupError, outbound_tls};

use super::{CONNECT_WITHIN, HEADERS_BYTES_MAX, OutboundError, cause, gathered};
use crate::upstream_oauth::{CallAuthorization, NoAnswer};

/// Until an answer is there whole.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Metadata and tokens are far shorter.
const ANSWER_BYTES_MAX: usize = 256 * 1024;

type Calls = Client<HttpsConnector<GuardedConnector>, Full<Bytes>>;

/// The client: one for each reach.
#[derive(Debug, Clone)]
pub(crate) struct AuthorizationCalls {
    anywhere: Calls,
    guarded: Calls,
}

impl AuthorizationCalls {
    /// With the certificates of the operating system, to these networks.
    pub(crate) fn try_new(open: OpenNetworks) -> Result<Self, TlsSetupError> {
        Ok(Self { anywhere: calls(None)?, guarded: calls(Some(open))? })
    }

    async fn answered(
        &self,
        request: Request<Bytes>,
        reach: Reach,
    ) -> Result<Response<Bytes>, OutboundError> {
        let calls = match reach {
            Reach::Anywhere => &self.anywhere,
            Reach::OpenNetworks => &self.guarded,
        };
        let answer = calls.request(request.map(Full::new)).await.map_err(|error| cause(&error))?;
        let packed = |value: &HeaderValue| !value.as_bytes().eq_ignore_ascii_case(b"identity");
        if answer.headers().get_all(header::CONTENT_ENCODING).iter().any(packed) {
            return Err(OutboundError::Packed);
        }
        let (parts, body) = answer.into_parts();
        Ok(Response::from_parts(parts, gathered(body, ANSWER_BYTES_MAX).await?))
    }
}

impl CallAuthorization for AuthorizationCalls {
    fn call(
        &self,
        request: Request<Bytes>,
        reach: Reach,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<Response<Bytes>, NoAnswer>> + Send + '_>> {
        Box::pin(async move {
            match tokio::time::timeout(ANSWER_WITHIN, self.answered(request, reach)).await {
                Ok(answer) => answer.map_err(|error| NoAnswer(error.to_string())),
                Err(_) => Err(NoAnswer(OutboundError::TooSlow.to_string())),
            }
        })
    }
}

fn calls(open: Option<OpenNetworks>) -> Result<Calls, TlsSetupError> {
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(outbound_tls()?)
        .https_or_http() // which addresses may be http is for the caller to say
        .enable_http1()
        .wrap_connector(GuardedConnector::new(Arc::new(SystemNames), open, CONNECT_WITHIN));
    Ok(Client::builder(TokioExecutor::new())
        .pool_max_idle_per_host(0) // each request looks at its own address
        .http1_max_buf_size(HEADERS_BYTES_MAX)
        .build(connector))
}
