//! Tokens checked: header read strictly first, then the signature by `jsonwebtoken` under the one algorithm of the named key.
//!
//! Nothing in a token says where its key is or what it is: a header with anything but `alg`, `typ` and `kid` is refused (RFC 8725, 3.1 and 3.10),
//! so there is nothing to fetch and no algorithm to choose. Moments are checked by whoever uses the token, by their own clock.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::value::{KeyThumbprint, SigningAlgorithm};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;

use crate::token::{ACCESS_TOKEN_TYPE, AccessClaims, AccessToken, CheckTokens, KeyOf, PublicUrl, TokenFault};

/// Longest token that is looked at: three times what the longest of ours takes.
const TOKEN_BYTES_MAX: usize = 4_096;
/// Parsed keys that are kept. A deployment has a handful.
const KEYS_MAX: usize = 64;

/// A header of ours, and no other.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    typ: String,
    kid: String,
}

struct VerifyingKey {
    key: DecodingKey,
    rules: Validation,
}

/// Checks tokens of one issuer.
pub struct TokenVerifier {
    url: PublicUrl,
    /// By their thumbprints: a name stands for one key and for no other, whatever happens.
    keys: Mutex<HashMap<KeyThumbprint, Arc<VerifyingKey>>>,
}

impl std::fmt::Debug for TokenVerifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenVerifier").finish_non_exhaustive()
    }
}

impl TokenVerifier {
    /// For the issuer with this URL.
    pub fn new(url: PublicUrl) -> Self {
        Self { url, keys: Mutex::default() }
    }

    fn key(
        &self,
        kid: &KeyThumbprint,
        algorithm: SigningAlgorithm,
        jwk: &str,
    ) -> Result<Arc<VerifyingKey>, TokenFault> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = keys.get(kid) {
            return Ok(Arc::clone(known));
        }
        let jwk: Jwk = serde_json::from_str(jwk).map_err(|_| TokenFault::KeyUnknown)?;
        let key = DecodingKey::from_jwk(&jwk).map_err(|_| TokenFault::KeyUnknown)?;
        let read = Arc::new(VerifyingKey { key, rules: rules(algorithm, &self.url) });
        if keys.len() >= KEYS_MAX {
            keys.clear();
        }
        keys.insert(kid.clone(), Arc::clone(&read));
        Ok(read)
    }
}

impl CheckTokens for TokenVerifier {
    fn check(&self, token: &str, keys: KeyOf<'_>) -> Result<(AccessToken, KeyThumbprint), TokenFault> {
        let header = header(token)?;
        let kid = KeyThumbprint::parse(&header.kid).map_err(|_| TokenFault::Malformed)?;
        let (algorithm, jwk) = keys(kid.as_str()).ok_or(TokenFault::KeyUnknown)?;
        if header.alg != algorithm.as_str() {
            return Err(TokenFault::Signature); // the key says what it signs with, not the token
        }
        let key = self.key(&kid, algorithm, &jwk)?;
        let checked = jsonwebtoken::decode::<AccessClaims>(token, &key.key, &key.rules);
        let claims = checked.map_err(|error| fault(error.kind()))?.claims;
        Ok((AccessToken::read(&claims, &self.url)?, kid))
    }
}

fn header(token: &str) -> Result<Header, TokenFault> {
    if token.len() > TOKEN_BYTES_MAX || token.bytes().filter(|byte| *byte == b'.').count() != 2 {
        return Err(TokenFault::Malformed);
    }
    let (text, _) = token.split_once('.').ok_or(TokenFault::Malformed)?;
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| TokenFault::Malformed)?;
    let header: Header = serde_json::from_slice(&bytes).map_err(|_| TokenFault::Malformed)?;
    // Media types are named in any case, and `application/` goes without saying (RFC 7515, 4.1.9).
    let typ = header.typ.to_ascii_lowercase();
    let is_access_token = typ.strip_prefix("application/").unwrap_or(&typ) == ACCESS_TOKEN_TYPE;
    if is_access_token { Ok(header) } else { Err(TokenFault::Malformed) }
}

/// One algorithm, this issuer, and every claim there. Time and audience are ours to check.
fn rules(algorithm: SigningAlgorithm, url: &PublicUrl) -> Validation {
    let mut rules = Validation::new(match algorithm {
        SigningAlgorithm::Rs256 => Algorithm::RS256,
        SigningAlgorithm::Es256 => Algorithm::ES256,
        SigningAlgorithm::EdDsa => Algorithm::EdDSA,
    });
    rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    rules.set_issuer(&[url.issuer()]);
    (rules.validate_exp, rules.validate_nbf, rules.validate_aud) = (false, false, false);
    rules
}

fn fault(error: &ErrorKind) -> TokenFault {
    match error {
        ErrorKind::InvalidSignature | ErrorKind::InvalidAlgorithm => TokenFault::Signature,
        ErrorKind::InvalidIssuer => TokenFault::Foreign,
        _ => TokenFault::Malformed, // a foreign enum that grows: whatever else is wrong, it is none of ours
    }
}

#[cfg(test)]
mod tests;
