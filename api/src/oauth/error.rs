//! Errors of the OAuth endpoints (RFC 6749, 5.2): a code that a program reads, a sentence for people, never a cause.

use std::borrow::Cow;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

use crate::limits::TooMany;
use crate::problem::AnsweredProblem;

/// What is wrong, as the RFCs name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OauthErrorCode {
    /// The request is not one.
    InvalidRequest,
    /// The client did not prove who it is.
    InvalidClient,
    /// A code or refresh token that is none, not the client's, or no longer good.
    InvalidGrant,
    /// The client may not use this grant type.
    UnauthorizedClient,
    /// There is no such grant type here.
    UnsupportedGrantType,
    /// A scope that is none, or more than the client may have.
    InvalidScope,
    /// A resource that is none for this client (RFC 8707, 2).
    InvalidTarget,
    /// A credential that is not given back here (RFC 7009, 2.2.1).
    UnsupportedTokenType,
    /// A redirect URI that is none, none at all, or too many (RFC 7591, 3.2.2).
    InvalidRedirectUri,
    /// Something else that a client says of itself cannot be.
    InvalidClientMetadata,
    /// A software statement, of whomever.
    InvalidSoftwareStatement,
    /// No token, or one that opens nothing here (RFC 6750, 3.1).
    InvalidToken,
    /// A token that may not do this.
    InsufficientScope,
    /// Whoever asks is known, and may not, or nobody may.
    AccessDenied,
    /// Too many are waiting, or something behind us does not answer.
    TemporarilyUnavailable,
}

impl OauthErrorCode {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::UnsupportedTokenType => "unsupported_token_type",
            Self::InvalidRedirectUri => "invalid_redirect_uri",
            Self::InvalidClientMetadata => "invalid_client_metadata",
            Self::InvalidSoftwareStatement => "invalid_software_statement",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
            Self::AccessDenied => "access_denied",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
        }
    }

    const fn status(self) -> StatusCode {
        match self {
            Self::InvalidClient | Self::InvalidToken => StatusCode::UNAUTHORIZED,
            Self::InsufficientScope | Self::AccessDenied => StatusCode::FORBIDDEN,
            Self::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::InvalidRequest
            | Self::InvalidGrant
            | Self::UnauthorizedClient
            | Self::UnsupportedGrantType
            | Self::InvalidScope
            | Self::InvalidTarget
            | Self::UnsupportedTokenType
            | Self::InvalidRedirectUri
            | Self::InvalidClientMetadata
            | Self::InvalidSoftwareStatement => StatusCode::BAD_REQUEST,
        }
    }
}

/// Challenges of 401 and 403 (RFC 7617, 2.1; RFC 6750, 3).
const BASIC: &str = "Basic realm=\"sekisho\", charset=\"UTF-8\"";
const BEARER: &str = "Bearer realm=\"sekisho\"";
const BEARER_INVALID: &str = "Bearer realm=\"sekisho\", error=\"invalid_token\"";
const BEARER_CLIENTS: &str =
    "Bearer realm=\"sekisho\", error=\"insufficient_scope\", scope=\"clients:write\"";

/// How the client tried to prove who it is: what a refusal must answer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tried {
    /// In the header `Authorization`.
    Header,
    /// In the form, or not at all.
    Form,
}

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OauthError {
    code: OauthErrorCode,
    description: Cow<'static, str>,
    status: StatusCode,
    challenge: Option<&'static str>,
    retry_after: Option<Duration>,
    too_many: Option<TooMany>,
}

impl OauthError {
    /// A refusal. What the RFC does not let stand in a description is left out of it, so that a text of the caller's cannot end it early.
    pub fn new(code: OauthErrorCode, description: impl Into<Cow<'static, str>>) -> Self {
        let description = description.into();
        let may_stand =
            |letter: char| matches!(letter, '\u{20}'..='\u{21}' | '\u{23}'..='\u{5b}' | '\u{5d}'..='\u{7e}');
        let description = if description.chars().all(may_stand) {
            description
        } else {
            Cow::Owned(description.chars().filter(|letter| may_stand(*letter)).collect())
        };
        Self { code, description, status: code.status(), challenge: None, retry_after: None, too_many: None }
    }

    /// The request is not one.
    pub fn invalid_request(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(OauthErrorCode::InvalidRequest, description)
    }

    /// The client did not prove who it is. Which part of it was wrong is not told.
    pub fn invalid_client(tried: Tried) -> Self {
        let refused =
            Self::new(OauthErrorCode::InvalidClient, "the client is not known, or did not prove who it is");
        Self { challenge: (tried == Tried::Header).then_some(BASIC), ..refused }
    }

