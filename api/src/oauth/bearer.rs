//! A token in the header `Authorization` (RFC 6750, 2.1), where it lets somebody register a client or manage one. Nowhere else: a query or a form
//! would be written down by those in between.

use domain::value::PresentedSecret;
use http::{HeaderMap, header};

use super::error::OauthError;

/// Longest token that is looked at; ours have 47 characters, API keys 76.
const BEARER_BYTES_MAX: usize = 512;

/// The token, if one was sent. Two headers and another scheme are refused: what is there is not to be taken for nothing.
pub(super) fn bearer(headers: &HeaderMap) -> Result<Option<PresentedSecret>, OauthError> {
    let mut said = headers.get_all(header::AUTHORIZATION).iter();
    let (first, second) = (said.next(), said.next());
    if second.is_some() {
        return Err(OauthError::invalid_request("there are two headers Authorization"));
    }
    let Some(first) = first else { return Ok(None) };
    let text = first.to_str().ok().and_then(|text| text.trim().split_once(' '));
    let token =
        text.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
    match token {
        Some(token) if (1..=BEARER_BYTES_MAX).contains(&token.len()) => {
            Ok(Some(PresentedSecret::new(token.to_owned())))
        }
        Some(_) | None => Err(OauthError::invalid_token()),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::oauth::error::OauthErrorCode;

    fn read(values: &[&str]) -> Result<Option<String>, OauthErrorCode> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        }
        let read = bearer(&headers).map_err(|error| error.code())?;
        Ok(read.map(|token| token.reveal().to_owned()))
    }

    #[test]
    fn item_25_what_is_no_bearer_token_is_refused_and_nothing_is_nothing() {
        assert_eq!(read(&[]), Ok(None));
        let long = format!("Bearer {}", "a".repeat(BEARER_BYTES_MAX + 1));
        for header in ["Bearer", "Bearer ", "Basic YTpi", "a", "", &long] {
            assert_eq!(read(&[header]), Err(OauthErrorCode::InvalidToken), "{header}");
        }
        assert_eq!(read(&["Bearer a", "Bearer a"]), Err(OauthErrorCode::InvalidRequest));
        for header in ["Bearer a", "bearer a", "BEARER   a "] {
            assert_eq!(read(&[header]), Ok(Some("a".to_owned())), "{header}");
        }
    }
}
