//! What a browser comes back with becomes somebody's identity: the code is exchanged, and the ID token is checked whole (OpenID Connect Core, 3.1.3).

use std::sync::Arc;
use std::time::Instant;

use domain::value::{DisplayName, EmailAddress, ProviderSubject, Timestamp};
use openidconnect::core::{
    CoreIdToken, CoreIdTokenClaims, CoreJsonWebKeySet, CoreJwsSigningAlgorithm as Alg,
};
use openidconnect::{
    AuthorizationCode, ClaimsVerificationError, ClientSecret, HttpRequest, RequestTokenError,
    SignatureVerificationError, TokenResponse as _,
};
use projections::access::Provider;
use time::OffsetDateTime;

use super::metadata::Metadata;
use super::way::Client;
use super::{Down, KEYS_AGE_MAX, Known, Providers, UNKNOWN_KEY_AGE_MIN, Unanswered};
use crate::oauth::Parameters;

/// Signatures that count. A shared secret signs nothing here: whoever else has it could speak for everybody (`oauth.md`, case 14).
const ALGORITHMS: [Alg; 9] = [
    Alg::RsaSsaPkcs1V15Sha256,
    Alg::RsaSsaPkcs1V15Sha384,
    Alg::RsaSsaPkcs1V15Sha512,
    Alg::RsaSsaPssSha256,
    Alg::RsaSsaPssSha384,
    Alg::RsaSsaPssSha512,
    Alg::EcdsaP256Sha256,
    Alg::EcdsaP384Sha384,
    Alg::EdDsa,
];
/// Whoever was to be asked anew was asked no longer ago, clocks that differ included.
const IN_PERSON_SECONDS_MAX: i64 = 10 * 60 + 60;

/// Somebody whom a provider vouches for.
#[derive(Debug, Clone)]
pub(crate) struct VouchedFor {
    /// Its name for the person.
    pub(crate) subject: ProviderSubject,
    /// Their address, if it verified it.
    pub(crate) email: Option<EmailAddress>,
    /// Their name, if it tells one.
    pub(crate) name: Option<DisplayName>,
    /// When it last asked the person who they are, if it tells.
    pub(crate) proved_at: Option<Timestamp>,
}

/// Nobody is vouched for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotVouched {
    /// The provider does not answer.
    #[error(transparent)]
    Down(#[from] Down),
    /// The provider, or the person at it, said no.
    #[error("the provider refused: {0}")]
    Refused(String),
    /// What came back is not what was sent for.
    #[error("what came back does not count: {0}")]
    Unfit(String),
}

impl Providers {
    /// Reads what a browser came back with. Who answers is looked at before anything is sent to anybody (RFC 9207, 2.4; `oauth.md`, case 24).
    pub(crate) async fn redeem(
        &self,
        provider: &Provider,
        back: &Parameters,
        state: &str,
        in_person: bool,
    ) -> Result<VouchedFor, NotVouched> {
        let known = self.known(provider);
        let metadata = self.metadata(&known).await?;
        match back.get("iss") {
            Some(iss) if iss != provider.issuer.as_str() => {
                return Err(unfit("it comes from another issuer"));
            }
            None if metadata.names_itself => return Err(unfit("it does not say from which issuer it comes")),
            Some(_) | None => {}
        }
        if let Some(error) = back.get("error") {
            return Err(refused(error));
        }
        let code = back.get("code").ok_or_else(|| unfit("there is no code"))?;
        let token = self.exchange(provider, (&known, &metadata), code, state).await?;
        let claims = self.verified(provider, (&known, &metadata), &token, state).await?;
        must_be_for_us(provider, &claims)?;
        let proved_at = claims.auth_time().map(|at| at.timestamp()).and_then(moment);
        let now = self.0.clock.now();
        let recent = |at: &Timestamp| at.plus_seconds(IN_PERSON_SECONDS_MAX) >= now;
        if in_person && !proved_at.as_ref().is_some_and(recent) {
            return Err(unfit("the person was not asked anew"));
        }
        vouched_for(&claims, proved_at)
    }

