//! What a refresh token yields: the digest that it is found by, and the key that its answer is sealed under. Neither yields the other, nor the token:
//! each is an HMAC under the token itself, which has 256 random bits.

use aws_lc_rs::aead::{Aad, LessSafeKey, NONCE_LEN, Nonce};
use aws_lc_rs::{hmac, rand};
use zeroize::Zeroizing;

use crate::adapters::master_key::cipher;

const DIGEST: &[u8] = b"sekisho refresh token digest v1";
const ANSWER: &[u8] = b"sekisho refresh token answer v1";

/// What one token yields.
pub(super) struct TokenMarks {
    digest: hmac::Tag,
    key: LessSafeKey,
}

/// An answer does not open, or none can be sealed.
#[derive(Debug, thiserror::Error)]
#[error("the kept answer of a refresh token does not open: it was changed or moved")]
pub(super) struct Broken;

impl TokenMarks {
    pub(super) fn of(token: &str) -> Result<Self, Broken> {
        let token = hmac::Key::new(hmac::HMAC_SHA256, token.as_bytes());
        let key = cipher(hmac::sign(&token, ANSWER).as_ref()).map_err(|_| Broken)?;
        Ok(Self { digest: hmac::sign(&token, DIGEST), key })
    }

    /// Under which the token is kept.
    pub(super) fn digest(&self) -> &[u8] {
        self.digest.as_ref()
    }

    /// Seals what the use of this token was answered with.
    pub(super) fn seal(&self, answer: &[u8]) -> Result<Vec<u8>, Broken> {
        let mut nonce = [0_u8; NONCE_LEN];
        rand::fill(&mut nonce).map_err(|_| Broken)?;
        let mut text = Zeroizing::new(answer.to_vec());
        let tag = self
            .key
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(self.digest()),
                &mut text,
            )
            .map_err(|_| Broken)?;
        Ok([&nonce, text.as_slice(), tag.as_ref()].concat())
    }

    /// Opens what `seal` made.
    pub(super) fn open(&self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Broken> {
        let (nonce, text) = sealed.split_at_checked(NONCE_LEN).ok_or(Broken)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Broken)?;
        let mut text = Zeroizing::new(text.to_vec());
        let length =
            self.key.open_in_place(nonce, Aad::from(self.digest()), &mut text).map_err(|_| Broken)?.len();
        text.truncate(length);
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_opens_with_its_own_token_alone_and_unchanged() {
        let marks = TokenMarks::of("rt_one").unwrap();
        let sealed = marks.seal(b"answer").unwrap();
        assert!(TokenMarks::of("rt_two").unwrap().open(&sealed).is_err());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(marks.open(&changed).is_err());
            assert!(marks.open(&sealed[..at]).is_err());
        }
        assert_eq!(*marks.open(&sealed).unwrap(), b"answer");
    }

    #[test]
    fn what_lies_in_the_table_does_not_hold_what_opens_it() {
        let marks = TokenMarks::of("rt_one").unwrap();
        let by_digest = cipher(marks.digest()).unwrap();
        let mut sealed = marks.seal(b"answer").unwrap();
        let (nonce, text) = sealed.split_at_mut(NONCE_LEN);
        let nonce = Nonce::try_assume_unique_for_key(nonce).unwrap();
        assert!(by_digest.open_in_place(nonce, Aad::from(marks.digest()), text).is_err());
        assert_eq!(marks.digest(), TokenMarks::of("rt_one").unwrap().digest());
        assert_ne!(marks.digest(), TokenMarks::of("rt_onf").unwrap().digest());
    }
}
