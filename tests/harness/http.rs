//! A plain HTTP client that shows everything: status, headers, bytes, and streams as they come.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// A client.
#[derive(Debug, Clone)]
pub struct Http {
    client: Client<HttpConnector, Full<Bytes>>,
    base: String,
    headers: Vec<(String, String)>,
}

/// A whole answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its bytes.
    pub bytes: Bytes,
}

impl Http {
    /// A client of this address.
    pub fn new(base: &str) -> Self {
        Self {
            client: Client::builder(TokioExecutor::new()).build_http(),
            base: base.to_owned(),
            headers: Vec::new(),
        }
    }

    /// The same client with one more header on every request.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same client with this API key.
    #[must_use]
    pub fn as_key(self, key: &str) -> Self {
        self.with("x-api-key", key)
    }

    /// The same client at another address.
    #[must_use]
    pub fn at(mut self, base: &str) -> Self {
        base.clone_into(&mut self.base);
        self
    }

    /// Sends bytes; the answer is not read yet.
    pub async fn open(&self, method: Method, path: &str, body: impl Into<Bytes>) -> Response<Incoming> {
        let request = self.request(method, path, body);
        self.client.request(request).await.expect("the server answers")
    }

    /// Sends bytes and reads the answer.
    pub async fn send(&self, method: Method, path: &str, body: impl Into<Bytes>) -> Answer {
        let response = self.open(method, path, body).await;
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("the answer is whole").to_bytes();
        Answer { status: parts.status, headers: parts.headers, bytes }
    }

    /// Sends JSON to a server that may go away at any moment: what goes wrong on the way is told, and after the given time nothing is waited
    /// for any more.
    pub async fn attempt(
        &self,
        method: Method,
        path: &str,
        body: &Value,
        patience: Duration,
    ) -> Result<Answer, String> {
        let client = self.clone().with("content-type", "application/json");
        let request = client.request(method, path, body.to_string());
        let exchange = async {
            let (parts, body) =
                self.client.request(request).await.map_err(|error| error.to_string())?.into_parts();
            let bytes = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
            Ok(Answer { status: parts.status, headers: parts.headers, bytes })
        };
        tokio::time::timeout(patience, exchange).await.unwrap_or_else(|_| Err("no answer in time".to_owned()))
    }

    /// Asks a server that may go away at any moment; the answer is not read yet.
    pub async fn try_open(&self, path: &str, patience: Duration) -> Result<Response<Incoming>, String> {
        let exchange = self.client.request(self.request(Method::GET, path, Bytes::new()));
        let answer =
            tokio::time::timeout(patience, exchange).await.map_err(|_| "no answer in time".to_owned())?;
        answer.map_err(|error| error.to_string())
    }

    fn request(&self, method: Method, path: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request.body(Full::new(body.into())).expect("a well-formed request")
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, Bytes::new()).await
    }

    /// Sends JSON.
    pub async fn json(&self, method: Method, path: &str, body: &Value) -> Answer {
        self.clone().with("content-type", "application/json").send(method, path, body.to_string()).await
    }

    /// POSTs JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.json(Method::POST, path, body).await
    }
}

impl Answer {
    /// The body as JSON.
    #[track_caller]
    pub fn body(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|error| {
            panic!("{error}: {} {}", self.status, String::from_utf8_lossy(&self.bytes))
        })
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The answer was a success: its body.
    #[track_caller]
    pub fn good(&self) -> Value {
        assert!(self.status.is_success(), "{} {}", self.status, String::from_utf8_lossy(&self.bytes));
        self.body()
    }

    /// The answer was a problem with this status and code.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) {
        let body = String::from_utf8_lossy(&self.bytes).into_owned();
        assert_eq!(self.status.as_u16(), status, "{body}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{body}");
        assert_eq!(self.body()["type"], format!("urn:sekisho:problem:{code}"), "{body}");
        assert_eq!(self.body()["status"], status, "{body}");
    }

    /// The answer was a refused MCP call with this status, reason and request id.
    #[track_caller]
    pub fn refused_call(&self, status: u16, reason: &str, id: &Value) {
        let text = String::from_utf8_lossy(&self.bytes).into_owned();
        assert_eq!(self.status.as_u16(), status, "{text}");
        let body = self.body();
        assert_eq!(body["jsonrpc"], "2.0", "{text}");
        assert_eq!(body["error"]["data"]["reason"], reason, "{text}");
        assert_eq!(body.get("id").unwrap_or(&Value::Null), id, "{text}");
        let challenged = self.headers.contains_key("www-authenticate");
        assert!(status != 401 || challenged, "a 401 without a challenge: {text}");
    }
}
