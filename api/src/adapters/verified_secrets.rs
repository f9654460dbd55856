//! Secrets of clients that were right a moment ago: bcrypt is computed once for each client that goes on asking, however many tokens it asks for.
//!
//! What is remembered is a mark: an HMAC, under a key of this process, of the client, the digest that it was right for and the secret. So a secret
//! that was rotated away or revoked has no mark that anybody would look for, and memory holds no secret. What was wrong is never remembered.
//!
//! One check at a time for each client, and one for each address: whoever tries out secrets, of one client or of many, holds up neither other clients nor
//! programs elsewhere, and of the short queue for bcrypt no address takes more than a place. After some that were wrong, nothing that comes from the
//! same address for the same client is checked for a while (`oauth.md`, cases 29 and 30).

mod turns;

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use commands::{Entropy as _, HashError, SecretHasher as _};
use domain::value::{ClientId, PresentedSecret, SecretDigest};

use self::turns::Turns;
use super::key_digest::KeyDigests;
use super::system::SystemEntropy;
use crate::limits::Subscriber;
use crate::token::{SecretFault, VerifySecrets};

/// How long a secret counts as right without being checked again, from its last use on.
const REMEMBERED_FOR: Duration = Duration::from_mins(1);
/// Secrets that are remembered.
const REMEMBERED_MAX: usize = 10_000;
/// Checks that may wait for each client.
const WAITING_PER_CLIENT_MAX: usize = 32;
/// Checks that may wait for each address.
const WAITING_PER_ASKER_MAX: usize = 32;
/// Wrong secrets of one client from one address within `WRONG_FOR`; beyond them none from there is checked.
const WRONG_MAX: u32 = 30;
/// How long wrong secrets are counted together.
const WRONG_FOR: Duration = Duration::from_mins(1);
/// Clients and addresses of which wrong secrets are counted.
const GUESSERS_MAX: usize = 10_000;

type Mark = [u8; 32];
type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Compares slowly.
trait Compare: Send + Sync {
    fn compare<'a>(
        &'a self,
        presented: &'a PresentedSecret,
        hash: &'a str,
    ) -> Boxed<'a, Result<bool, HashError>>;
}

impl Compare for KeyDigests {
    fn compare<'a>(
        &'a self,
        presented: &'a PresentedSecret,
        hash: &'a str,
    ) -> Boxed<'a, Result<bool, HashError>> {
        Box::pin(self.slow_matches(presented, hash))
    }
}

/// Checks secrets of clients, and remembers those that were right.
pub struct VerifiedSecrets {
    digests: Arc<KeyDigests>,
    lately: Lately<Arc<KeyDigests>>,
}

impl std::fmt::Debug for VerifiedSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VerifiedSecrets").finish_non_exhaustive()
    }
}

impl VerifiedSecrets {
    /// Against these digests.
    pub fn new(digests: Arc<KeyDigests>) -> Self {
        Self { lately: Lately::new(Arc::clone(&digests)), digests }
    }
}

impl VerifySecrets for VerifiedSecrets {
    fn verify<'a>(
        &'a self,
        client: ClientId,
        asker: Subscriber,
        presented: &'a PresentedSecret,
        digests: &'a [SecretDigest],
    ) -> Boxed<'a, Result<bool, SecretFault>> {
        Box::pin(async move {
            if digests.iter().any(|digest| self.digests.matches(presented, digest)) {
                return Ok(true); // one of full entropy, checked at once
            }
            let slow = |digest: &'a SecretDigest| match digest {
                SecretDigest::Bcrypt { hash } => Some(hash.as_str()),
                SecretDigest::HmacSha256 { .. } => None,
            };
            let hashes: Vec<&str> = digests.iter().filter_map(slow).collect();
            self.lately.is_behind_one((client, asker), presented, &hashes).await
        })
    }
}

/// What was right lately.
struct Lately<C> {
    slow: C,
    key: hmac::Key,
    marks: Mutex<HashMap<Mark, Instant>>,
    of_askers: Turns<Subscriber>,
    of_clients: Turns<ClientId>,
    wrong: Mutex<HashMap<(ClientId, Subscriber), Wrong>>,
}

