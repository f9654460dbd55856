//! Which client asks, and how it proves that (RFC 6749, 2.3): HTTP Basic, a secret in the form, or, for a client that keeps none, its name alone.
//!
//! Reading what was presented and checking it are two steps: what is malformed is refused before anything slow is done.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::client::ClientAuthentication;
use domain::policy::Standing;
use domain::value::{ClientId, PresentedSecret, Timestamp};
use http::{HeaderMap, header};
use projections::access::{AccessView, Client};
use std::sync::Arc;

use super::error::{OauthError, Tried};
use super::form::{Parameters, form_decode};
use crate::token::VerifySecrets;

/// Longest secret that is looked at; bcrypt takes 71 bytes, and ours have 46.
const SECRET_BYTES_MAX: usize = 256;

/// What a client presented.
#[derive(Debug)]
pub struct PresentedClient {
    /// The client that it says it is.
    pub client_id: String,
    /// Where that was said.
    pub tried: Tried,
    /// The secret, if one was presented.
    pub secret: Option<PresentedSecret>,
}

impl PresentedClient {
    /// Reads what was presented. Two ways at once are refused (RFC 6749, 2.3), and so is a name that differs between header and form.
    pub fn read(headers: &HeaderMap, parameters: &Parameters) -> Result<Self, OauthError> {
        let mut said = headers.get_all(header::AUTHORIZATION).iter();
        let (first, second) = (said.next(), said.next());
        if second.is_some() {
            return Err(OauthError::invalid_request("there are two headers Authorization"));
        }
        let (name, secret) = (parameters.get("client_id"), parameters.get("client_secret"));
        let assertion = parameters.get("client_assertion").or(parameters.get("client_assertion_type"));
        let ways = [first.is_some(), secret.is_some(), assertion.is_some()];
        if ways.into_iter().filter(|way| *way).count() > 1 {
            return Err(OauthError::invalid_request("a client proves who it is in one way"));
        }
        let Some(basic) = first else {
            if assertion.is_some() {
                return Err(OauthError::invalid_client(Tried::Form)); // no client is registered for assertions
            }
            let client_id = name.ok_or_else(|| OauthError::invalid_client(Tried::Form))?.to_owned();
            let secret = secret.map(|secret| PresentedSecret::new(secret.to_owned()));
            return Ok(Self { client_id, tried: Tried::Form, secret });
        };
        let (client_id, secret) =
            read_basic(basic.as_bytes()).ok_or_else(|| OauthError::invalid_client(Tried::Header))?;
        if name.is_some_and(|name| name != client_id) {
            return Err(OauthError::invalid_request(
                "client_id is not the client of the header Authorization",
            ));
        }
        Ok(Self { client_id, tried: Tried::Header, secret: Some(PresentedSecret::new(secret)) })
    }

    /// The client, if this is one that may ask, in the way that it is registered for. An unknown one, a disabled one and a wrong secret are answered
    /// alike; that they differ in time tells nothing, since nobody guesses the id of a client.
    pub async fn prove(
        &self,
        view: &AccessView,
        now: Timestamp,
        secrets: &dyn VerifySecrets,
    ) -> Result<Arc<Client>, OauthError> {
        let refused = || OauthError::invalid_client(self.tried);
        let id = ClientId::parse(&self.client_id).map_err(|_| refused())?;
        // One spelling of each id: no two names for one client in logs and caches.
        let found = view.client(id).filter(|_| id.to_string() == self.client_id).ok_or_else(refused)?;
        if found.standing != Standing::Active || !self.is_as_registered(found.authentication) {
            return Err(refused());
        }
        let Some(secret) = &self.secret else { return Ok(Arc::clone(found)) };
        let is_readable = (1..=SECRET_BYTES_MAX).contains(&secret.reveal().len());
        let digests: Vec<_> = found.secrets_at(now).map(|held| held.digest.clone()).collect();
        if !is_readable || digests.is_empty() {
            return Err(refused());
        }
        match secrets.verify(id, secret, &digests).await {
            Ok(true) => Ok(Arc::clone(found)),
            Ok(false) => Err(refused()),
            Err(error) => {
                tracing::warn!(error = %error, client.id = %id, "whether a client's secret is right is not known");
                Err(OauthError::unavailable("too many secrets are being checked; try again"))
            }
        }
    }

    /// Whether it came in the way that the client is registered for: one that holds a secret never passes without.
    const fn is_as_registered(&self, registered: Option<ClientAuthentication>) -> bool {
        match (registered, self.tried, &self.secret) {
            (None, Tried::Form, None)
            | (Some(ClientAuthentication::SecretBasic), Tried::Header, Some(_))
            | (Some(ClientAuthentication::SecretPost), Tried::Form, Some(_)) => true,
            (None | Some(ClientAuthentication::SecretPost), Tried::Header, _)
            | (None, Tried::Form, Some(_))
            | (Some(ClientAuthentication::SecretPost), Tried::Form, None)
            | (Some(ClientAuthentication::SecretBasic), Tried::Form, _)
            | (Some(ClientAuthentication::SecretBasic), Tried::Header, None)
            | (Some(ClientAuthentication::PrivateKeyJwt), _, _) => false,
        }
    }
}