    /// The client cannot prove who it is, because what it would prove that with is not to be had. Why not is told to the log alone: the caller would
    /// learn what this machine reaches.
    pub fn no_client_keys() -> Self {
        let why = "the keys of this client cannot be had from its jwks_uri";
        Self::new(OauthErrorCode::InvalidClient, why)
    }

    /// The same for a client that is described by a document.
    pub fn no_client_document() -> Self {
        let why = "the document that describes this client cannot be had from its client_id";
        Self::new(OauthErrorCode::InvalidClient, why)
    }

    /// A token where one must be, and there is none (RFC 6750, 3): no word of an error in the challenge.
    pub fn no_token() -> Self {
        Self::no_token_because("this takes a token: Authorization: Bearer and the token")
    }

    /// The same, with what is wanted here.
    pub fn no_token_because(why: &'static str) -> Self {
        Self { challenge: Some(BEARER), ..Self::new(OauthErrorCode::InvalidToken, why) }
    }

    /// A token that opens nothing here. Why not is not told.
    pub fn invalid_token() -> Self {
        let refused =
            Self::new(OauthErrorCode::InvalidToken, "this token is not known, or opens nothing here");
        Self { challenge: Some(BEARER_INVALID), ..refused }
    }

    /// A key that may not register clients.
    pub fn no_clients_scope() -> Self {
        let refused =
            Self::new(OauthErrorCode::InsufficientScope, "this takes a key with the scope clients:write");
        Self { challenge: Some(BEARER_CLIENTS), ..refused }
    }

    /// Come back later.
    pub fn unavailable(description: &'static str) -> Self {
        let wait = Some(Duration::from_secs(1));
        Self { retry_after: wait, ..Self::new(OauthErrorCode::TemporarilyUnavailable, description) }
    }

    /// Come back later: whoever asks did so too often. RFC 6749 has no code of its own for that; this is the one that says to try again.
    pub(crate) fn too_many(too_many: TooMany) -> Self {
        let description = format!("too many requests of one {}; wait as Retry-After says", too_many.who());
        let refused = Self::new(OauthErrorCode::TemporarilyUnavailable, description);
        Self { too_many: Some(too_many), ..refused.under(StatusCode::TOO_MANY_REQUESTS) }
    }

    /// Come back later: too many secrets of this client came from there that are none.
    pub(crate) fn too_many_wrong_secrets() -> Self {
        let why = "too many wrong secrets of this client came from this address; wait as Retry-After says";
        Self::unavailable(why).after(Duration::from_mins(1)).under(StatusCode::TOO_MANY_REQUESTS)
    }

    /// The same, with another time to wait.
    #[must_use]
    pub fn after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..self }
    }

    /// The same under another status.
    #[must_use]
    pub fn under(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// What is wrong, as a program reads it.
    pub const fn code(&self) -> OauthErrorCode {
        self.code
    }

    /// What is wrong, in a sentence.
    pub fn description(&self) -> &str {
        &self.description
    }
}

impl IntoResponse for OauthError {
    fn into_response(self) -> Response {
        let body = json!({ "error": self.code.as_str(), "error_description": self.description });
        let mut response = (self.status, body.to_string()).into_response();
        response.extensions_mut().insert(AnsweredProblem(self.code.as_str()));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        no_store(headers);
        if let Some(challenge) = self.challenge {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if let Some(wait) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
        if let Some(too_many) = self.too_many {
            too_many.tell(headers);
        }
        response
    }
}

/// Nobody keeps an answer with a token in it, nor one that says why there is none (RFC 6749, 5.1).
pub(super) fn no_store(headers: &mut http::HeaderMap) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn item_17_a_description_holds_nothing_that_could_end_it() {
        let error = OauthError::invalid_request("a\"b\\c\r\nd\u{7f}\u{95a2}<e>");
        assert_eq!(error.description(), "abcd<e>");
    }

    #[test]
    fn item_03_basic_is_asked_for_only_where_it_was_tried() {
        for (tried, challenged) in [(Tried::Header, true), (Tried::Form, false)] {
            let response = OauthError::invalid_client(tried).into_response();
            assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
            assert_eq!(response.headers().contains_key(header::WWW_AUTHENTICATE), challenged);
            assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
            assert_eq!(response.headers()[header::PRAGMA], "no-cache");
        }
    }

    #[test]
    fn whoever_comes_too_early_is_told_when_to_come_back() {
        let response = OauthError::unavailable("busy").into_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(response.headers().contains_key(header::RETRY_AFTER));
    }
}
