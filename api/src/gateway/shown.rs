//! What a request shows of who sent it: one credential at most, read before anything is decided by it.

use std::sync::Arc;

use domain::value::{InstanceId, KeyText, PresentedSecret};
use http::{HeaderMap, HeaderName, header};
use projections::access::Parties;
use url::form_urlencoded;

use super::Gateway;
use super::refusal::Refusal;
use super::tokens::CheckedToken;

pub(super) const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// How a token is presented (RFC 6750, 2.1).
const BEARER: &str = "bearer";
/// What API keys begin with: one that was put where tokens go is told so.
const KEY_PREFIX: &str = "sk_";
/// A token in an address ends up in logs (RFC 6750, 2.3; OAuth 2.1, 5.1.1): it is taken from nowhere but the header.
const TOKEN_IN_QUERY: &str = "access_token";

/// A credential that is written as one.
pub(super) enum Shown<'a> {
    /// None at all.
    Nothing,
    /// An API key, whose secret was not compared yet.
    Key {
        /// The whole of it.
        secret: PresentedSecret,
        /// Read.
        text: KeyText<'a>,
    },
    /// An access token that we signed.
    Token(Arc<CheckedToken>),
}

impl Shown<'_> {
    /// Whom a decision about this is about, at an instance.
    pub(super) fn parties(&self, instance: Option<InstanceId>) -> Parties {
        match self {
            Self::Nothing => Parties { instance, ..Parties::default() },
            Self::Key { text, .. } => Parties { key: Some(text.id()), instance, ..Parties::default() },
            // The instance that it is for decides about it; shown at another one, it is refused whatever that is.
            Self::Token(token) => Parties::of_token(&token.token.says),
        }
    }
}

impl Gateway {
    /// The one credential of a request. Two of them, even two equal ones, are refused: whichever counted would be a guess.
    pub(super) fn shown<'a>(
        &self,
        headers: &'a HeaderMap,
        query: Option<&str>,
    ) -> Result<Shown<'a>, Refusal> {
        let mut keys = headers.get_all(X_API_KEY).iter();
        let mut bearers = headers.get_all(header::AUTHORIZATION).iter();
        let in_query = form_urlencoded::parse(query.unwrap_or_default().as_bytes())
            .any(|(name, _)| name == TOKEN_IN_QUERY);
        match (keys.next(), keys.next(), bearers.next(), bearers.next()) {
            (None, _, None, _) => Ok(Shown::Nothing),
            (_, Some(_), _, _) | (_, _, _, Some(_)) | (Some(_), _, Some(_), _) => {
                Err(Refusal::two_credentials())
            }
            (Some(_), None, None, None) | (None, None, Some(_), None) if in_query => {
                Err(Refusal::two_credentials())
            }
            (Some(key), None, None, None) => {
                let text = key.to_str().map_err(|_| Refusal::bad_credential("not-a-key"))?.trim();
                let read = KeyText::parse(text).map_err(|error| Refusal::bad_credential(error.code()))?;
                Ok(Shown::Key { secret: PresentedSecret::new(text.to_owned()), text: read })
            }
            (None, _, Some(bearer), None) => {
                let text =
                    bearer.to_str().map_err(|_| Refusal::bad_credential("authorization-not-accepted"))?;
                self.0
                    .tokens
                    .check(bearer_token(text)?, &self.0.deciding.stale())
                    .map(Shown::Token)
                    .map_err(Refusal::bad_token)
            }
        }
    }
}

/// The token behind `Bearer`, whose case does not matter (RFC 9110, 11.1).
fn bearer_token(text: &str) -> Result<&str, Refusal> {
    let (scheme, token) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    let token = token.trim();
    if !scheme.eq_ignore_ascii_case(BEARER) || token.starts_with(KEY_PREFIX) {
        return Err(Refusal::bad_credential("authorization-not-accepted"));
    }
    if token.is_empty() {
        return Err(Refusal::malformed_authorization());
    }
    Ok(token)
}
