//! An answer that is an error: what it says, where people and programs look for it.

use std::fmt;

use http::{HeaderMap, StatusCode, header};
use serde_json::Value;

use crate::error::code;

/// Codes that only a server of 2026-07-28 answers with.
const MODERN: [i64; 3] =
    [code::HEADER_MISMATCH, code::MISSING_CAPABILITY, code::UNSUPPORTED_PROTOCOL_VERSION];

/// A JSON-RPC error, or a status that says as much.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedAnswer {
    /// The HTTP status beside it.
    pub status: StatusCode,
    /// The code in it.
    pub code: Option<i64>,
    /// The stable word in `data.reason`, which this gateway gives, and others may.
    pub reason: Option<String>,
    /// What it says to people.
    pub message: String,
    /// `Retry-After`, as it came.
    pub retry_after: Option<String>,
}

impl RefusedAnswer {
    /// What an answer with this status, and perhaps this JSON-RPC error, says.
    pub fn new(status: StatusCode, headers: &HeaderMap, error: Option<&Value>) -> Self {
        let member = |name: &str| error.and_then(|error| error.get(name));
        let retry_after = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
        let message = member("message").and_then(Value::as_str).map(str::to_owned);
        Self {
            status,
            code: member("code").and_then(Value::as_i64),
            reason: member("data").and_then(|data| data.get("reason")?.as_str()).map(str::to_owned),
            message: message.unwrap_or_else(|| format!("the server answered {status}")),
            retry_after: retry_after.map(str::to_owned),
        }
    }

    /// Whether a header and the body said different things.
    pub fn is_header_mismatch(&self) -> bool {
        self.code == Some(code::HEADER_MISMATCH)
    }

    /// Whether this says nothing about the era: the credential, a limit, or the server's own trouble.
    pub fn is_final(&self) -> bool {
        let passing = [
            StatusCode::UNAUTHORIZED,
            StatusCode::FORBIDDEN,
            StatusCode::PROXY_AUTHENTICATION_REQUIRED,
            StatusCode::REQUEST_TIMEOUT,
            StatusCode::TOO_MANY_REQUESTS,
        ];
        self.code.is_some_and(|code| MODERN.contains(&code))
            || passing.contains(&self.status)
            || self.status.is_server_error()
    }
}

impl fmt::Display for RefusedAnswer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}
