//! JSON-RPC error answers: the numeric codes of the protocol, and a body with a stable `data.reason`.
//!
//! The code says what kind of failure it is in the protocol's terms, `data.reason` is the word that programs and
//! runbooks may rely on, `message` is for people and may change. Nothing of the caller's input is echoed.

use std::borrow::Cow;

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::envelope::RequestId;

/// Codes of JSON-RPC 2.0 (section 5.1), of MCP, and our own, which stay outside the reserved -32768..=-32000.
pub mod code {
    /// The body is not JSON.
    pub const PARSE_ERROR: i64 = -32_700;
    /// JSON, but not a JSON-RPC message.
    pub const INVALID_REQUEST: i64 = -32_600;
    /// No such method.
    pub const METHOD_NOT_FOUND: i64 = -32_601;
    /// Known method, unusable parameters.
    pub const INVALID_PARAMS: i64 = -32_602;
    /// The answering side failed.
    pub const INTERNAL_ERROR: i64 = -32_603;
    /// A mirrored header is missing, malformed, or says something else than the body (2026-07-28).
    pub const HEADER_MISMATCH: i64 = -32_020;
    /// The request needs a capability that the client did not declare (2026-07-28).
    pub const MISSING_CAPABILITY: i64 = -32_021;
    /// The named revision is not spoken here (2026-07-28).
    pub const UNSUPPORTED_PROTOCOL_VERSION: i64 = -32_022;

    /// No credential, or one that is not accepted. Our own, named after the HTTP status beside it.
    pub const UNAUTHENTICATED: i64 = 401;
    /// Refused by policy or by Origin.
    pub const DENIED: i64 = 403;
    /// No such endpoint or session.
    pub const NOT_FOUND: i64 = 404;
    /// The body is over its limit.
    pub const TOO_LARGE: i64 = 413;
    /// Too many requests.
    pub const RATE_LIMITED: i64 = 429;
}

/// An error answer before it knows which request it answers.
#[derive(Debug, Clone, PartialEq)]
pub struct RpcError {
    code: i64,
    message: Cow<'static, str>,
    reason: &'static str,
    details: Map<String, Value>,
}

impl RpcError {
    /// `reason` is a stable kebab-case word; `message` is one sentence for people.
    pub fn new(code: i64, reason: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into(), reason, details: Map::new() }
    }

    /// Adds one more member of `error.data`.
    #[must_use]
    pub fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.details.insert(member.to_owned(), value.into());
        self
    }

    /// The numeric code.
    pub const fn code(&self) -> i64 {
        self.code
    }

    /// The stable word.
    pub const fn reason(&self) -> &'static str {
        self.reason
    }

    /// The body. The id is written as the very text that the client sent; without one the member is absent, as the
    /// revisions since 2025-11-25 have it.
    pub fn body(&self, id: Option<&RequestId>) -> Bytes {
        let mut data = self.details.clone();
        data.insert("reason".to_owned(), Value::from(self.reason));
        let error = serde_json::json!({"code": self.code, "message": self.message, "data": data});
        let body = match id {
            Some(id) => format!(r#"{{"jsonrpc":"2.0","id":{},"error":{error}}}"#, id.as_json()),
            None => format!(r#"{{"jsonrpc":"2.0","error":{error}}}"#),
        };
        Bytes::from(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(json: &str) -> RequestId {
        RequestId::parse(json).expect("an id")
    }

    #[test]
    fn our_own_codes_stay_outside_the_reserved_range() {
        let own = [code::UNAUTHENTICATED, code::DENIED, code::NOT_FOUND, code::TOO_LARGE, code::RATE_LIMITED];
        assert!(own.iter().all(|code| !(-32_768..=-32_000).contains(code)));
    }

    #[test]
    fn without_a_request_the_id_is_absent() {
        let body = RpcError::new(code::PARSE_ERROR, "not-json", "the body is not JSON").body(None);
        let value: Value = serde_json::from_slice(&body).expect("JSON");
        assert!(value.get("id").is_none());
        assert_eq!(value["error"]["data"]["reason"], "not-json");
    }

    #[test]
    fn the_id_is_the_text_that_the_client_sent() {
        let error = RpcError::new(code::DENIED, "tool-denied", "denied \"so\"").with("retryAfter", 3);
        for text in ["1.0", "-7", "\"a\\u0041\\\"\""] {
            let body = error.body(Some(&id(text)));
            let body = std::str::from_utf8(&body).expect("UTF-8");
            assert!(body.starts_with(&format!(r#"{{"jsonrpc":"2.0","id":{text},"error":"#)), "{body}");
            let value: Value = serde_json::from_str(body).expect("JSON");
            assert_eq!(value["error"]["data"]["retryAfter"], 3);
        }
    }
}
