//! Assertions of clients checked: header read strictly first, then the signature by `jsonwebtoken` under the one algorithm of the named key.
//!
//! Nothing in an assertion says where its key is or what it is: a header with anything but `alg`, `typ` and `kid` is refused (RFC 8725, 3.1 and
//! 3.10), so there is nothing to fetch and no algorithm to choose.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::value::{AssertionAlgorithm, ClientKey};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;

use crate::token::{AssertionClaims, CheckAssertions};

/// What an assertion may say that it is. No other token of anybody's is taken for one (RFC 8725, 3.11).
const TYPES: [&str; 2] = ["jwt", "client-authentication+jwt"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    #[serde(default)]
    typ: Option<String>,
    #[serde(default)]
    kid: Option<String>,
}

/// Checks assertions of clients.
#[derive(Debug, Clone, Copy, Default)]
pub struct AssertionVerifier;

impl CheckAssertions for AssertionVerifier {
    fn check(&self, assertion: &str, keys: &[ClientKey]) -> Option<AssertionClaims> {
        let header = header(assertion)?;
        let key = ClientKey::named(keys, header.kid.as_deref())?;
        if header.alg != key.algorithm.as_str() {
            return None; // the key says what it signs with, not the assertion
        }
        let jwk: Jwk = serde_json::from_str(key.public_jwk.as_str()).ok()?;
        let decoding = DecodingKey::from_jwk(&jwk).ok()?;
        let checked = jsonwebtoken::decode::<AssertionClaims>(assertion, &decoding, &rules(key.algorithm));
        Some(checked.ok()?.claims)
    }
}

fn header(assertion: &str) -> Option<Header> {
    if assertion.bytes().filter(|byte| *byte == b'.').count() != 2 {
        return None;
    }
    let (text, _) = assertion.split_once('.')?;
    let header: Header = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
    let typ = header.typ.as_deref().map(str::to_ascii_lowercase);
    let is_one = |typ: &str| TYPES.contains(&typ.strip_prefix("application/").unwrap_or(typ));
    typ.as_deref().is_none_or(is_one).then_some(header)
}

/// One algorithm. Everything that it says is looked at by whoever knows what it should say.
fn rules(algorithm: AssertionAlgorithm) -> Validation {
    let mut rules = Validation::new(match algorithm {
        AssertionAlgorithm::Rs256 => Algorithm::RS256,
        AssertionAlgorithm::Ps256 => Algorithm::PS256,
        AssertionAlgorithm::Es256 => Algorithm::ES256,
        AssertionAlgorithm::EdDsa => Algorithm::EdDSA,
    });
    rules.set_required_spec_claims::<&str>(&[]);
    (rules.validate_exp, rules.validate_nbf, rules.validate_aud) = (false, false, false);
    rules
}
