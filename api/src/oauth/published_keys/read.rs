//! A set of keys, read leniently: it may be there for others too, so what is of no use here is left out (RFC 7517, 5). A key whose private half lies
//! there as well is of no use to anybody.

use domain::value::{ClientKey, PublishedKeys};
use serde_json::Value;

use crate::token::read_client_key;

/// Keys of one set.
const KEYS_MAX: usize = 32;

/// Reads what lies at an address of keys; or why there is none among it, for the log.
pub(super) fn read(at: &PublishedKeys, body: &[u8]) -> Result<std::sync::Arc<[ClientKey]>, String> {
    let set: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let keys = set.get("keys").and_then(Value::as_array).ok_or("it is no set of keys")?;
    if keys.len() > KEYS_MAX {
        return Err(format!("it holds more than {KEYS_MAX} keys"));
    }
    let mut why = "it is empty".to_owned();
    let mut of_use = Vec::new();
    for key in keys {
        match read_client_key(key, at.algorithm) {
            Ok(key) => of_use.push(key),
            Err(fault) => why = fault.to_string(),
        }
    }
    if of_use.is_empty() { Err(format!("none of its keys is of use here: {why}")) } else { Ok(of_use.into()) }
}

#[cfg(test)]
mod tests {
    use domain::value::{AssertionAlgorithm, KeysUrl};
    use serde_json::json;

    use super::*;

    fn read_as(algorithm: Option<AssertionAlgorithm>, set: &Value) -> Result<Vec<String>, String> {
        let at = PublishedKeys { url: KeysUrl::parse("https://app.example.com/jwks").unwrap(), algorithm };
        let keys = read(&at, set.to_string().as_bytes())?;
        Ok(keys.iter().map(|key| format!("{} {}", key.kid, key.algorithm.as_str())).collect())
    }

    fn rsa(kid: &str) -> Value {
        json!({ "kty": "RSA", "n": crate::token::base64url(&[0xff; 256]), "e": "AQAB", "kid": kid })
    }

    #[test]
    fn what_holds_no_key_that_is_of_use_is_none() {
        let mut private = rsa("a");
        private["d"] = json!("AQAB");
        let mut sealing = rsa("a");
        sealing["use"] = json!("enc");
        for set in [
            json!(null),
            json!([]),
            json!({}),
            json!({ "keys": {} }),
            json!({ "keys": [] }),
            json!({ "keys": [1, null, {}] }),
            json!({ "keys": [private] }),
            json!({ "keys": [sealing] }),
            json!({ "keys": [{ "kty": "oct", "k": "AQAB" }] }),
            json!({ "keys": vec![rsa("a"); KEYS_MAX + 1] }),
        ] {
            assert!(read_as(None, &set).is_err(), "{set}");
        }
    }

    #[test]
    fn what_is_of_no_use_is_left_out() {
        let mut named = rsa("b");
        named["alg"] = json!("PS256");
        let unknown = json!({ "kty": "EC", "crv": "P-384", "x": "AQ", "y": "AQ", "kid": "c" });
        let set = json!({ "keys": [rsa("a"), named, unknown], "more": 1 });
        assert_eq!(read_as(None, &set).unwrap(), ["a RS256", "b PS256"]);
        assert_eq!(read_as(Some(AssertionAlgorithm::Ps256), &set).unwrap(), ["a PS256", "b PS256"]);
        assert_eq!(read_as(Some(AssertionAlgorithm::Rs256), &set).unwrap(), ["a RS256"]);
        assert!(read_as(Some(AssertionAlgorithm::EdDsa), &set).is_err());
    }
}
