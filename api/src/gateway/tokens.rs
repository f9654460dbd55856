//! Access tokens that were checked: a signature is verified once, then found by the digest of its token, for as long as memory lasts.
//!
//! What is remembered is what the token says, which never changes; whether it still counts is decided by the view, call by call, and so is whether
//! its key is still published. Signature and issuer are those of this process alone, the audience is compared at every call, so nothing that is
//! found here crosses from one instance to another. What was refused is not remembered: strangers must not fill memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest;
use domain::value::KeyThumbprint;
use projections::access::AccessView;

use crate::token::{AccessToken, CheckTokens, TokenFault};

/// Tokens in each of two generations: the elder one is forgotten when the younger one is full.
const GENERATION_MAX: usize = 20_000;

type Digest = [u8; 32];

/// A token that we signed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CheckedToken {
    /// What it says.
    pub(super) token: AccessToken,
    /// The key that signed it.
    pub(super) kid: KeyThumbprint,
}

/// Checks tokens, and remembers those that were good.
pub struct Tokens {
    check: Arc<dyn CheckTokens>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    young: HashMap<Digest, Arc<CheckedToken>>,
    old: HashMap<Digest, Arc<CheckedToken>>,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").finish_non_exhaustive()
    }
}

impl Tokens {
    /// Tokens that this checks.
    pub fn new(check: Arc<dyn CheckTokens>) -> Self {
        Self { check, known: Mutex::default() }
    }

    /// The token with this text, if we signed it with a key that this view knows.
    pub(super) fn check(&self, text: &str, view: &AccessView) -> Result<Arc<CheckedToken>, TokenFault> {
        let mark = mark(text);
        if let Some(known) = self.known.lock().unwrap_or_else(PoisonError::into_inner).find(&mark) {
            return Ok(known);
        }
        let keys = |kid: &str| view.signing_key(kid).map(|key| (key.algorithm, Arc::clone(&key.public_jwk)));
        let (token, kid) = self.check.check(text, &keys)?;
        let checked = Arc::new(CheckedToken { token, kid });
        self.known.lock().unwrap_or_else(PoisonError::into_inner).remember(mark, &checked);
        Ok(checked)
    }
}

impl Known {
    fn find(&mut self, mark: &Digest) -> Option<Arc<CheckedToken>> {
        if let Some(token) = self.young.get(mark) {
            return Some(Arc::clone(token));
        }
        let token = self.old.remove(mark)?;
        self.remember(*mark, &token);
        Some(token)
    }

    fn remember(&mut self, mark: Digest, token: &Arc<CheckedToken>) {
        if self.young.len() >= GENERATION_MAX {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(mark, Arc::clone(token));
    }
}

fn mark(text: &str) -> Digest {
    let mut mark = [0; 32];
    let digest = digest::digest(&digest::SHA256, text.as_bytes());
    mark.iter_mut().zip(digest.as_ref()).for_each(|(to, from)| *to = *from);
    mark
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use domain::value::{ClientId, InstanceId, Scopes, Timestamp, TokenId};
    use projections::access::{TokenClaims, TokenHolder};
    use uuid::Uuid;

    use super::*;
    use crate::token::KeyOf;

    /// Takes what begins with `good`, and counts.
    #[derive(Default)]
    struct Counted(AtomicUsize);

    impl CheckTokens for Counted {
        fn check(&self, token: &str, _: KeyOf<'_>) -> Result<(AccessToken, KeyThumbprint), TokenFault> {
            self.0.fetch_add(1, Ordering::SeqCst);
            if !token.starts_with("good") {
                return Err(TokenFault::Signature);
            }
            let says = TokenClaims {
                token: TokenId::new(Uuid::nil()),
                client: ClientId::new(Uuid::nil()),
                holder: TokenHolder::Client,
                instance: InstanceId::new(Uuid::nil()),
                scopes: Scopes::default(),
                expires_at: Timestamp::EPOCH,
            };
            let kid = KeyThumbprint::parse(&"k".repeat(43)).unwrap();
            Ok((AccessToken { says, document: None, issued_at: Timestamp::EPOCH, not_before: None }, kid))
        }
    }

    #[test]
    fn what_was_refused_is_checked_again_and_what_was_good_is_not() {
        let counted = Arc::new(Counted::default());
        let tokens = Tokens::new(Arc::clone(&counted) as Arc<dyn CheckTokens>);
        let view = AccessView::default();
        for _ in 0..3 {
            assert_eq!(tokens.check("bad", &view), Err(TokenFault::Signature));
            assert!(tokens.check("good", &view).is_ok());
        }
        assert_eq!(counted.0.load(Ordering::SeqCst), 4);
    }

    #[test]
    fn attack_31_memory_is_bounded_and_what_is_in_use_is_kept() {
        let counted = Arc::new(Counted::default());
        let tokens = Tokens::new(Arc::clone(&counted) as Arc<dyn CheckTokens>);
        let view = AccessView::default();
        for number in 0..3 * GENERATION_MAX {
            assert!(tokens.check(&format!("good {number}"), &view).is_ok());
            assert!(tokens.check("good in use", &view).is_ok());
        }
        let known = tokens.known.lock().unwrap();
        assert!(known.young.len() + known.old.len() <= 2 * GENERATION_MAX);
        assert_eq!(counted.0.load(Ordering::SeqCst), 3 * GENERATION_MAX + 1);
    }
}
