//! The master key: seals everything that must not lie in the database in clear (subject keys, data keys, upstream credentials,
//! answers that hold a secret, session ids). AES-256-GCM, one derived key for each purpose.
//!
//! Several keys may be given: all of them open, the first one seals. So a key is rotated by putting a new one in front.

use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::{digest, rand};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::hex::hex;

const KEY_BYTES: usize = 32;
const FORMAT: u8 = 1;
const KEY_ID_BYTES: usize = 4;
const HEADER_BYTES: usize = 1 + KEY_ID_BYTES + NONCE_LEN;

/// What something is sealed for. A value sealed for one purpose does not open for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The data key of one subject of personal data.
    SubjectKey,
    /// Blind index and peppers.
    DataKey,
    /// Credentials for an upstream.
    ConnectionSecret,
    /// The remembered answer of a command.
    CommandAnswer,
    /// Session ids handed to MCP clients.
    Session,
    /// Arguments of a call, where an instance keeps them.
    CallArguments,
    /// The private half of a key that signs access tokens.
    SigningKey,
    /// What is kept of a person's password.
    LocalPassword,
    /// An authorization request in the form that asks for consent.
    Consent,
    /// What an identity provider knows this deployment by.
    ProviderSecret,
    /// What an upstream's authorization server gave out, and who we are there.
    UpstreamAuthorization,
}

impl Purpose {
    const ALL: [Self; 11] = [
        Self::SubjectKey,
        Self::DataKey,
        Self::ConnectionSecret,
        Self::CommandAnswer,
        Self::Session,
        Self::CallArguments,
        Self::SigningKey,
        Self::LocalPassword,
        Self::Consent,
        Self::ProviderSecret,
        Self::UpstreamAuthorization,
    ];

    const fn info(self) -> &'static [u8] {
        match self {
            Self::SubjectKey => b"sekisho subject key v1",
            Self::DataKey => b"sekisho data key v1",
            Self::ConnectionSecret => b"sekisho connection secret v1",
            Self::CommandAnswer => b"sekisho command answer v1",
            Self::Session => b"sekisho session v1",
            Self::CallArguments => b"sekisho call arguments v1",
            Self::SigningKey => b"sekisho signing key v1",
            Self::LocalPassword => b"sekisho local password v1",
            Self::Consent => b"sekisho consent v1",
            Self::ProviderSecret => b"sekisho provider secret v1",
            Self::UpstreamAuthorization => b"sekisho upstream authorization v1",
        }
    }
}

/// Why a master key or a sealed value is of no use.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// The text is not a key.
    #[error(
        "a master key is 32 random bytes in base64; make one with `sekisho keys generate-master`. Several keys are separated by commas or \
         line breaks; the first one seals"
    )]
    Malformed,
    /// No key at all.
    #[error("no master key was given; make one with `sekisho keys generate-master`")]
    Missing,
    /// Sealed under a key that is not here.
    #[error(
        "sealed under the master key {0}, which is not among the {1} given; add the old key after the new one"
    )]
    UnknownKey(String, usize),
    /// Tampered with, moved, or cut.
    #[error("a sealed value does not open: it was changed, moved or cut")]
    Broken,
}

struct OneKey {
    id: [u8; KEY_ID_BYTES],
    purposes: Vec<(Purpose, LessSafeKey)>,
}

/// The master keys of a deployment.
#[derive(Clone)]
pub struct MasterKeys(Arc<[OneKey]>);

impl std::fmt::Debug for MasterKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MasterKeys({})", self.0.len())
    }
}

struct Length(usize);
impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

impl MasterKeys {
    /// Reads keys from the text of a file or an environment variable.
    pub fn parse(text: &str) -> Result<Self, MasterKeyError> {
        let mut keys = Vec::new();
        for part in
            text.split([',', '\n']).map(str::trim).filter(|part| !part.is_empty() && !part.starts_with('#'))
        {
            let bytes = Zeroizing::new(STANDARD.decode(part).map_err(|_| MasterKeyError::Malformed)?);
            keys.push(OneKey::derive(&bytes)?);
        }
        if keys.is_empty() { Err(MasterKeyError::Missing) } else { Ok(Self(keys.into())) }
    }

    /// A fresh key as text.
    pub fn generate() -> Result<Zeroizing<String>, MasterKeyError> {
        let mut bytes = Zeroizing::new([0_u8; KEY_BYTES]);
        rand::fill(bytes.as_mut()).map_err(|_| MasterKeyError::Broken)?;
        Ok(Zeroizing::new(STANDARD.encode(bytes.as_ref())))
    }

