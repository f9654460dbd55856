//! An upstream that does as it is told and remembers what it saw: for the bad days that real servers do not offer on demand.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use http_body_util::BodyExt as _;
use hyper::HeaderMap;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::Url;

/// How it answers.
#[derive(Debug, Clone)]
pub enum Scripted {
    /// This result, as JSON, under the request's id.
    Result(Value),
    /// These bytes, with this content type and status.
    Raw {
        /// Status code.
        status: u16,
        /// Content type.
        content_type: &'static str,
        /// The body.
        body: Bytes,
    },
    /// These pieces of an event stream, with this pause between them; then the end, or silence for ever.
    Events {
        /// The pieces, as they are sent.
        pieces: Vec<Bytes>,
        /// The pause before each but the first.
        pause: Duration,
        /// Whether the stream ends after them.
        ends: bool,
    },
    /// An event stream that is cut within an answer: the connection breaks.
    CutStream(Bytes),
    /// An event stream with one line that never ends (up to this many bytes).
    EndlessLine(usize),
    /// Nothing for this long, then an empty result.
    Silence(Duration),
    /// Tools by name and read-only hint for `tools/list`; for `tools/call`, the tool's own name back.
    Tools(Vec<(&'static str, bool)>),
}

/// A request that it saw.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// The upstream.
#[derive(Debug, Clone)]
pub struct ScriptedUpstream {
    /// Where it is.
    pub url: Url,
    seen: Arc<Mutex<Vec<Seen>>>,
    script: Arc<Mutex<Scripted>>,
    open: Arc<()>,
}

impl ScriptedUpstream {
    /// Starts one on a free port.
    pub async fn start(script: Scripted) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let url = Url::parse(&format!("http://{address}/mcp")).expect("an address");
        let upstream =
            Self { url, seen: Arc::default(), script: Arc::new(Mutex::new(script)), open: Arc::new(()) };
        let router = axum::Router::new().fallback(answer).with_state(upstream.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        upstream
    }

    /// From now on it answers like this.
    pub fn now(&self, script: Scripted) {
        *self.script.lock().expect("the script") = script;
    }

    /// What it saw so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("the list").clone()
    }

    /// Streams that are open right now.
    pub fn open_streams(&self) -> usize {
        // The router's copy, the test's copies, and one in each open stream: only streams hold the marker twice.
        Arc::strong_count(&self.open) - Arc::strong_count(&self.seen)
    }
}

async fn answer(State(upstream): State<ScriptedUpstream>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let message: Value = serde_json::from_slice(&body).unwrap_or_default();
    upstream.seen.lock().expect("the list").push(Seen { headers: parts.headers, body });
    let script = upstream.script.lock().expect("the script").clone();
    let id = message["id"].clone();
    let reply = |result: Value| json!({ "jsonrpc": "2.0", "id": id, "result": result }).to_string();
    match script {
        Scripted::Result(result) => raw(200, "application/json", reply(result)),
        Scripted::Raw { status, content_type, body } => raw(status, content_type, body),
        Scripted::Silence(pause) => {
            tokio::time::sleep(pause).await;
            raw(200, "application/json", reply(json!({})))
        }
        Scripted::Tools(tools) => raw(200, "application/json", reply(tools_answer(&message, &tools))),
        Scripted::Events { pieces, pause, ends } => {
            let marker = Arc::clone(&upstream.open);
            let pieces = stream::unfold((pieces.into_iter(), true, marker), move |(mut pieces, first, marker)| async move {
                if !first {
                    tokio::time::sleep(pause).await;
                }
                match pieces.next() {
                    Some(piece) => Some((Ok::<_, Infallible>(piece), (pieces, false, marker))),
                    None if ends => None,
                    None => std::future::pending().await,
                }
            });
            raw(200, "text/event-stream", Body::from_stream(pieces))
        }
        Scripted::CutStream(piece) => {
            let cut = std::io::Error::other("cut");
            let pieces = stream::iter([Ok(piece), Err(cut)]);
            raw(200, "text/event-stream", Body::from_stream(pieces))
        }
        Scripted::EndlessLine(bytes) => {
            let chunk = Bytes::from(vec![b'x'; 64 * 1024]);
            let pieces = (0..bytes / chunk.len()).map(move |number| {
                Ok::<_, Infallible>(if number == 0 { Bytes::from_static(b"data: ") } else { chunk.clone() })
            });
            raw(200, "text/event-stream", Body::from_stream(stream::iter(pieces)))
        }
    }
}

fn tools_answer(message: &Value, tools: &[(&str, bool)]) -> Value {
    if message["method"] == "tools/list" {
        let tools: Vec<Value> = tools
            .iter()
            .map(|(name, read_only)| json!({ "name": name, "inputSchema": { "type": "object" }, "annotations": { "readOnlyHint": read_only } }))
            .collect();
        json!({ "tools": tools })
    } else {
        json!({ "content": [{ "type": "text", "text": message["params"]["name"] }] })
    }
}

fn raw(status: u16, content_type: &str, body: impl Into<Body>) -> Response {
    Response::builder().status(status).header("content-type", content_type).body(body.into()).expect("an answer")
}
