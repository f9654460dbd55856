//! A key of a client, and whatever it signs, right or wrong.

use api::adapters::system::SystemClock;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::value::Clock as _;
use serde_json::{Value, json};

/// How a client says that it proves itself so.
pub(crate) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

enum Pair {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// A private key.
pub(crate) struct Signer {
    pub(crate) kid: String,
    pub(crate) alg: &'static str,
    pair: Pair,
}

impl Signer {
    /// A fresh one.
    pub(crate) fn new(alg: &'static str, kid: &str) -> Self {
        let pair = match alg {
            "RS256" | "PS256" => Pair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()),
            "ES256" => Pair::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()),
            "EdDSA" => Pair::Ed25519(Ed25519KeyPair::generate().unwrap()),
            other => panic!("{other} is no algorithm of clients"),
        };
        Self { kid: kid.to_owned(), alg, pair }
    }

    /// Its public half (RFC 7517).
    pub(crate) fn jwk(&self) -> Value {
        let mut jwk = match &self.pair {
            // RFC 8017, A.1.1: a sequence of two numbers, of which the first has 256 bytes behind its header.
            Pair::Rsa(pair) => {
                json!({ "kty": "RSA", "n": base64(&pair.public_key().as_ref()[9..265]), "e": "AQAB" })
            }
            Pair::P256(pair) => {
                let point = pair.public_key().as_ref();
                json!({ "kty": "EC", "crv": "P-256", "x": base64(&point[1..33]), "y": base64(&point[33..]) })
            }
            Pair::Ed25519(pair) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": base64(pair.public_key().as_ref()) })
            }
        };
        jwk["kid"] = json!(self.kid);
        jwk["alg"] = json!(self.alg);
        jwk
    }

    /// A set with it alone.
    pub(crate) fn jwks(&self) -> Value {
        json!({ "keys": [self.jwk()] })
    }

    /// The header that it signs under.
    pub(crate) fn header(&self) -> Value {
        json!({ "alg": self.alg, "kid": self.kid })
    }

    /// Any header and claims, as text, with a signature that holds.
    pub(crate) fn signed(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", base64(header.as_bytes()), base64(claims.as_bytes()));
        let random = SystemRandom::new();
        let signature = match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let how = if self.alg == "PS256" { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
                pair.sign(how, &random, message.as_bytes(), &mut signature).unwrap();
                signature
            }
            Pair::P256(pair) => pair.sign(&random, message.as_bytes()).unwrap().as_ref().to_vec(),
            Pair::Ed25519(pair) => pair.sign(message.as_bytes()).as_ref().to_vec(),
        };
        format!("{message}.{}", base64(&signature))
    }

    /// An assertion of these claims.
    pub(crate) fn assertion(&self, claims: &Value) -> String {
        self.signed(&self.header().to_string(), &claims.to_string())
    }
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Now, in seconds of Unix time.
pub(crate) fn now() -> i64 {
    SystemClock.now().get().unix_timestamp()
}

/// What an assertion of this client for this audience says.
pub(crate) fn claims(client: &str, audience: &str) -> Value {
    json!({ "iss": client, "sub": client, "aud": audience, "exp": now() + 60, "iat": now(), "jti": uuid::Uuid::new_v4() })
}
