//! The keys of a client as it sends them (RFC 7517, 5), read into what is kept of them, and written again.
//!
//! Of a key only its kind and numbers are kept. What says where else it could be found (`x5u`, `x5c`) is left out and never followed.

use domain::value::{
    AssertionAlgorithm, CLIENT_KEYS_MAX, ClientKey, ClientKeys, ClientKeysError, KeyName, KeyNameError,
    PublicJwk, PublicJwkError, SigningAlgorithm,
};
use serde_json::{Map, Value, json};

use super::PublicKey;

/// Why some keys are not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ClientKeysFault {
    /// No set of keys.
    #[error("jwks is a JSON object with a list of keys")]
    Shape,
    /// It would have been told to everybody on its way here.
    #[error("one of the keys holds a private member; make a new one, and send its public half")]
    Private,
    /// Of a kind, curve or size that is not taken.
    #[error("a key is RSA of 2048 to 4096 bits, EC on P-256 or OKP on Ed25519")]
    Kind,
    /// For something else than proving who signed.
    #[error("one of the keys is for something else than signatures")]
    Use,
    /// An algorithm that is not taken, or not one of this kind of key.
    #[error("one of the keys names an algorithm that is not taken, or that is none of its kind")]
    Algorithm,
    /// Too many, none, or two of one name.
    #[error(transparent)]
    Keys(#[from] ClientKeysError),
    /// A name that is none.
    #[error(transparent)]
    Name(#[from] KeyNameError),
}

/// Reads a set of keys. Where a key names no algorithm, it signs with this one, or with the one that is usual for its kind.
pub(crate) fn read_client_keys(
    jwks: &Value,
    algorithm: Option<AssertionAlgorithm>,
) -> Result<ClientKeys, ClientKeysFault> {
    let keys = jwks.get("keys").and_then(Value::as_array).ok_or(ClientKeysFault::Shape)?;
    if keys.len() > CLIENT_KEYS_MAX {
        return Err(ClientKeysError::Count.into());
    }
    let keys: Result<Vec<ClientKey>, ClientKeysFault> =
        keys.iter().map(|key| read_client_key(key, algorithm)).collect();
    Ok(ClientKeys::try_new(keys?)?)
}

/// Reads one key.
pub(crate) fn read_client_key(
    key: &Value,
    algorithm: Option<AssertionAlgorithm>,
) -> Result<ClientKey, ClientKeysFault> {
    let members = key.as_object().ok_or(ClientKeysFault::Shape)?;
    // All that the key says, so that a private member is not merely left out.
    match PublicJwk::parse(&key.to_string()) {
        Err(PublicJwkError::Private) => return Err(ClientKeysFault::Private),
        Err(PublicJwkError::Malformed) => return Err(ClientKeysFault::Kind),
        Ok(_) => {}
    }
    let public = PublicKey::read(members).ok_or(ClientKeysFault::Kind)?;
    must_sign(members)?;
    let algorithm = match members.get("alg") {
        None => algorithm.unwrap_or_else(|| usual(public.algorithm())),
        Some(named) => {
            let named = named.as_str().and_then(AssertionAlgorithm::parse);
            let named = named.ok_or(ClientKeysFault::Algorithm)?;
            if algorithm.is_some_and(|wanted| wanted != named) {
                return Err(ClientKeysFault::Algorithm);
            }
            named
        }
    };
    if !is_of(algorithm, &public) {
        return Err(ClientKeysFault::Algorithm);
    }
    let kid = match members.get("kid") {
        Some(kid) => KeyName::parse(kid.as_str().ok_or(KeyNameError)?)?,
        // The name that anybody would give it (RFC 7638).
        None => KeyName::parse(public.thumbprint().ok_or(ClientKeysFault::Kind)?.as_str())?,
    };
    let public_jwk = PublicJwk::parse(&public.bare_jwk().to_string()).map_err(|_| ClientKeysFault::Kind)?;
    Ok(ClientKey { kid, algorithm, public_jwk })
}

/// RFC 7517, 4.2 and 4.3.
fn must_sign(members: &Map<String, Value>) -> Result<(), ClientKeysFault> {
    let is_for_signatures = members.get("use").is_none_or(|what| what == "sig");
    let verifies = match members.get("key_ops") {
        None => true,
        Some(Value::Array(operations)) => operations.iter().all(|operation| operation == "verify"),
        Some(_) => false,
    };
    if is_for_signatures && verifies { Ok(()) } else { Err(ClientKeysFault::Use) }
}

const fn usual(algorithm: SigningAlgorithm) -> AssertionAlgorithm {
    match algorithm {
        SigningAlgorithm::Rs256 => AssertionAlgorithm::Rs256,
        SigningAlgorithm::Es256 => AssertionAlgorithm::Es256,
        SigningAlgorithm::EdDsa => AssertionAlgorithm::EdDsa,
    }
}

const fn is_of(algorithm: AssertionAlgorithm, key: &PublicKey) -> bool {
    match key {
        PublicKey::Rsa { .. } => matches!(algorithm, AssertionAlgorithm::Rs256 | AssertionAlgorithm::Ps256),
        PublicKey::P256 { .. } => matches!(algorithm, AssertionAlgorithm::Es256),
        PublicKey::Ed25519 { .. } => matches!(algorithm, AssertionAlgorithm::EdDsa),
    }
}

/// The set of keys as it is shown.
pub(crate) fn jwks_of(keys: &ClientKeys) -> Value {
    let key = |key: &ClientKey| {
        let mut jwk: Value = serde_json::from_str(key.public_jwk.as_str()).unwrap_or_default();
        if let Some(members) = jwk.as_object_mut() {
            members.insert("kid".to_owned(), json!(key.kid));
            members.insert("alg".to_owned(), json!(key.algorithm));
            members.insert("use".to_owned(), json!("sig"));
        }
        jwk
    };
    json!({ "keys": keys.iter().map(key).collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8037, appendix A.2.
    const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

    fn ed25519() -> Value {
        json!({ "kty": "OKP", "crv": "Ed25519", "x": X })
    }

    fn rsa(modulus_bytes: usize) -> Value {
        let n = vec![0xff; modulus_bytes];
        json!({ "kty": "RSA", "n": super::super::base64url(&n), "e": "AQAB" })
    }

    fn with(mut key: Value, name: &str, value: Value) -> Value {
        key[name] = value;
        key
    }

    fn read_one(key: &Value) -> Result<ClientKeys, ClientKeysFault> {
        read_client_keys(&json!({ "keys": [key] }), None)
    }

    #[test]
    fn what_is_no_set_of_public_keys_for_signatures_is_refused() {
        for jwks in [json!(null), json!([]), json!({}), json!({ "keys": {} }), json!({ "keys": [1] })] {
            assert_eq!(read_client_keys(&jwks, None), Err(ClientKeysFault::Shape), "{jwks}");
        }
        let y = with(with(ed25519(), "kty", json!("EC")), "crv", json!("P-256"));
        for (key, fault) in [
            (with(ed25519(), "d", json!(X)), ClientKeysFault::Private),
            (with(rsa(256), "p", json!("AQ")), ClientKeysFault::Private),
            (json!({ "kty": "oct", "k": "AQ" }), ClientKeysFault::Private),
            (json!({ "kty": "oct" }), ClientKeysFault::Kind),
            (with(ed25519(), "crv", json!("Ed448")), ClientKeysFault::Kind),
            (with(ed25519(), "x", json!("AQ")), ClientKeysFault::Kind),
            (y, ClientKeysFault::Kind),
            (rsa(255), ClientKeysFault::Kind),
            (rsa(513), ClientKeysFault::Kind),
            (with(rsa(256), "e", json!("AQ")), ClientKeysFault::Kind),
            (with(rsa(256), "e", json!("AAEAAQ")), ClientKeysFault::Kind),
            (with(rsa(256), "n", json!("!")), ClientKeysFault::Kind),
            (with(ed25519(), "use", json!("enc")), ClientKeysFault::Use),
            (with(ed25519(), "key_ops", json!(["sign"])), ClientKeysFault::Use),
            (with(ed25519(), "alg", json!("HS256")), ClientKeysFault::Algorithm),
            (with(ed25519(), "alg", json!("ES256")), ClientKeysFault::Algorithm),
            (with(rsa(256), "alg", json!("none")), ClientKeysFault::Algorithm),
            (with(ed25519(), "kid", json!(7)), ClientKeysFault::Name(KeyNameError)),
            (with(ed25519(), "kid", json!("")), ClientKeysFault::Name(KeyNameError)),
        ] {
            assert_eq!(read_one(&key), Err(fault), "{key}");
        }
        let many: Vec<Value> = (0..1_000).map(|kid| with(ed25519(), "kid", json!(kid.to_string()))).collect();
        let many = read_client_keys(&json!({ "keys": many }), None);
        assert_eq!(many, Err(ClientKeysFault::Keys(ClientKeysError::Count)));
    }

    #[test]
    fn a_key_without_a_name_gets_its_thumbprint_and_one_without_an_algorithm_the_usual_one() {
        let keys = read_one(&ed25519()).unwrap();
        let key = keys.iter().next().unwrap();
        assert_eq!(key.kid.as_str(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"); // RFC 8037, appendix A.3
        assert_eq!(key.algorithm, AssertionAlgorithm::EdDsa);
        let rsa = |wanted| read_client_keys(&json!({ "keys": [rsa(256)] }), wanted);
        assert_eq!(rsa(None).unwrap().iter().next().unwrap().algorithm, AssertionAlgorithm::Rs256);
        let pss = Some(AssertionAlgorithm::Ps256);
        assert_eq!(rsa(pss).unwrap().iter().next().unwrap().algorithm, AssertionAlgorithm::Ps256);
        assert_eq!(rsa(Some(AssertionAlgorithm::EdDsa)), Err(ClientKeysFault::Algorithm));
    }

    #[test]
    fn what_is_shown_reads_as_what_was_sent_without_what_nobody_asked_for() {
        let sent = with(with(ed25519(), "kid", json!("a")), "x5u", json!("https://evil.example/"));
        let keys = read_one(&sent).unwrap();
        let shown = jwks_of(&keys);
        assert_eq!(
            shown,
            json!({ "keys": [with(with(with(ed25519(), "kid", json!("a")), "alg", json!("EdDSA")), "use", json!("sig"))] })
        );
        assert_eq!(read_client_keys(&shown, None).unwrap(), keys);
    }
}