/// Wrong secrets of a client from an address.
struct Wrong {
    count: u32,
    until: Instant,
}

impl<C: std::ops::Deref<Target: Compare>> Lately<C> {
    fn new(slow: C) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &SystemEntropy.secret());
        let (of_askers, of_clients) = (Turns::new(WAITING_PER_ASKER_MAX), Turns::new(WAITING_PER_CLIENT_MAX));
        Self { slow, key, marks: Mutex::default(), of_askers, of_clients, wrong: Mutex::default() }
    }

    async fn is_behind_one(
        &self,
        (client, asker): (ClientId, Subscriber),
        presented: &PresentedSecret,
        hashes: &[&str],
    ) -> Result<bool, SecretFault> {
        let marked: Vec<(Mark, &str)> =
            hashes.iter().map(|hash| (self.mark(client, presented, hash), *hash)).collect();
        if self.knows_one(&marked) {
            return Ok(true);
        }
        self.may_try((client, asker))?;
        // The address first: who waits there keeps nobody of the same client waiting who comes from elsewhere.
        let of_asker = self.of_askers.of(asker)?;
        let _mine = of_asker.lock().await;
        let of_client = self.of_clients.of(client)?;
        let _also_mine = of_client.lock().await;
        if self.knows_one(&marked) {
            return Ok(true); // whoever went before asked the same
        }
        self.may_try((client, asker))?; // whoever went before may have been wrong
        for (mark, hash) in marked {
            if self.slow.compare(presented, hash).await? {
                self.remember(mark);
                return Ok(true);
            }
        }
        self.was_wrong((client, asker));
        Ok(false)
    }

    fn mark(&self, client: ClientId, presented: &PresentedSecret, hash: &str) -> Mark {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(client.uuid().as_bytes());
        context.update(&[u8::try_from(hash.len()).unwrap_or(u8::MAX)]); // no two inputs run together
        context.update(hash.as_bytes());
        context.update(presented.reveal().as_bytes());
        let mut mark = [0; 32];
        mark.iter_mut().zip(context.sign().as_ref()).for_each(|(to, from)| *to = *from);
        mark
    }

    /// Whether one of them was right lately; it is remembered from now on, then. So nobody who fills the queue of a client puts off its programs.
    fn knows_one(&self, marked: &[(Mark, &str)]) -> bool {
        let (mut marks, now) = (self.marks.lock().unwrap_or_else(PoisonError::into_inner), Instant::now());
        marked.iter().any(|(mark, _)| {
            let known = marks.get_mut(mark).filter(|until| **until > now);
            known.map(|until| *until = now + REMEMBERED_FOR).is_some()
        })
    }

    fn remember(&self, mark: Mark) {
        let (mut marks, now) = (self.marks.lock().unwrap_or_else(PoisonError::into_inner), Instant::now());
        if marks.len() >= REMEMBERED_MAX {
            marks.retain(|_, until| *until > now);
        }
        if marks.len() >= REMEMBERED_MAX {
            marks.clear(); // rare, and costs one check for each client in use
        }
        marks.insert(mark, now + REMEMBERED_FOR);
    }

    fn may_try(&self, guesser: (ClientId, Subscriber)) -> Result<(), SecretFault> {
        let wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        let counted = wrong.get(&guesser).filter(|wrong| wrong.until > Instant::now());
        match counted {
            Some(wrong) if wrong.count >= WRONG_MAX => Err(SecretFault::TooManyWrong),
            Some(_) | None => Ok(()),
        }
    }

    fn was_wrong(&self, guesser: (ClientId, Subscriber)) {
        let (mut wrong, now) = (self.wrong.lock().unwrap_or_else(PoisonError::into_inner), Instant::now());
        if wrong.len() >= GUESSERS_MAX {
            wrong.retain(|_, wrong| wrong.until > now);
        }
        if wrong.len() >= GUESSERS_MAX {
            wrong.clear(); // so many checks take longer than they are counted
        }
        let counted = wrong.entry(guesser).or_insert(Wrong { count: 0, until: now + WRONG_FOR });
        if counted.until <= now {
            *counted = Wrong { count: 0, until: now + WRONG_FOR };
        }
        counted.count = counted.count.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Semaphore;
    use uuid::Uuid;

    use super::*;

    /// Compares by equality, counts, and waits until it may go on.
    struct Counted {
        compared: AtomicUsize,
        may_go_on: Semaphore,
    }

    impl Compare for Counted {
        fn compare<'a>(
            &'a self,
            presented: &'a PresentedSecret,
            hash: &'a str,
        ) -> Boxed<'a, Result<bool, HashError>> {
            Box::pin(async move {
                self.compared.fetch_add(1, Ordering::SeqCst);
                self.may_go_on.acquire().await.unwrap().forget();
                Ok(presented.reveal() == hash)
            })
        }
    }

    fn lately(may_go_on: usize) -> (Arc<Counted>, Arc<Lately<Arc<Counted>>>) {
        let counted =
            Arc::new(Counted { compared: AtomicUsize::new(0), may_go_on: Semaphore::new(may_go_on) });
        (Arc::clone(&counted), Arc::new(Lately::new(counted)))
    }

    const APP: ClientId = ClientId::new(Uuid::from_u128(1));
    const OTHER: ClientId = ClientId::new(Uuid::from_u128(2));

    static HERE: LazyLock<Subscriber> = LazyLock::new(|| from(1));
    static ELSEWHERE: LazyLock<Subscriber> = LazyLock::new(|| from(2));

    fn from(last: u8) -> Subscriber {
        Subscriber::of(IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)))
    }

    fn secret(text: &str) -> PresentedSecret {
        PresentedSecret::new(text.to_owned())
    }

    #[tokio::test]
    async fn what_was_wrong_is_checked_every_time() {
        let (counted, lately) = lately(10);
        for _ in 0..3 {
            assert!(!lately.is_behind_one((APP, *HERE), &secret("wrong"), &["right"]).await.unwrap());
        }
        assert_eq!(counted.compared.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn a_secret_that_was_rotated_away_is_not_remembered_and_neither_is_that_of_another_client() {
        let (counted, lately) = lately(10);
        assert!(lately.is_behind_one((APP, *HERE), &secret("old"), &["old"]).await.unwrap());
        assert!(lately.is_behind_one((APP, *HERE), &secret("old"), &["new", "old"]).await.unwrap());
        assert_eq!(counted.compared.load(Ordering::SeqCst), 1);
        assert!(!lately.is_behind_one((APP, *HERE), &secret("old"), &["new"]).await.unwrap());
        assert!(!lately.is_behind_one((APP, *HERE), &secret("old"), &[]).await.unwrap());
        assert_eq!(counted.compared.load(Ordering::SeqCst), 2);
        assert!(lately.is_behind_one((OTHER, *HERE), &secret("old"), &["old"]).await.unwrap());
        assert_eq!(counted.compared.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn attack_29_a_secret_that_many_present_at_once_is_checked_once() {
        let (counted, lately) = lately(0);
        let ask = || {
            let lately = Arc::clone(&lately);
            tokio::spawn(async move { lately.is_behind_one((APP, *HERE), &secret("s"), &["s"]).await })
        };
        let asked: Vec<_> = (0..WAITING_PER_ASKER_MAX).map(|_| ask()).collect();
        while lately.of_askers.inside(&HERE) < WAITING_PER_ASKER_MAX {
            tokio::task::yield_now().await;
        }
        assert!(matches!(
            lately.is_behind_one((APP, *HERE), &secret("s"), &["s"]).await,
            Err(SecretFault::Hash(HashError::Busy))
        ));
        counted.may_go_on.add_permits(1);
        for one in asked {
            assert!(one.await.unwrap().unwrap());
        }
        assert_eq!(counted.compared.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn attack_29_whoever_tries_out_secrets_of_many_clients_takes_one_place_of_those_that_there_are() {
        let (counted, lately) = lately(0);
        let guess = |number: usize| {
            let client = ClientId::new(Uuid::from_u128(100 + u128::try_from(number).unwrap()));
            let lately = Arc::clone(&lately);
            tokio::spawn(async move { lately.is_behind_one((client, *HERE), &secret("wrong"), &["s"]).await })
        };
        let many = (0..WAITING_PER_ASKER_MAX).map(guess).collect::<Vec<_>>();
        let elsewhere = tokio::spawn({
            let lately = Arc::clone(&lately);
            async move { lately.is_behind_one((APP, *ELSEWHERE), &secret("s"), &["s"]).await }
        });
        while lately.of_askers.inside(&HERE) < WAITING_PER_ASKER_MAX
            || lately.of_askers.inside(&ELSEWHERE) < 1
        {
            tokio::task::yield_now().await;
        }
        assert_eq!(counted.compared.load(Ordering::SeqCst), 2, "one of each address");
        counted.may_go_on.add_permits(many.len() + 1);
        assert!(elsewhere.await.unwrap().unwrap());
        for one in many {
            assert!(!one.await.unwrap().unwrap());
        }
    }

    #[tokio::test]
    async fn what_was_right_too_long_ago_is_checked_again() {
        let (counted, lately) = lately(10);
        assert!(lately.is_behind_one((APP, *HERE), &secret("s"), &["s"]).await.unwrap());
        lately.marks.lock().unwrap().values_mut().for_each(|until| *until = Instant::now());
        assert!(lately.is_behind_one((APP, *HERE), &secret("s"), &["s"]).await.unwrap());
        assert_eq!(counted.compared.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn attack_29_a_secret_that_is_in_use_is_not_checked_again_however_long_that_goes_on() {
        let (counted, lately) = lately(10);
        assert!(lately.is_behind_one((APP, *HERE), &secret("s"), &["s"]).await.unwrap());
        let soon = Instant::now() + REMEMBERED_FOR / 2;
        lately.marks.lock().unwrap().values_mut().for_each(|until| *until = soon);
        assert!(lately.is_behind_one((APP, *HERE), &secret("s"), &["s"]).await.unwrap());
        assert!(lately.marks.lock().unwrap().values().all(|until| *until > soon), "used, and so renewed");
        assert_eq!(counted.compared.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn attack_30_an_address_that_tries_out_secrets_of_a_client_has_none_checked_any_more_and_others_have()
     {
        let (counted, lately) = lately(1_000);
        for _ in 0..WRONG_MAX {
            assert!(!lately.is_behind_one((APP, *HERE), &secret("wrong"), &["right"]).await.unwrap());
        }
        let compared = || counted.compared.load(Ordering::SeqCst);
        let before = compared();
        for text in ["wrong", "right"] {
            let refused = lately.is_behind_one((APP, *HERE), &secret(text), &["right"]).await;
            assert!(matches!(refused, Err(SecretFault::TooManyWrong)), "{text}");
        }
        assert_eq!(compared(), before);
        assert!(lately.is_behind_one((OTHER, *HERE), &secret("right"), &["right"]).await.unwrap());
        assert!(lately.is_behind_one((APP, *ELSEWHERE), &secret("right"), &["right"]).await.unwrap());
        assert!(
            lately.is_behind_one((APP, *HERE), &secret("right"), &["right"]).await.unwrap(),
            "it was right there"
        );
        lately.wrong.lock().unwrap().values_mut().for_each(|wrong| wrong.until = Instant::now());
        assert!(!lately.is_behind_one((APP, *HERE), &secret("wrong"), &["right"]).await.unwrap());
    }

    #[tokio::test]
    async fn memory_is_bounded() {
        let (_, lately) = lately(REMEMBERED_MAX + 10);
        for number in 0..REMEMBERED_MAX + 5 {
            let text = number.to_string();
            assert!(lately.is_behind_one((APP, *HERE), &secret(&text), &[&text]).await.unwrap());
        }
        assert!(lately.marks.lock().unwrap().len() <= REMEMBERED_MAX);
    }
}