/// Name and secret out of `Basic`: form-encoded each, with a colon between, in base64 (RFC 6749, 2.3.1).
fn read_basic(header: &[u8]) -> Option<(String, String)> {
    let text = std::str::from_utf8(header).ok()?;
    let (scheme, encoded) = text.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = zeroize::Zeroizing::new(STANDARD.decode(encoded.trim()).ok()?);
    let colon = pair.iter().position(|byte| *byte == b':')?;
    let (name, secret) = pair.split_at_checked(colon)?;
    let (name, secret) = (form_decode(name)?, form_decode(secret.get(1..)?)?);
    (!name.is_empty()).then_some((name, secret))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::oauth::error::OauthErrorCode;

    fn read(authorization: &[&str], form: &str) -> Result<PresentedClient, OauthErrorCode> {
        let mut headers = HeaderMap::new();
        for value in authorization {
            headers.append(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        }
        let parameters = Parameters::parse(form.as_bytes()).unwrap();
        PresentedClient::read(&headers, &parameters).map_err(|error| error.code())
    }

    fn basic(pair: &str) -> String {
        format!("Basic {}", STANDARD.encode(pair))
    }

    #[test]
    fn item_03_what_is_no_basic_header_is_a_client_that_did_not_prove_itself() {
        for header in [
            "Basic",
            "Basic ",
            "Basic !!!!",
            "Basic YQ",
            "Bearer YTpi",
            "Digest username=\"a\"",
            "YTpi",
            &basic("nocolon"),
            &basic(":secret"),
            &basic("a%zz:b"),
            &basic("a:%ff"),
            &format!("Basic {}", STANDARD.encode([b'a', b':', 0xff])),
        ] {
            assert_eq!(read(&[header], "").unwrap_err(), OauthErrorCode::InvalidClient, "{header}");
        }
    }

    #[test]
    fn item_04_name_and_secret_are_form_encoded_before_base64() {
        for (pair, name, secret) in [
            ("a:b", "a", "b"),
            ("a%3Ab:c%3Ad", "a:b", "c:d"),
            ("a:b:c", "a", "b:c"),
            ("a:100%25+sure%2B", "a", "100% sure+"),
            ("%E9%96%A2:%E6%89%80", "\u{95a2}", "\u{6240}"),
            ("a:", "a", ""),
        ] {
            for scheme in ["Basic", "basic", "BASIC"] {
                let header = basic(pair).replacen("Basic", scheme, 1);
                let read = read(&[&header], "").unwrap();
                assert_eq!(
                    (read.client_id.as_str(), read.secret.unwrap().reveal()),
                    (name, secret),
                    "{pair}"
                );
            }
        }
    }

    #[test]
    fn item_05_two_ways_at_once_are_refused() {
        let good = basic("a:b");
        for (headers, form) in [
            (vec![good.as_str(), good.as_str()], ""),
            (vec![&good], "client_secret=b"),
            (vec![&good], "client_id=a&client_secret=b"),
            (vec![&good], "client_assertion=x"),
            (vec![&good], "client_id=other"),
            (vec![], "client_id=a&client_secret=b&client_assertion=x"),
            (vec![], "client_id=a&client_secret=b&client_assertion_type=x"),
        ] {
            assert_eq!(read(&headers, form).unwrap_err(), OauthErrorCode::InvalidRequest, "{form}");
        }
        assert!(read(&[&good], "client_id=a").is_ok());
    }

    #[test]
    fn item_06_a_client_is_taken_in_the_way_that_it_is_registered_for_and_in_no_other() {
        let ways = [
            (None, read(&[], "client_id=a").unwrap()),
            (Some(ClientAuthentication::SecretBasic), read(&[&basic("a:b")], "").unwrap()),
            (Some(ClientAuthentication::SecretPost), read(&[], "client_id=a&client_secret=b").unwrap()),
        ];
        for (registered, _) in &ways {
            for (way, presented) in &ways {
                assert_eq!(
                    presented.is_as_registered(*registered),
                    registered == way,
                    "{registered:?} {way:?}"
                );
            }
        }
        for (_, presented) in &ways {
            assert!(!presented.is_as_registered(Some(ClientAuthentication::PrivateKeyJwt)));
        }
    }

    #[test]
    fn nobody_in_particular_is_no_client() {
        for form in ["", "client_secret=b", "client_id=&client_secret=b", "client_id=a&client_assertion=x"] {
            assert_eq!(read(&[], form).unwrap_err(), OauthErrorCode::InvalidClient, "{form}");
        }
    }
}