    /// Seals a value for a purpose and a place: it opens nowhere else.
    pub fn seal(&self, purpose: Purpose, place: &str, plain: &[u8]) -> Result<Vec<u8>, MasterKeyError> {
        let key = self.0.first().ok_or(MasterKeyError::Missing)?;
        let mut nonce = [0_u8; NONCE_LEN];
        rand::fill(&mut nonce).map_err(|_| MasterKeyError::Broken)?;
        let mut text = plain.to_vec();
        let tag = key
            .for_purpose(purpose)?
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(place.as_bytes()),
                &mut text,
            )
            .map_err(|_| MasterKeyError::Broken)?;
        let mut sealed = Vec::with_capacity(HEADER_BYTES + text.len() + tag.as_ref().len());
        sealed.push(FORMAT);
        sealed.extend_from_slice(&key.id);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&text);
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// Opens what `seal` made for the same purpose and place.
    pub fn open(
        &self,
        purpose: Purpose,
        place: &str,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, MasterKeyError> {
        let (header, text) = sealed.split_at_checked(HEADER_BYTES).ok_or(MasterKeyError::Broken)?;
        let (format, rest) = header.split_first().ok_or(MasterKeyError::Broken)?;
        let (id, nonce) = rest.split_at_checked(KEY_ID_BYTES).ok_or(MasterKeyError::Broken)?;
        if *format != FORMAT {
            return Err(MasterKeyError::Broken);
        }
        let key = self
            .0
            .iter()
            .find(|key| key.id == id)
            .ok_or_else(|| MasterKeyError::UnknownKey(hex(id), self.0.len()))?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| MasterKeyError::Broken)?;
        let mut text = Zeroizing::new(text.to_vec());
        let length = key
            .for_purpose(purpose)?
            .open_in_place(nonce, Aad::from(place.as_bytes()), &mut text)
            .map_err(|_| MasterKeyError::Broken)?
            .len();
        text.truncate(length);
        Ok(text)
    }

    /// The short name of the sealing key, safe to print.
    pub fn active_id(&self) -> String {
        self.0.first().map(|key| hex(&key.id)).unwrap_or_default()
    }
}

impl OneKey {
    fn derive(bytes: &[u8]) -> Result<Self, MasterKeyError> {
        if bytes.len() != KEY_BYTES {
            return Err(MasterKeyError::Malformed);
        }
        let root = Salt::new(HKDF_SHA256, b"sekisho master key").extract(bytes);
        let expand = |info: &[u8]| {
            let mut key = Zeroizing::new([0_u8; KEY_BYTES]);
            root.expand(&[info], Length(KEY_BYTES))
                .and_then(|okm| okm.fill(key.as_mut()))
                .map_err(|_| MasterKeyError::Malformed)?;
            Ok::<_, MasterKeyError>(key)
        };
        let mut purposes = Vec::new();
        for purpose in Purpose::ALL {
            purposes.push((purpose, cipher(expand(purpose.info())?.as_ref())?));
        }
        let mut id = [0_u8; KEY_ID_BYTES];
        let print = digest::digest(&digest::SHA256, expand(b"sekisho key id v1")?.as_ref());
        id.iter_mut().zip(print.as_ref()).for_each(|(to, from)| *to = *from);
        Ok(Self { id, purposes })
    }

    fn for_purpose(&self, purpose: Purpose) -> Result<&LessSafeKey, MasterKeyError> {
        self.purposes
            .iter()
            .find(|(its, _)| *its == purpose)
            .map(|(_, key)| key)
            .ok_or(MasterKeyError::Broken)
    }
}

/// An AES-256-GCM key from 32 raw bytes.
pub(super) fn cipher(bytes: &[u8]) -> Result<LessSafeKey, MasterKeyError> {
    UnboundKey::new(&AES_256_GCM, bytes).map(LessSafeKey::new).map_err(|_| MasterKeyError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(count: usize) -> (Vec<String>, MasterKeys) {
        let texts: Vec<_> = (0..count).map(|_| MasterKeys::generate().unwrap().to_string()).collect();
        let keys = MasterKeys::parse(&texts.join(",\n")).unwrap();
        (texts, keys)
    }

    #[test]
    fn a_short_or_garbled_or_absent_key_is_refused() {
        assert!(matches!(MasterKeys::parse(""), Err(MasterKeyError::Missing)));
        assert!(matches!(MasterKeys::parse("c2hvcnQ="), Err(MasterKeyError::Malformed)));
        assert!(matches!(MasterKeys::parse("not base64!"), Err(MasterKeyError::Malformed)));
    }

    #[test]
    fn a_sealed_value_opens_only_for_its_purpose_and_place_and_unchanged() {
        let (_, keys) = keys(1);
        let sealed = keys.seal(Purpose::Session, "here", b"text").unwrap();
        assert!(keys.open(Purpose::DataKey, "here", &sealed).is_err());
        assert!(keys.open(Purpose::Session, "there", &sealed).is_err());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(keys.open(Purpose::Session, "here", &changed).is_err());
            assert!(keys.open(Purpose::Session, "here", &sealed[..at]).is_err());
        }
        assert_eq!(*keys.open(Purpose::Session, "here", &sealed).unwrap(), b"text");
    }

    #[test]
    fn after_a_rotation_the_old_key_still_opens_and_without_it_the_error_names_it() {
        let (texts, old) = keys(1);
        let sealed = old.seal(Purpose::DataKey, "x", b"text").unwrap();
        let new = MasterKeys::generate().unwrap();
        let both = MasterKeys::parse(&format!("{},{}", *new, texts[0])).unwrap();
        assert_eq!(*both.open(Purpose::DataKey, "x", &sealed).unwrap(), b"text");
        let error = MasterKeys::parse(&new).unwrap().open(Purpose::DataKey, "x", &sealed).unwrap_err();
        assert!(error.to_string().contains(&old.active_id()), "{error}");
    }
}
