//! The token endpoint of an authorization server, asked as its client (RFC 6749, 4.1.3, 4.4, 5 and 6; RFC 8707, 2.2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode, header};
use mcp::upstream::Reach;
use serde::{Deserialize, Deserializer};
use url::Url;
use url::form_urlencoded::{Serializer, byte_serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::client::{OauthClient, Proof};
use super::ports::CallAuthorization;

/// A token ends in a header of every call.
const TOKEN_BYTES_MAX: usize = 16 * 1024;
/// What is told of its life is believed up to here.
const LIFE_SECONDS_MAX: u64 = 366 * 24 * 60 * 60;

/// The longest refresh token that is kept.
const REFRESH_TOKEN_BYTES_MAX: usize = 16 * 1024;

/// What was given out.
#[derive(Deserialize, Zeroize, ZeroizeOnDrop)]
pub(super) struct Tokens {
    pub(super) access_token: String,
    token_type: String,
    /// In seconds.
    #[serde(default, deserialize_with = "seconds")]
    pub(super) expires_in: Option<u64>,
    pub(super) refresh_token: Option<String>,
    pub(super) scope: Option<String>,
}

/// Some write numbers as texts.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(f64),
        Text(String),
        Nothing(()),
    }
    let seconds = match Written::deserialize(deserializer)? {
        Written::Number(number) => Some(number),
        Written::Text(text) => text.parse::<f64>().ok(),
        Written::Nothing(()) => None,
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is between the limits")]
    Ok(seconds.filter(|number| number.is_finite() && *number >= 0.0).map(|number| {
        #[expect(clippy::cast_precision_loss, reason = "a year in seconds is exact")]
        let max = LIFE_SECONDS_MAX as f64;
        number.min(max) as u64
    }))
}

/// What an authorization server says when asking again cannot help (RFC 6749, 5.2; RFC 8707, 2).
const FINAL: [&str; 7] = [
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
    "invalid_target",
];

#[derive(Deserialize)]
struct Refusal {
    error: String,
}

/// Why nothing was given out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotGiven {
    /// The authorization server says no (RFC 6749, 5.2).
    #[error("the authorization server refuses: {0}")]
    Refused(String),
    /// Nobody knows: it did not answer, or is not well.
    #[error("the authorization server gives no answer: {0}")]
    Unanswered(String),
    /// What it gave out is of no use.
    #[error("the authorization server gives out something that is no bearer token")]
    Unfit,
}

impl NotGiven {
    /// Whether asking again cannot help: nobody but a person, or whoever set the client, changes anything.
    pub(super) fn is_final(&self) -> bool {
        match self {
            Self::Refused(code) => FINAL.contains(&code.as_str()),
            Self::Unfit => true,
            Self::Unanswered(_) => false,
        }
    }

    /// Whether it does not know the client any more.
    pub(super) fn is_about_the_client(&self) -> bool {
        matches!(self, Self::Refused(code) if code == "invalid_client" || code == "unauthorized_client")
    }
}

/// Where tokens are given out, and to whom.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counter<'a> {
    pub(super) endpoint: &'a Url,
    pub(super) reach: Reach,
    pub(super) client: &'a OauthClient,
}

impl Counter<'_> {
    /// Asks.
    pub(super) async fn ask(
        &self,
        calls: &dyn CallAuthorization,
        form: &[(&str, &str)],
    ) -> Result<Tokens, NotGiven> {
        let answer = calls.call(self.request(form)?, self.reach).await;
        let answer = answer.map_err(|why| NotGiven::Unanswered(why.0))?;
        let status = answer.status();
        if status == StatusCode::OK {
            // What cannot be read is a page of somebody in between, and says nothing of what was asked for.
            let tokens: Tokens = serde_json::from_slice(answer.body())
                .map_err(|_| NotGiven::Unanswered("what it answers is no token response".to_owned()))?;
            let short =
                tokens.refresh_token.as_ref().is_none_or(|token| token.len() <= REFRESH_TOKEN_BYTES_MAX);
            let bearer = tokens.token_type.eq_ignore_ascii_case("bearer");
            let fits = bearer && short && is_sendable(&tokens.access_token);
            return if fits { Ok(tokens) } else { Err(NotGiven::Unfit) };
        }
        if status.is_client_error()
            && let Ok(Refusal { error }) = serde_json::from_slice(answer.body())
        {
            return Err(NotGiven::Refused(readable(&error)));
        }
        Err(NotGiven::Unanswered(format!("it answers {}", status.as_u16())))
    }

    fn request(&self, form: &[(&str, &str)]) -> Result<Request<Bytes>, NotGiven> {
        let unfit = |_| NotGiven::Unanswered("the request cannot be written".to_owned());
        let mut body = Serializer::new(String::new());
        body.extend_pairs(form);
        let secret = self.client.secret.as_deref().unwrap_or_default();
        let mut request = Request::post(self.endpoint.as_str())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json");
        match self.client.proof {
            Proof::None => {
                body.append_pair("client_id", &self.client.id);
            }
            Proof::ClientSecretPost => {
                body.append_pair("client_id", &self.client.id).append_pair("client_secret", secret);
            }
            Proof::ClientSecretBasic => {
                let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
                let pair = Zeroizing::new(format!("{}:{}", encoded(&self.client.id), encoded(secret)));
                let value = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
                let mut value = HeaderValue::from_str(&value)
                    .map_err(|_| NotGiven::Unanswered("the request cannot be written".to_owned()))?;
                value.set_sensitive(true);
                request = request.header(header::AUTHORIZATION, value);
            }
        }
        request.body(Bytes::from(body.finish())).map_err(unfit)
    }
}

