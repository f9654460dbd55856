//! What a management request carries besides its path: the actor, the command with its idempotency key, the page, the position to wait for.

use std::borrow::Cow;
use std::time::Duration;

use aws_lc_rs::{digest, hmac};
use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use commands::{Actor, CommandId, Order};
use domain::value::Position;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body_util::BodyExt as _;
use projections::directory::{Cursor, PAGE_ROWS_MAX};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::hex::hex;
use crate::problem::Problem;
use crate::trace_context::TraceContext;

/// Largest body of a management request.
const COMMAND_BYTES_MAX: usize = 256 * 1024;
/// Read of a body that is too large, before its connection is given up.
const FORGOTTEN_BYTES_MAX: usize = 16 * 1024 * 1024;
const REASON_CHARS_MAX: usize = 400;
/// How long a body may take to arrive.
const COMMAND_WAIT: Duration = Duration::from_secs(30);
const IDEMPOTENCY_KEY_CHARS_MAX: usize = 255;
const PAGE_ROWS_DEFAULT: u32 = 50;

/// A parsed body with everything that makes carrying it out repeatable.
#[derive(Debug)]
pub(crate) struct Command<T> {
    /// The body.
    pub(crate) body: T,
    /// Under which id it is carried out.
    pub(crate) order: Order,
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Command<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let bytes = read(&parts, body).await?;
        let order = order(&parts, &bytes)?;
        // No body at all is the empty object: commands without members need none.
        let text = if bytes.is_empty() { b"{}".as_slice() } else { &bytes };
        // Arrays would be read as objects whose members have no names.
        if !text.trim_ascii_start().starts_with(b"{") {
            return Err(Problem::bad_request("wrong-shape", "the body of a command is one JSON object"));
        }
        let body = serde_json::from_slice(text).map_err(|error| {
            let code = if error.is_data() { "wrong-shape" } else { "malformed-json" };
            Problem::bad_request(
                code,
                format!("the body is not what this command takes: {}", brief(&error.to_string())),
            )
        })?;
        Ok(Self { body, order })
    }
}

/// What is wrong, without the whole of a long text that it repeats.
fn brief(reason: &str) -> Cow<'_, str> {
    match reason.char_indices().nth(REASON_CHARS_MAX) {
        None => Cow::Borrowed(reason),
        Some((end, _)) => Cow::Owned(format!("{}…", reason.get(..end).unwrap_or_default())),
    }
}

async fn read(parts: &Parts, body: Body) -> Result<Vec<u8>, Problem> {
    let read = tokio::time::timeout(COMMAND_WAIT, whole(body, COMMAND_BYTES_MAX)).await;
    let too_slow = || {
        let detail = format!("a body arrives within {} seconds", COMMAND_WAIT.as_secs());
        Problem::new(StatusCode::REQUEST_TIMEOUT, "body-too-slow", detail)
    };
    let bytes = read.map_err(|_| too_slow())?.ok_or_else(|| {
        let detail = format!("a body has at most {COMMAND_BYTES_MAX} bytes and arrives whole");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "request-too-large", detail)
    })?;
    if !bytes.is_empty() && !mcp::headers::is_json(&parts.headers) {
        let detail = "send the body as Content-Type: application/json";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-json", detail));
    }
    Ok(bytes)
}

/// The body, or nothing when it is too large or broken off. The rest of one that is too large is read, within reason, and forgotten:
/// a client that is still sending when its connection is closed sees a broken pipe instead of the answer.
pub(crate) async fn whole(mut body: Body, bytes_max: usize) -> Option<Vec<u8>> {
    let (mut bytes, mut forgotten) = (Vec::new(), 0);
    while let Some(frame) = body.frame().await {
        let piece = frame.ok()?.into_data().unwrap_or_default();
        if forgotten > 0 || bytes.len() + piece.len() > bytes_max {
            forgotten += piece.len();
        } else {
            bytes.extend_from_slice(&piece);
        }
        if forgotten > FORGOTTEN_BYTES_MAX {
            return None;
        }
    }
    (forgotten == 0).then_some(bytes)
}

