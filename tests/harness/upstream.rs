//! An upstream that does as it is told and remembers what it saw: for the bad days that real servers do not offer on demand.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use http_body_util::BodyExt as _;
use hyper::{HeaderMap, Method};
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
    /// A redirect to this address.
    Redirect(String),
    /// These pieces of an event stream, with this pause between them; then the end, or silence for ever.
    Events {
        /// The pieces, as they are sent.
        pieces: Vec<Bytes>,
        /// The pause before each but the first.
        pause: Duration,
        /// Whether the stream ends after them.
        ends: bool,
    },
    /// An event stream that is cut after these bytes: the connection breaks, without the end that HTTP wants.
    CutStream(Bytes),
    /// An event stream with one line that never ends (up to this many bytes).
    EndlessLine(usize),
    /// Nothing for this long, then an empty result.
    Silence(Duration),
    /// Nothing, not even a head, for this long, then like this.
    Late(Duration, Box<Scripted>),
    /// An empty result, except for calls of this tool: to those nothing for this long.
    SlowTool(&'static str, Duration),
    /// Tools by name and read-only hint for `tools/list`; for `tools/call`, the tool's own name back.
    Tools(Vec<(&'static str, bool)>),
    /// A server of the handshake era: `initialize` opens this session, and without it nothing else is answered.
    Session(&'static str),
    /// The same with tools.
    SessionWith(&'static str, Vec<(&'static str, bool)>),
    /// A server of 2026-07-28 with tools, which knows nothing of a handshake.
    Modern(Vec<(&'static str, bool)>),
    /// As this says of each request.
    By(fn(&Seen) -> Scripted),
}

/// A request that it saw.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The verb.
    pub method: Method,
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
    open: Arc<AtomicUsize>,
}

/// Counts an answer for as long as somebody is there to take it: dropped at its end, and when the connection is gone.
struct Open(Arc<AtomicUsize>);

impl Open {
    fn one_of(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(count))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl ScriptedUpstream {
    /// Starts one on a free port.
    pub async fn start(script: Scripted) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").await.expect("a free port"), script)
    }

    /// Starts one where this listens.
    pub fn on(listener: TcpListener, script: Scripted) -> Self {
        let address = listener.local_addr().expect("an address");
        let url = Url::parse(&format!("http://{address}/mcp")).expect("an address");
        let script = Arc::new(Mutex::new(script));
        let upstream = Self { url, seen: Arc::default(), script, open: Arc::default() };
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

    /// Forgets what it saw, and tells it.
    pub fn take_seen(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.seen.lock().expect("the list"))
    }

    /// Answers under way right now: streams that are open, and silences that somebody still waits for.
    pub fn open_streams(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }
}

impl Seen {
    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body as JSON.
    pub fn message(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }
}

async fn answer(State(upstream): State<ScriptedUpstream>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let message: Value = serde_json::from_slice(&body).unwrap_or_default();
    let seen = Seen { method: parts.method, headers: parts.headers, body };
    upstream.seen.lock().expect("the list").push(seen.clone());
    let script = upstream.script.lock().expect("the script").clone();
    let open = Open::one_of(&upstream.open);
    let script = match script {
        Scripted::By(choose) => choose(&seen),
        Scripted::Late(pause, then) => {
            tokio::time::sleep(pause).await;
            *then
        }
        other => other,
    };
    match script {
        Scripted::Result(result) => json_answer(reply(&message, &result)),
        Scripted::Raw { status, content_type, body } => raw(status, content_type, body),
        Scripted::Redirect(address) => {
            let redirect = Response::builder().status(307).header("location", address);
            redirect.body(Body::empty()).expect("an answer")
        }
        Scripted::Silence(pause) => {
            tokio::time::sleep(pause).await; // dropped here, and `open` with it, when the caller goes away
            json_answer(reply(&message, &json!({})))
        }
        Scripted::SlowTool(tool, pause) => {
            if message["params"]["name"] == tool {
                tokio::time::sleep(pause).await;
            }
            json_answer(reply(&message, &json!({})))
        }
        Scripted::Tools(tools) => json_answer(reply(&message, &tools_answer(&message, &tools))),
        Scripted::Late(..) => raw(500, "text/plain", "late once is enough"),
        Scripted::Session(session) => session_answer(&seen, &message, session, &[]),
        Scripted::SessionWith(session, tools) => session_answer(&seen, &message, session, &tools),
        Scripted::Modern(tools) => modern_answer(&message, &tools),
        Scripted::By(_) => raw(500, "text/plain", "choosing once is enough"),
        Scripted::Events { pieces, pause, ends } => events(pieces, pause, ends, open),
        Scripted::CutStream(piece) => {
            let broken = stream::once(async {
                tokio::time::sleep(Duration::from_millis(20)).await; // the piece goes out before the connection breaks
                Err(std::io::Error::other("cut"))
            });
            let pieces = stream::StreamExt::chain(stream::iter([Ok(piece)]), broken);
            raw(200, "text/event-stream", Body::from_stream(pieces))
        }
        Scripted::EndlessLine(bytes) => {
            let chunk = Bytes::from(vec![b'x'; 64 * 1024]);
            let pieces = (0..bytes / chunk.len()).map(move |number| {
                let _open = &open;
                Ok::<_, Infallible>(if number == 0 { Bytes::from_static(b"data: ") } else { chunk.clone() })
            });
            raw(200, "text/event-stream", Body::from_stream(stream::iter(pieces)))
        }
    }
}

fn events(pieces: Vec<Bytes>, pause: Duration, ends: bool, open: Open) -> Response {
    let pieces =
        stream::unfold((pieces.into_iter(), true, open), move |(mut pieces, first, open)| async move {
            if !first {
                tokio::time::sleep(pause).await;
            }
            match pieces.next() {
                Some(piece) => Some((Ok::<_, Infallible>(piece), (pieces, false, open))),
                None if ends => None,
                None => std::future::pending().await,
            }
        });
    raw(200, "text/event-stream", Body::from_stream(pieces))
}

fn modern_answer(message: &Value, tools: &[(&str, bool)]) -> Response {
    let mut result = match message["method"].as_str() {
        Some("server/discover") => {
            json!({ "supportedVersions": ["2026-07-28"], "capabilities": { "tools": {} } })
        }
        Some("tools/list" | "tools/call") => tools_answer(message, tools),
        _ => {
            let error = json!({ "code": -32_601, "message": "no such method" });
            return raw(
                404,
                "application/json",
                json!({ "jsonrpc": "2.0", "id": message["id"], "error": error }).to_string(),
            );
        }
    };
    result["resultType"] = json!("complete");
    if message["method"] != "tools/call" {
        result["ttlMs"] = json!(60_000);
        result["cacheScope"] = json!("public");
    }
    json_answer(reply(message, &result))
}

fn session_answer(seen: &Seen, message: &Value, session: &'static str, tools: &[(&str, bool)]) -> Response {
    let method = message["method"].as_str().unwrap_or_default();
    if method == "initialize" {
        let result = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": { "name": "scripted", "version": "1" } });
        let mut opened = json_answer(reply(message, &result));
        opened.headers_mut().insert("mcp-session-id", session.parse().expect("a session id"));
        return opened;
    }
    if seen.header("mcp-session-id") != Some(session) {
        return raw(404, "text/plain", "no such session");
    }
    match (&seen.method, message.get("id")) {
        (&Method::DELETE, _) => raw(204, "text/plain", Body::empty()),
        (_, None) => raw(202, "text/plain", Body::empty()),
        (_, Some(_)) => json_answer(reply(message, &tools_answer(message, tools))),
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

fn reply(message: &Value, result: &Value) -> String {
    json!({ "jsonrpc": "2.0", "id": message["id"], "result": result }).to_string()
}

fn json_answer(body: String) -> Response {
    raw(200, "application/json", body)
}

fn raw(status: u16, content_type: &str, body: impl Into<Body>) -> Response {
    Response::builder()
        .status(status)
        .header("content-type", content_type)
        .body(body.into())
        .expect("an answer")
}
