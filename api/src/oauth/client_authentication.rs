//! Which client asks, and how it proves that (RFC 6749, 2.3; RFC 7523, 2.2): HTTP Basic, a secret in the form, something that it signed, or, for a
//! client that keeps nothing to itself, its name alone.
//!
//! Reading what was presented and checking it are two steps: what is malformed is refused before anything slow is done.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::client::ClientAuthentication;
use domain::policy::Standing;
use domain::value::{ClientKeySource, PresentedSecret};
use http::{HeaderMap, header};
use projections::access::{AccessView, Client};
use std::sync::Arc;

use super::Oauth;
use super::client_assertion::{self, AssertionFault};
use super::error::{OauthError, Tried};
use super::fetched::FetchFault;
use super::form::{Parameters, form_decode};
use crate::limits::{Subscriber, Surface};
use crate::token::{SecretFault, client_named};

/// Longest secret that is looked at; bcrypt takes 71 bytes, and ours have 46.
const SECRET_BYTES_MAX: usize = 256;

/// What a client presented.
#[derive(Debug)]
pub struct PresentedClient {
    /// The client that it says it is.
    pub client_id: String,
    /// Where that was said.
    pub tried: Tried,
    /// What is to prove it.
    pub proof: PresentedProof,
}

/// What is to prove that a client is who it says.
#[derive(Debug)]
pub enum PresentedProof {
    /// Nothing.
    Nothing,
    /// A secret.
    Secret(PresentedSecret),
    /// Something that it signed (RFC 7523, 2.2).
    Assertion(PresentedSecret),
}

/// For what a client proves who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ProvesFor {
    /// It wants to be given something, or to be told.
    Asking,
    /// It gives back what it was given.
    GivingBack,
}

impl PresentedClient {
    /// Reads what was presented. Two ways at once are refused (RFC 6749, 2.3), and so is a name that differs between two places.
    pub fn read(headers: &HeaderMap, parameters: &Parameters) -> Result<Self, OauthError> {
        let mut said = headers.get_all(header::AUTHORIZATION).iter();
        let (first, second) = (said.next(), said.next());
        if second.is_some() {
            return Err(OauthError::invalid_request("there are two headers Authorization"));
        }
        let (name, secret) = (parameters.get("client_id"), parameters.get("client_secret"));
        let assertion = (parameters.get("client_assertion"), parameters.get("client_assertion_type"));
        let ways = [first.is_some(), secret.is_some(), assertion != (None, None)];
        if ways.into_iter().filter(|way| *way).count() > 1 {
            return Err(OauthError::invalid_request("a client proves who it is in one way"));
        }
        let (client_id, tried, proof) = match (first, assertion) {
            (Some(basic), _) => {
                let read = read_basic(basic.as_bytes());
                let (client_id, secret) = read.ok_or_else(|| OauthError::invalid_client(Tried::Header))?;
                (client_id, Tried::Header, PresentedProof::Secret(PresentedSecret::new(secret)))
            }
            (None, (None, None)) => {
                let client_id = name.ok_or_else(|| OauthError::invalid_client(Tried::Form))?.to_owned();
                let secret = secret.map(|secret| PresentedSecret::new(secret.to_owned()));
                let proof = secret.map_or(PresentedProof::Nothing, PresentedProof::Secret);
                (client_id, Tried::Form, proof)
            }
            (None, (Some(assertion), Some(client_assertion::TYPE))) => {
                let client_id = client_assertion::claimed_client(assertion);
                let client_id = client_id.ok_or_else(|| OauthError::invalid_client(Tried::Form))?;
                let assertion = PresentedSecret::new(assertion.to_owned());
                (client_id, Tried::Form, PresentedProof::Assertion(assertion))
            }
            (None, (Some(_), Some(_))) => return Err(OauthError::invalid_client(Tried::Form)),
            (None, (Some(_), None) | (None, Some(_))) => {
                let why = "client_assertion and client_assertion_type go together";
                return Err(OauthError::invalid_request(why));
            }
        };
        if name.is_some_and(|name| name != client_id) {
            return Err(OauthError::invalid_request("client_id is not the client that is proven"));
        }
        Ok(Self { client_id, tried, proof })
    }

    /// Whether it came in the way that the client is registered for: one that can prove itself never passes without.
    const fn is_as_registered(&self, registered: Option<ClientAuthentication>) -> bool {
        use ClientAuthentication::{PrivateKeyJwt, SecretBasic, SecretPost};
        match (registered, self.tried, &self.proof) {
            (None, Tried::Form, PresentedProof::Nothing)
            | (Some(SecretBasic), Tried::Header, PresentedProof::Secret(_))
            | (Some(SecretPost), Tried::Form, PresentedProof::Secret(_))
            | (Some(PrivateKeyJwt), Tried::Form, PresentedProof::Assertion(_)) => true,
            (
                None | Some(SecretBasic | SecretPost | PrivateKeyJwt),
                Tried::Header | Tried::Form,
                PresentedProof::Nothing | PresentedProof::Secret(_) | PresentedProof::Assertion(_),
            ) => false,
        }
    }
}