/// RFC 6750, 2.1: what may stand behind `Bearer`. Some give out more than that, but nothing that would end the header.
fn is_sendable(token: &str) -> bool {
    !token.is_empty() && token.len() <= TOKEN_BYTES_MAX && token.bytes().all(|byte| byte.is_ascii_graphic())
}

/// An error code as it may stand in a log and on a page.
pub(super) fn readable(code: &str) -> String {
    code.chars().filter(char::is_ascii_graphic).take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn life(written: &str) -> Option<u64> {
        let text = format!(r#"{{"access_token":"t","token_type":"Bearer","expires_in":{written}}}"#);
        serde_json::from_str::<Tokens>(&text).unwrap().expires_in
    }

    #[test]
    fn the_life_of_a_token_is_read_however_it_is_written_and_never_without_bounds() {
        assert_eq!(life("-1"), None);
        assert_eq!(life("null"), None);
        assert_eq!(life("\"soon\""), None);
        assert_eq!(life("1e300"), Some(LIFE_SECONDS_MAX));
        assert_eq!(life("3600"), Some(3600));
        assert_eq!(life("\"60\""), Some(60));
        assert_eq!(life("1.9"), Some(1));
    }

    #[test]
    fn what_would_end_a_header_is_no_token() {
        for token in ["", "a b", "a\r\nx: y", "t\u{e9}", &"a".repeat(TOKEN_BYTES_MAX + 1)] {
            assert!(!is_sendable(token), "{token}");
        }
    }

    /// An authorization server, or somebody in front of it, that always says the same.
    struct Says(StatusCode, &'static str);

    impl CallAuthorization for Says {
        fn call(
            &self,
            _: Request<Bytes>,
            _: Reach,
        ) -> std::pin::Pin<
            Box<
                dyn Future<Output = Result<http::Response<Bytes>, crate::upstream_oauth::NoAnswer>>
                    + Send
                    + '_,
            >,
        > {
            let answer = http::Response::builder().status(self.0).body(Bytes::from_static(self.1.as_bytes()));
            Box::pin(async move { Ok(answer.unwrap()) })
        }
    }

    #[tokio::test]
    async fn a_page_of_somebody_in_between_ends_no_authorization() {
        let client = OauthClient { id: "sekisho".to_owned(), secret: None, proof: Proof::None };
        let endpoint = Url::parse("https://id.example/token").unwrap();
        let counter = Counter { endpoint: &endpoint, reach: Reach::OpenNetworks, client: &client };
        let page = "<html>Back soon</html>";
        for (status, body, is_final) in [
            (400, r#"{"error":"invalid_grant"}"#, true),
            (401, r#"{"error":"invalid_client"}"#, true),
            (400, r#"{"error":"temporarily_unavailable"}"#, false),
            (400, page, false),
            (403, page, false),
            (404, page, false),
            (408, "", false),
            (429, "", false),
            (200, page, false),
            (503, page, false),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            let refused = counter.ask(&Says(status, body), &[]).await.map(drop).unwrap_err();
            assert_eq!(refused.is_final(), is_final, "{status} {body}");
        }
    }

    #[test]
    fn only_what_cannot_get_better_is_final() {
        for (refusal, is_final) in [
            (NotGiven::Refused("invalid_grant".to_owned()), true),
            (NotGiven::Refused("invalid_client".to_owned()), true),
            (NotGiven::Refused("temporarily_unavailable".to_owned()), false),
            (NotGiven::Unanswered("it answers 503".to_owned()), false),
        ] {
            assert_eq!(refusal.is_final(), is_final, "{refusal}");
        }
    }
}
