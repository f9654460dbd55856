//! From the head of an answer to what it is: MCP, a refusal that the client should see, or a failure.
//!
//! | status | body | taken as |
//! |---|---|---|
//! | 401, 407 | any | our credential is refused, unless whoever asks is to see that: then as any other 4xx |
//! | 1xx, 3xx | any | bad answer, never followed |
//! | 202, 204 | any | empty |
//! | 2xx | JSON, events, none | itself |
//! | 4xx | JSON | itself |
//! | 4xx | other | the status alone: go-sdk refuses in plain text. But a web page for a POST means a wrong address |
//! | 5xx | JSON | itself |
//! | rest | | bad answer |

use http::response::Parts;
use http::{HeaderMap, Method, StatusCode, header};
use http_body::Body;
use hyper::body::Incoming;

use super::answer::{AnswerStream, UpstreamBody, UpstreamResponse};
use super::clock::Clock;
use super::{BadAnswer, Unauthorized, UpstreamConfig, UpstreamError};
use crate::headers::{is_event_stream, is_json};
use crate::memory::ByteBudget;

pub(super) fn classify(
    method: &Method,
    parts: Parts,
    incoming: Incoming,
    (clock, memory): (Clock, &ByteBudget),
    config: &UpstreamConfig,
) -> Result<UpstreamResponse, UpstreamError> {
    let refused =
        matches!(parts.status, StatusCode::UNAUTHORIZED | StatusCode::PROXY_AUTHENTICATION_REQUIRED);
    if refused && config.unauthorized == Unauthorized::IsAnError {
        return Err(UpstreamError::Unauthorized);
    }
    let form = form(method, &parts, incoming.is_end_stream())?;
    let body = match form {
        Form::Empty => UpstreamBody::Empty,
        Form::Json => {
            let limit_bytes = config.json_answer_bytes_max;
            if incoming.size_hint().lower() > limit_bytes as u64 {
                return Err(UpstreamError::AnswerTooLarge { limit_bytes });
            }
            UpstreamBody::Json(AnswerStream::new(incoming, clock, Some(limit_bytes), memory.clone()))
        }
        Form::Sse => UpstreamBody::Sse {
            stream: AnswerStream::new(incoming, clock, None, memory.clone()),
            event_bytes_max: config.sse_event_bytes_max,
        },
    };
    Ok(UpstreamResponse { status: parts.status, headers: parts.headers, body })
}

enum Form {
    Empty,
    Json,
    Sse,
}

fn form(method: &Method, parts: &Parts, no_body: bool) -> Result<Form, UpstreamError> {
    let bad = |what| Err(UpstreamError::BadAnswer(what));
    let status = parts.status;
    if status.is_redirection() || status.is_informational() {
        return bad(BadAnswer::Redirect);
    }
    let silent = matches!(status, StatusCode::ACCEPTED | StatusCode::NO_CONTENT);
    if silent || (no_body && !status.is_server_error()) {
        return Ok(Form::Empty);
    }
    // Node servers end a DELETE with 200, chunked, of no type and no bytes. Nobody waits for a body there, so none is read.
    if status.is_success() && (method == Method::DELETE || !parts.headers.contains_key(header::CONTENT_TYPE))
    {
        return Ok(Form::Empty);
    }
    if is_encoded(&parts.headers) {
        return bad(BadAnswer::ContentEncoding);
    }
    if is_json(&parts.headers) {
        return Ok(Form::Json);
    }
    if status.is_success() {
        return if is_event_stream(&parts.headers) { Ok(Form::Sse) } else { bad(BadAnswer::ContentType) };
    }
    if !status.is_client_error() {
        return bad(BadAnswer::ServerError);
    }
    if method == Method::POST && is_page(&parts.headers) {
        return bad(BadAnswer::ContentType);
    }
    Ok(Form::Empty)
}

fn is_encoded(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_ENCODING)
        .is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

fn is_page(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).map(http::HeaderValue::as_bytes).unwrap_or_default();
    value.get(..9).is_some_and(|start| start.eq_ignore_ascii_case(b"text/html"))
}