impl<P> Oauth<P> {
    /// The client, if this is one that may ask, in the way that it is registered for. An unknown one, a disabled one and a wrong proof are answered
    /// alike; that they differ in time tells nothing, since nobody guesses the id of a client.
    pub(super) async fn prove(
        &self,
        presented: &PresentedClient,
        view: &AccessView,
        asker: Subscriber,
        what_for: ProvesFor,
    ) -> Result<Arc<Client>, OauthError> {
        let refused = || OauthError::invalid_client(presented.tried);
        let found = client_named(&presented.client_id).and_then(|id| view.client(id));
        let found = found.filter(|client| client.oauth_id() == presented.client_id).ok_or_else(refused)?;
        if found.standing != Standing::Active {
            return Err(refused());
        }
        let described = self.as_described(found, asker).await;
        let found = &match (described, what_for) {
            (Ok(described), ProvesFor::Asking | ProvesFor::GivingBack) => described,
            // What it was given it gives back as who it was when somebody consented, wherever its document is by now (RFC 7009).
            (Err(_), ProvesFor::GivingBack) => Arc::clone(found),
            (Err(error), ProvesFor::Asking) => return Err(error),
        };
        if !presented.is_as_registered(found.authentication) {
            return Err(refused());
        }
        let proven = match &presented.proof {
            PresentedProof::Nothing => true,
            PresentedProof::Secret(secret) => self.is_secret_of(found, secret, asker).await?,
            PresentedProof::Assertion(assertion) => self.is_signed_by(found, assertion, asker).await?,
        };
        if proven { Ok(Arc::clone(found)) } else { Err(refused()) }
    }

    /// Whether this is one of the client's secrets.
    pub(super) async fn is_secret_of(
        &self,
        client: &Client,
        secret: &PresentedSecret,
        asker: Subscriber,
    ) -> Result<bool, OauthError> {
        let is_readable = (1..=SECRET_BYTES_MAX).contains(&secret.reveal().len());
        let digests: Vec<_> = client.secrets_at(self.clock.now()).map(|held| held.digest.clone()).collect();
        if !is_readable || digests.is_empty() {
            return Ok(false);
        }
        self.secrets.verify(client.id, asker, secret, &digests).await.map_err(|fault| {
            tracing::warn!(error = %fault, client.id = %client.id, "whether a client's secret is right is not known");
            match fault {
                SecretFault::Hash(_) => OauthError::unavailable("too many secrets are being checked; try again"),
                SecretFault::TooManyWrong => {
                    self.limits.refused(Surface::Token, "wrong_secrets");
                    OauthError::too_many_wrong_secrets()
                }
            }
        })
    }

    async fn is_signed_by(
        &self,
        client: &Client,
        assertion: &PresentedSecret,
        asker: Subscriber,
    ) -> Result<bool, OauthError> {
        match self.judged(client, assertion, asker).await? {
            Ok(()) => Ok(true),
            Err(fault) => {
                tracing::info!(client.id = %client.id, reason = %fault, "an assertion of a client proves nothing");
                Ok(false)
            }
        }
    }

    async fn judged(
        &self,
        client: &Client,
        assertion: &PresentedSecret,
        asker: Subscriber,
    ) -> Result<Result<(), AssertionFault>, OauthError> {
        let says = match &client.keys {
            None => None,
            Some(ClientKeySource::Sent(keys)) => {
                match self.assertions.check(assertion.reveal(), keys.as_slice()) {
                    None => self.signed_by_newly_described(client, assertion, asker).await,
                    says => says,
                }
            }
            Some(ClientKeySource::Published(at)) => {
                self.signed_by_published(at, assertion, asker).await.map_err(|fault| match fault {
                    FetchFault::Busy => {
                        OauthError::unavailable("keys of many clients are being fetched; try again")
                    }
                    FetchFault::NotFetched(_) | FetchFault::NoDocument(_) | FetchFault::Unfit(_) => {
                        OauthError::no_client_keys()
                    }
                })?
            }
        };
        let Some(says) = says else { return Ok(Err(AssertionFault::Signature)) };
        if let Err(fault) =
            client_assertion::must_hold(&says, &client.oauth_id(), &self.url, self.clock.now())
        {
            return Ok(Err(fault));
        }
        match client_assertion::spend(&self.pool, client.id, &says).await {
            Ok(true) => Ok(Ok(())),
            Ok(false) => Ok(Err(AssertionFault::Again)),
            Err(error) => {
                tracing::warn!(error = %error, client.id = %client.id, "whether an assertion came before is not known");
                Err(OauthError::unavailable("assertions cannot be checked right now; try again"))
            }
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
                let PresentedProof::Secret(read_secret) = &read.proof else { panic!("{pair}") };
                assert_eq!((read.client_id.as_str(), read_secret.reveal()), (name, secret), "{pair}");
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
            (Some(ClientAuthentication::PrivateKeyJwt), read(&[], &assertion("a")).unwrap()),
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
    }

    fn assertion(subject: &str) -> String {
        let claims = STANDARD.encode(format!("{{\"sub\":\"{subject}\"}}")).replace('=', "");
        let kind = client_assertion::TYPE.replace(':', "%3A");
        format!("client_assertion_type={kind}&client_assertion=a.{claims}.b")
    }

    #[test]
    fn nobody_in_particular_is_no_client() {
        let unreadable = assertion("a").replace("=a.", "=a");
        let other_type = assertion("a").replace("jwt-bearer", "saml2-bearer");
        for form in ["", "client_secret=b", "client_id=&client_secret=b", &unreadable, &other_type] {
            assert_eq!(read(&[], form).unwrap_err(), OauthErrorCode::InvalidClient, "{form}");
        }
    }

    #[test]
    fn half_an_assertion_and_one_of_another_client_than_is_said_are_no_request() {
        for form in
            ["client_assertion=a.b.c", "client_assertion_type=x", &format!("client_id=b&{}", assertion("a"))]
        {
            assert_eq!(read(&[], form).unwrap_err(), OauthErrorCode::InvalidRequest, "{form}");
        }
        assert_eq!(read(&[], &assertion("a")).unwrap().client_id, "a");
        assert_eq!(read(&[], &format!("client_id=a&{}", assertion("a"))).unwrap().client_id, "a");
    }
}
