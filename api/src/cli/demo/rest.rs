//! A client of the own management API: the demonstration sets itself up through the front door.

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// How a request says who it is.
#[derive(Debug, Clone)]
pub(super) enum Credential {
    /// The bootstrap token.
    Bootstrap(String),
    /// An API key.
    Key(String),
}

/// Talks to one Sekisho.
#[derive(Debug, Clone)]
pub(super) struct Rest {
    client: Client<HttpConnector, Full<Bytes>>,
    base: String,
}

impl Rest {
    pub(super) fn new(base: &str) -> Self {
        Self { client: Client::builder(TokioExecutor::new()).build_http(), base: base.to_owned() }
    }

    /// Sends a command; with a key of its own it is carried out once, however often the demonstration is started.
    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        credential: &Credential,
        once: Option<&str>,
        body: &Value,
    ) -> Result<Value, String> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        request = request.header(header::CONTENT_TYPE, "application/json");
        request = match credential {
            Credential::Bootstrap(token) => request.header(header::AUTHORIZATION, format!("Bearer {token}")),
            Credential::Key(key) => request.header("x-api-key", key),
        };
        if let Some(once) = once {
            request = request.header("idempotency-key", once);
        }
        let request = request.body(Full::from(body.to_string())).map_err(|error| error.to_string())?;
        let (status, body) = self.exchange(request).await?;
        if status.is_success() {
            serde_json::from_slice(&body).map_err(|error| error.to_string())
        } else {
            Err(format!("{path} answered {status}: {}", String::from_utf8_lossy(&body)))
        }
    }

    /// Sends any request, whole answer back.
    pub(super) async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<(StatusCode, Bytes), String> {
        let response = self.client.request(request).await.map_err(|error| error.to_string())?;
        let status = response.status();
        let body = response.into_body().collect().await.map_err(|error| error.to_string())?;
        Ok((status, body.to_bytes()))
    }
}