fn order(parts: &Parts, bytes: &[u8]) -> Result<Order, Problem> {
    let command = match one(&parts.headers, "idempotency-key")? {
        None => None,
        Some(key) if key.is_empty() || key.chars().count() > IDEMPOTENCY_KEY_CHARS_MAX => {
            let detail = format!("an Idempotency-Key has 1 to {IDEMPOTENCY_KEY_CHARS_MAX} characters");
            return Err(Problem::bad_request("bad-idempotency-key", detail));
        }
        // Scoped to who asks, and digested: keys of two callers never meet, and none reaches the log.
        Some(key) => {
            let scope =
                parts.extensions.get::<Actor>().map(|actor| actor.credential.name()).unwrap_or_default();
            Some(CommandId::new(sha256(&[scope.as_bytes(), b"\0", key.as_bytes()])))
        }
    };
    let request_digest = request_digest(parts, bytes);
    let correlation = TraceContext::current(&parts.headers).trace_id().to_owned();
    Ok(Order { command, request_digest, correlation, causation: None })
}

/// Tells a retry from another request. Keyed with the credential itself, which is unguessable and kept nowhere: the log remembers this
/// digest, and nobody who reads it there can try out what a body may have held, such as a password for an upstream.
fn request_digest(parts: &Parts, bytes: &[u8]) -> String {
    let credential =
        ["x-api-key", header::AUTHORIZATION.as_str()].into_iter().find_map(|name| parts.headers.get(name));
    let key = hmac::Key::new(hmac::HMAC_SHA256, credential.map(HeaderValue::as_bytes).unwrap_or_default());
    let mut context = hmac::Context::with_key(&key);
    let path = parts.uri.path().as_bytes();
    for part in [parts.method.as_str().as_bytes(), b" ", path, b"\0", bytes] {
        context.update(part);
    }
    hex(context.sign().as_ref())
}

/// The one line of a header; two are refused.
fn one<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>, Problem> {
    let mut lines = headers.get_all(name).iter();
    match (lines.next(), lines.next()) {
        (None, _) => Ok(None),
        (Some(line), None) => line.to_str().map(Some).map_err(|_| {
            Problem::bad_request("bad-header", format!("the header {name} is not visible ASCII"))
        }),
        (Some(_), Some(_)) => Err(Problem::bad_request(
            "duplicate-header",
            format!("the header {name} is there more than once"),
        )),
    }
}

fn sha256(parts: &[&[u8]]) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
    }
    hex(context.finish().as_ref())
}

/// Ids out of the path. A text that is no id names nothing: 404, like an id that names nothing.
#[derive(Debug)]
pub(crate) struct Path<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        read.map(|axum::extract::Path(ids)| Self(ids))
            .map_err(|_| Problem::not_found("thing at this address"))
    }
}

/// A page of a listing, from `?cursor=` and `?limit=`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paging {
    /// Where it starts.
    pub(crate) after: Cursor,
    /// How many rows.
    pub(crate) rows: u32,
}

#[derive(Deserialize)]
struct PagingQuery {
    cursor: Option<String>,
    limit: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Paging {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Query(query) = Query::<PagingQuery>::try_from_uri(&parts.uri)
            .map_err(|error| Problem::bad_request("bad-query", error.body_text()))?;
        let after = match query.cursor {
            None => Cursor::default(),
            Some(text) => {
                Cursor::parse(&text).map_err(|error| Problem::bad_request("bad-cursor", error.to_string()))?
            }
        };
        let rows = query.limit.map_or(Some(PAGE_ROWS_DEFAULT), |text| text.parse().ok());
        match rows.filter(|rows| (1..=PAGE_ROWS_MAX).contains(rows)) {
            Some(rows) => Ok(Self { after, rows }),
            None => Err(Problem::bad_request("bad-limit", format!("limit is 1 to {PAGE_ROWS_MAX}"))),
        }
    }
}

#[derive(Deserialize)]
struct AtLeastQuery {
    at_least: Option<u64>,
}

/// The position that a read waits for, from `?at_least=`.
pub(crate) fn at_least(uri: &http::Uri) -> Result<Option<Position>, Problem> {
    let Query(query) = Query::<AtLeastQuery>::try_from_uri(uri)
        .map_err(|_| Problem::bad_request("bad-position", "at_least is a position such as 42"))?;
    Ok(query.at_least.map(Position::new))
}

/// The credential in `x-api-key`: exactly one, and nothing beside it.
pub(crate) fn api_key(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let key = one(headers, "x-api-key")?;
    if key.is_some() && headers.contains_key(header::AUTHORIZATION) {
        return Err(Problem::bad_request(
            "two-credentials",
            "send exactly one credential: one x-api-key and no Authorization",
        ));
    }
    Ok(key)
}

/// How long a read waits for its position.
pub(crate) const POSITION_WAIT: Duration = Duration::from_secs(2);
/// How long the answer to a write waits until this node shows it. Longer: what is written cannot be refused any more.
pub(crate) const SHOWN_WAIT: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests;
