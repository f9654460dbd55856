//! What a member answered, as its client's era has it.
//!
//! | from \ to | modern | legacy |
//! |---|---|---|
//! | modern | as it is | without `resultType`; a server that asks back gets no answer, and the client an error |
//! | legacy | with `resultType`; errors that only the older revisions know become an internal error | as it is |
//!
//! The id is the client's own, whatever the request had on its way.

use bytes::Bytes;

use super::list::reply;
use crate::envelope::RequestId;
use crate::error::{RpcError, code};
use crate::json;
use crate::revision::Era;

/// Codes that are not used since 2026-07-28: resource not found, and the elicitation by address that is required.
const LEGACY_ONLY: [i64; 2] = [-32_002, -32_042];
/// Codes that came with 2026-07-28.
const MODERN_ONLY: std::ops::RangeInclusive<i64> = -32_099..=-32_020;

/// What an answer says, as it stands in it.
#[derive(Debug, Clone, Copy)]
pub enum AnswerText<'a> {
    /// The JSON text of the result.
    Result(&'a str),
    /// The JSON text of the error.
    Error(&'a str),
}

impl<'a> AnswerText<'a> {
    /// Reads it. `None` for what is no answer.
    pub fn of(message: &'a [u8]) -> Option<Self> {
        let text = std::str::from_utf8(message).ok()?;
        match (json::member(text, "result"), json::member(text, "error")) {
            (Some(result), None) => Some(Self::Result(result.get())),
            (None, Some(error)) => Some(Self::Error(error.get())),
            (Some(_), Some(_)) | (None, None) => None,
        }
    }

    /// The code of an error.
    pub fn code(self) -> Option<i64> {
        match self {
            Self::Result(_) => None,
            Self::Error(error) => {
                json::member(error, "code").and_then(|code| serde_json::from_str(code.get()).ok())
            }
        }
    }
}

/// The answer to a client's request, out of that of a member.
pub fn answer_for(id: &RequestId, message: &[u8], from: Era, to: Era) -> Option<Bytes> {
    let answer = AnswerText::of(message)?;
    Some(match (answer, from, to) {
        (AnswerText::Result(result), Era::Legacy, Era::Modern) => reply(id, &completed(result)),
        (AnswerText::Result(result), Era::Modern, Era::Legacy) => match json::member(result, "resultType") {
            Some(kind) if kind.get() != "\"complete\"" => asks_back().body(Some(id)),
            Some(_) | None => reply(id, result),
        },
        (AnswerText::Result(result), ..) => reply(id, result),
        (AnswerText::Error(error), ..) => {
            let unknown = answer.code().is_some_and(|code| is_unknown(code, from, to));
            if unknown { refused(error).body(Some(id)) } else { error_reply(id, error) }
        }
    })
}

fn is_unknown(code: i64, from: Era, to: Era) -> bool {
    match (from, to) {
        (Era::Legacy, Era::Modern) => LEGACY_ONLY.contains(&code),
        (Era::Modern, Era::Legacy) => MODERN_ONLY.contains(&code),
        (Era::Modern, Era::Modern) | (Era::Legacy, Era::Legacy) => false,
    }
}

/// A result of an older revision says that it is the end of its request.
fn completed(result: &str) -> String {
    let says = json::member(result, "resultType").is_some();
    match result.strip_prefix('{') {
        Some(rest) if !says => {
            let comma = if rest.trim_start() == "}" { "" } else { "," };
            format!("{{\"resultType\":\"complete\"{comma}{rest}")
        }
        Some(_) | None => result.to_owned(),
    }
}

fn asks_back() -> RpcError {
    let message = "the server asks something back, which cannot be asked of this client here";
    RpcError::new(code::INTERNAL_ERROR, "upstream-asks-back", message)
}

/// The error in words of every revision; its message is the server's.
fn refused(error: &str) -> RpcError {
    let message = json::member(error, "message").and_then(json::text).map(std::borrow::Cow::into_owned);
    let message = message.unwrap_or_else(|| "the server refused the request".to_owned());
    RpcError::new(code::INTERNAL_ERROR, "upstream-refused", message)
}

fn error_reply(id: &RequestId, error: &str) -> Bytes {
    Bytes::from(format!(r#"{{"jsonrpc":"2.0","id":{},"error":{error}}}"#, id.as_json()))
}
