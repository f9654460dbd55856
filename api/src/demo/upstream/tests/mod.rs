//! The router, driven without a socket. One helper for each era says what its client would.

mod legacy;
mod modern;
mod refused;
mod slow;
mod tools;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use domain::value::{Clock, Timestamp};
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::{Server, routes};

struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        Timestamp::parse("2026-11-22T12:00:00Z").unwrap()
    }
}

/// A server, and a look behind its door.
pub(super) struct Demo {
    pub(super) server: Arc<Server>,
    router: Router,
}

/// A whole answer.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Answered {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {:?}", self.body))
    }

    pub(super) fn result(&self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.body);
        self.json()["result"].take()
    }

    /// Holds the answer to one status and one code, and to the id that the request had.
    pub(super) fn refused(&self, status: u16, code: i64, id: &Value) {
        let error = self.json();
        assert_eq!((self.status.as_u16(), error["error"]["code"].as_i64()), (status, Some(code)), "{error}");
        assert_eq!(&error["id"], id, "{error}");
    }

    /// The messages of a stream.
    pub(super) fn events(&self) -> Vec<Value> {
        assert_eq!(self.headers[header::CONTENT_TYPE], "text/event-stream");
        let data = self.body.lines().filter_map(|line| line.strip_prefix("data: "));
        data.map(|data| serde_json::from_str(data).unwrap()).collect()
    }
}

impl Demo {
    pub(super) fn new() -> Self {
        let server = Arc::new(Server::new(Arc::new(Noon)));
        Self { router: routes(Arc::clone(&server)), server }
    }

    /// The head of an answer; its body is left to flow.
    pub(super) async fn open(&self, method: &str, headers: &[(&str, &str)], body: String) -> Response {
        let mut request = Request::builder().method(method).uri("/mcp");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap()
    }

    pub(super) async fn send(&self, method: &str, headers: &[(&str, &str)], body: String) -> Answered {
        let (head, body) = self.open(method, headers, body).await.into_parts();
        let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Answered { status: head.status, headers: head.headers, body }
    }

    /// A POST with the media types that every client sends.
    pub(super) async fn post(&self, headers: &[(&str, &str)], body: &Value) -> Answered {
        self.send("POST", &[&MEDIA, headers].concat(), body.to_string()).await
    }

    /// A request of 2026-07-28, as its clients write it.
    pub(super) async fn modern(&self, method: &str, params: Value) -> Answered {
        let body = modern_body(method, params);
        let name = target(&body);
        self.post(&modern_headers(method, &name), &body).await
    }

    /// Opens a session and gives its id.
    pub(super) async fn handshake(&self) -> String {
        let hello = json!({
            "jsonrpc": "2.0", "id": 0, "method": "initialize",
            "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
        });
        let answered = self.post(&[], &hello).await;
        answered.headers["mcp-session-id"].to_str().unwrap().to_owned()
    }

    /// A request with id 1 in a session.
    pub(super) async fn legacy(&self, session: &str, method: &str, params: Value) -> Answered {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        self.post(&[("mcp-protocol-version", "2025-11-25"), ("mcp-session-id", session)], &body).await
    }
}

pub(super) const MEDIA: [(&str, &str); 2] =
    [("content-type", "application/json"), ("accept", "application/json, text/event-stream")];

/// The body of a request with id 1 that carries its metadata.
pub(super) fn modern_body(method: &str, mut params: Value) -> Value {
    let meta = params.as_object_mut().unwrap().entry("_meta").or_insert_with(|| json!({}));
    meta["io.modelcontextprotocol/protocolVersion"] = json!("2026-07-28");
    meta["io.modelcontextprotocol/clientCapabilities"] = json!({});
    json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
}

pub(super) fn target(body: &Value) -> String {
    let params = &body["params"];
    params["name"].as_str().or(params["uri"].as_str()).unwrap_or_default().to_owned()
}

pub(super) fn modern_headers<'a>(method: &'a str, name: &'a str) -> [(&'a str, &'a str); 3] {
    [("mcp-protocol-version", "2026-07-28"), ("mcp-method", method), ("mcp-name", name)]
}
