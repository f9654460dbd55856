//! A signing key of access tokens: made once, parsed once when it is opened, then kept.
//!
//! `rsa` makes RSA keys and writes them as PKCS#8, nothing else: the advisory against its private-key operations (RUSTSEC-2023-0071) stands.
//! Every signature is made by aws-lc-rs.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use domain::value::{KeyThumbprint, PublicJwk, SigningAlgorithm};
use rsa::pkcs8::EncodePrivateKey as _;
use rsa::traits::PublicKeyParts as _;
use zeroize::Zeroizing;

use crate::token::{PublicKey, base64url as base64};

const RSA_BITS: usize = 2_048;

/// A key that was just made.
pub(super) struct FreshKey {
    /// Its name.
    pub(super) kid: KeyThumbprint,
    /// As it is published.
    pub(super) public_jwk: PublicJwk,
    /// As it is kept, sealed.
    pub(super) pkcs8: Zeroizing<Vec<u8>>,
}

/// The machine's cryptography does not do what it must.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// No key could be made.
    #[error("a signing key cannot be made")]
    Making,
    /// What was kept is no key of its algorithm.
    #[error("what is kept of a signing key is no key")]
    Reading,
    /// No signature could be made.
    #[error("a signature cannot be made")]
    Signing,
}

/// A parsed private key.
#[derive(Debug)]
pub(super) enum SigningPair {
    /// RS256.
    Rsa(RsaKeyPair),
    /// ES256.
    P256(EcdsaKeyPair),
    /// EdDSA.
    Ed25519(Ed25519KeyPair),
}

/// Makes a key. Takes a while for RSA: to be run where waiting is allowed.
pub(super) fn make(algorithm: SigningAlgorithm) -> Result<FreshKey, KeyFault> {
    let (public, pkcs8) = match algorithm {
        SigningAlgorithm::Rs256 => {
            let key = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, RSA_BITS)
                .map_err(|_| KeyFault::Making)?;
            let pkcs8 = key.to_pkcs8_der().map_err(|_| KeyFault::Making)?.to_bytes();
            (PublicKey::Rsa { n: key.n().to_bytes_be(), e: key.e().to_bytes_be() }, pkcs8)
        }
        SigningAlgorithm::Es256 => {
            let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
                .map_err(|_| KeyFault::Making)?;
            let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref())
                .map_err(|_| KeyFault::Making)?;
            let public = PublicKey::p256(pair.public_key().as_ref()).ok_or(KeyFault::Making)?;
            (public, Zeroizing::new(pkcs8.as_ref().to_vec()))
        }
        SigningAlgorithm::EdDsa => {
            let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| KeyFault::Making)?;
            let pair = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).map_err(|_| KeyFault::Making)?;
            let x = pair.public_key().as_ref().to_vec();
            (PublicKey::Ed25519 { x }, Zeroizing::new(pkcs8.as_ref().to_vec()))
        }
    };
    SigningPair::parse(algorithm, &pkcs8)?; // what cannot be used later is not kept
    let kid = public.thumbprint().ok_or(KeyFault::Making)?;
    let public_jwk = PublicJwk::parse(&public.jwk(&kid).to_string()).map_err(|_| KeyFault::Making)?;
    Ok(FreshKey { kid, public_jwk, pkcs8 })
}

impl SigningPair {
    /// Reads a key that was kept.
    pub(super) fn parse(algorithm: SigningAlgorithm, pkcs8: &[u8]) -> Result<Self, KeyFault> {
        match algorithm {
            SigningAlgorithm::Rs256 => RsaKeyPair::from_pkcs8(pkcs8).map(Self::Rsa),
            SigningAlgorithm::Es256 => {
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).map(Self::P256)
            }
            SigningAlgorithm::EdDsa => Ed25519KeyPair::from_pkcs8(pkcs8).map(Self::Ed25519),
        }
        .map_err(|_| KeyFault::Reading)
    }

    /// What it signs with.
    pub(super) const fn algorithm(&self) -> SigningAlgorithm {
        match self {
            Self::Rsa(_) => SigningAlgorithm::Rs256,
            Self::P256(_) => SigningAlgorithm::Es256,
            Self::Ed25519(_) => SigningAlgorithm::EdDsa,
        }
    }

    /// Signs claims as a compact token (RFC 7515, 7.1) of this type (RFC 9068, 2.1).
    pub(super) fn token(&self, kid: &KeyThumbprint, typ: &str, claims: &[u8]) -> Result<String, KeyFault> {
        let header =
            format!(r#"{{"alg":"{}","typ":"{typ}","kid":"{}"}}"#, self.algorithm().as_str(), kid.as_str());
        let mut token = base64(header.as_bytes());
        token.push('.');
        token.push_str(&base64(claims));
        let signature = self.sign(token.as_bytes())?;
        token.push('.');
        token.push_str(&base64(&signature));
        Ok(token)
    }

    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyFault> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .map_err(|_| KeyFault::Signing)?;
                Ok(signature)
            }
            Self::P256(pair) => {
                let signature = pair.sign(&random, message).map_err(|_| KeyFault::Signing)?;
                Ok(signature.as_ref().to_vec())
            }
            Self::Ed25519(pair) => {
                Ok(pair.try_sign(message).map_err(|_| KeyFault::Signing)?.as_ref().to_vec())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_back_as_what_it_is_and_as_nothing_else() {
        for algorithm in [SigningAlgorithm::Es256, SigningAlgorithm::EdDsa] {
            let fresh = make(algorithm).unwrap();
            for other in SigningAlgorithm::ALL {
                assert_eq!(SigningPair::parse(other, &fresh.pkcs8).is_ok(), other == algorithm);
            }
        }
    }

    #[test]
    fn what_is_published_of_a_key_holds_nothing_private() {
        for algorithm in SigningAlgorithm::ALL {
            let fresh = make(algorithm).unwrap();
            let jwk: serde_json::Value = serde_json::from_str(fresh.public_jwk.as_str()).unwrap();
            let members = jwk.as_object().unwrap();
            for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
                assert!(!members.contains_key(private), "{private}");
            }
            assert_eq!(members["use"], "sig");
            assert_eq!(members["alg"], algorithm.as_str());
            assert_eq!(members["kid"], fresh.kid.as_str());
        }
    }
}