    async fn exchange(
        &self,
        provider: &Provider,
        (known, metadata): (&Arc<Known>, &Metadata),
        code: &str,
        state: &str,
    ) -> Result<CoreIdToken, NotVouched> {
        let secret = match provider.secret {
            Some(id) => {
                let secret = self.0.secrets.open(id).await.map_err(|error| unfit(error.to_string()))?;
                Some(ClientSecret::new(secret.to_string()))
            }
            None => None,
        };
        let client = self.client(provider, metadata, secret, CoreJsonWebKeySet::new(Vec::new()))?;
        let call = |request: HttpRequest| {
            let (providers, known) = (self.clone(), Arc::clone(known));
            async move { providers.call(&known, request, Ok).await }
        };
        let code = AuthorizationCode::new(code.to_owned());
        let exchange = client.exchange_code(code).set_pkce_verifier(self.verifier(state));
        let answer = exchange.request_async(&call).await;
        match &answer {
            Err(RequestTokenError::Request(Unanswered::Failed)) => {
                known.exchanges().failed(Instant::now(), self.0.limits.open);
            }
            Err(RequestTokenError::Request(Unanswered::HeldBack)) => {}
            Err(
                RequestTokenError::ServerResponse(_)
                | RequestTokenError::Parse(..)
                | RequestTokenError::Other(_),
            )
            | Ok(_) => known.exchanges().answered(),
        }
        let answer = answer.map_err(|error| match error {
            RequestTokenError::Request(unanswered) => NotVouched::Down(unanswered.into()),
            RequestTokenError::ServerResponse(refusal) => refused(refusal.error().as_ref()),
            RequestTokenError::Parse(..) | RequestTokenError::Other(_) => unfit("its token answer is none"),
        })?;
        answer.id_token().cloned().ok_or_else(|| unfit("there is no ID token"))
    }

    /// Checks signature, issuer, audience, times and nonce. A key that nobody knows, or that is another by now, is
    /// looked for once more.
    async fn verified(
        &self,
        provider: &Provider,
        (known, metadata): (&Known, &Metadata),
        token: &CoreIdToken,
        state: &str,
    ) -> Result<CoreIdTokenClaims, NotVouched> {
        let keys = self.keys(known, metadata, KEYS_AGE_MAX).await?;
        match self.verify(&self.client(provider, metadata, None, (*keys).clone())?, token, state) {
            Err(ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey | SignatureVerificationError::CryptoError(_),
            )) => {}
            done => return done.map_err(|error| unfit(error.to_string())),
        }
        let keys = self.keys(known, metadata, UNKNOWN_KEY_AGE_MIN).await?;
        let again = self.verify(&self.client(provider, metadata, None, (*keys).clone())?, token, state);
        again.map_err(|error| unfit(error.to_string()))
    }

    fn verify(
        &self,
        client: &Client,
        token: &CoreIdToken,
        state: &str,
    ) -> Result<CoreIdTokenClaims, ClaimsVerificationError> {
        let verifier = client.id_token_verifier().set_allowed_algs(ALGORITHMS);
        token.claims(&verifier, &self.nonce(state)).cloned()
    }
}

/// With several audiences, or a named one, the token must have been issued to us (OpenID Connect Core, 3.1.3.7, 4 and 5): the library leaves this open.
fn must_be_for_us(provider: &Provider, claims: &CoreIdTokenClaims) -> Result<(), NotVouched> {
    match claims.authorized_party() {
        Some(party) if party.as_str() != provider.client_id.as_str() => {
            Err(unfit("it was issued to somebody else"))
        }
        None if claims.audiences().len() > 1 => Err(unfit("it does not say to whom it was issued")),
        Some(_) | None => Ok(()),
    }
}

fn vouched_for(claims: &CoreIdTokenClaims, proved_at: Option<Timestamp>) -> Result<VouchedFor, NotVouched> {
    let subject = ProviderSubject::parse(claims.subject().as_str());
    let subject = subject.map_err(|error| unfit(error.to_string()))?;
    let email = claims.email().filter(|_| claims.email_verified() == Some(true));
    let email = email.and_then(|email| EmailAddress::parse(email.as_str()).ok());
    let name = claims.name().and_then(|name| name.get(None));
    let name = name.and_then(|name| DisplayName::parse(name.as_str()).ok());
    Ok(VouchedFor { subject, email, name, proved_at })
}

/// An error code as it may stand in a log.
fn refused(code: &str) -> NotVouched {
    NotVouched::Refused(code.chars().filter(char::is_ascii_graphic).take(64).collect())
}

fn moment(unix_seconds: i64) -> Option<Timestamp> {
    OffsetDateTime::from_unix_timestamp(unix_seconds).ok().map(Timestamp::new)
}

fn unfit(why: impl Into<String>) -> NotVouched {
    NotVouched::Unfit(why.into())
}
