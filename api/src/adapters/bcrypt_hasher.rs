//! bcrypt at work: a few digests at once, a short queue, and a refusal for whoever comes when it is full.
//!
//! A digest is slow on purpose, so callers who ask for many must be able to hold up neither the blocking threads, which others need, nor
//! each other for long. There are two of these, one for the passwords of people and one for the secrets of programs, each with half of the
//! cores: whoever tries out secrets of clients keeps nobody from signing in, and the other way round.

use std::num::NonZero;
use std::sync::Arc;

use commands::HashError;
use domain::value::{IssuedSecret, PresentedSecret};
use tokio::sync::Semaphore;

/// bcrypt rounds are 2 to this power, when nobody says otherwise: 69 ms a digest on the machines measured.
const COST: u32 = 10;
/// Dearest digest that is checked: one of cost 31 in an imported record would keep a core busy for two days.
const COST_MAX: u32 = 14;
/// bcrypt reads 72 bytes and no NUL: of what is longer it would take a part for the whole, and `a` for `a\0a`.
const SECRET_BYTES_MAX: usize = 71;
const HASH_CHARS: usize = 60;
/// Digests that may wait for each core: whoever comes last waits about a second.
const QUEUE_DIGESTS_PER_CORE: usize = 16;

/// Makes and checks slow digests.
#[derive(Debug)]
pub(super) struct BcryptHasher {
    /// Everybody who was let in: those at work and those in the queue.
    inside: Arc<Semaphore>,
    /// Those at work.
    at_work: Arc<Semaphore>,
    /// Of the digests that are made.
    cost: u32,
}

impl Default for BcryptHasher {
    /// One that takes half of the cores, or the only one.
    fn default() -> Self {
        Self::with_cores(std::thread::available_parallelism().map_or(1, NonZero::get).div_ceil(2))
    }
}

impl BcryptHasher {
    fn with_cores(cores: usize) -> Self {
        let inside = Arc::new(Semaphore::new(cores * (1 + QUEUE_DIGESTS_PER_CORE)));
        Self { inside, at_work: Arc::new(Semaphore::new(cores)), cost: COST }
    }

    /// The same, which makes digests at this cost from now on.
    pub(super) fn at_cost(self, cost: u32) -> Self {
        Self { cost, ..self }
    }

    /// The cost of the digests that are made.
    pub(super) const fn cost(&self) -> u32 {
        self.cost
    }

    /// The digest of a secret.
    pub(super) async fn hash(&self, secret: &IssuedSecret) -> Result<String, HashError> {
        let (secret, cost) = (secret.clone(), self.cost);
        let hash = self.run(move || bcrypt::non_truncating_hash(secret.reveal(), cost)).await?;
        hash.map_err(|error| HashError::Failed(error.to_string()))
    }

    /// Whether this is the secret behind a digest. What bcrypt would read in part or not at all is none.
    pub(super) async fn matches(&self, presented: &PresentedSecret, hash: &str) -> Result<bool, HashError> {
        must_be_checkable(hash).map_err(|why| HashError::Failed(why.to_owned()))?;
        let text = presented.reveal();
        if text.is_empty() || text.len() > SECRET_BYTES_MAX || text.contains('\0') {
            return Ok(false);
        }
        let (text, hash) = (zeroize::Zeroizing::new(text.to_owned()), hash.to_owned());
        let matches = self.run(move || bcrypt::non_truncating_verify(text.as_bytes(), &hash)).await?;
        matches.map_err(|error| HashError::Failed(error.to_string()))
    }

    /// The work keeps its place until it is done, also when nobody waits for it any more.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, HashError> {
        let failed = |error: &dyn std::fmt::Display| HashError::Failed(error.to_string());
        let place = Arc::clone(&self.inside).try_acquire_owned().map_err(|_| HashError::Busy)?;
        let turn = Arc::clone(&self.at_work).acquire_owned().await.map_err(|error| failed(&error))?;
        let work = move || {
            let done = work();
            drop((turn, place));
            done
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| failed(&error))
    }
}

/// A digest that the crate is shown: ASCII, of a form without known faults, and not so dear that checking it is an attack.
fn must_be_checkable(hash: &str) -> Result<(), &'static str> {
    if hash.len() != HASH_CHARS || !hash.is_ascii() {
        return Err("what is kept of a secret is no bcrypt digest");
    }
    let (form, rest) = hash.split_at_checked(4).unwrap_or_default();
    if !matches!(form, "$2a$" | "$2b$" | "$2y$") {
        return Err("what is kept of a secret is of a form of bcrypt that is not taken");
    }
    let cost = rest.split_once('$').and_then(|(cost, _)| cost.parse::<u32>().ok());
    match cost {
        Some(0..=COST_MAX) => Ok(()),
        Some(_) | None => Err("what is kept of a secret is too dear to be checked"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::time::Duration;

    use super::*;

    /// Work that ends when it is told to, and says when it begins.
    fn work(begun: &Sender<()>, end: &Arc<Mutex<Receiver<()>>>) -> impl FnOnce() + Send + 'static {
        let (begun, end) = (begun.clone(), Arc::clone(end));
        move || {
            begun.send(()).unwrap();
            end.lock().unwrap().recv().unwrap();
        }
    }

    #[tokio::test]
    async fn attack_29_whoever_comes_when_the_queue_is_full_is_refused_and_no_more_work_than_there_are_cores()
    {
        let hasher = Arc::new(BcryptHasher::with_cores(1));
        let ((begun, begins), (end, ends)) = (channel(), channel());
        let ends = Arc::new(Mutex::new(ends));
        let mut inside = Vec::new();
        for _ in 0..=QUEUE_DIGESTS_PER_CORE {
            let (hasher, work) = (Arc::clone(&hasher), work(&begun, &ends));
            inside.push(tokio::spawn(async move { hasher.run(work).await }));
        }
        while hasher.inside.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert!(matches!(hasher.run(|| ()).await, Err(HashError::Busy)));
        let watch = move || {
            begins.recv().unwrap();
            assert!(begins.recv_timeout(Duration::from_millis(100)).is_err(), "more than one at work");
            for _ in 0..=QUEUE_DIGESTS_PER_CORE {
                end.send(()).unwrap();
            }
            begins // whoever begins later still says so
        };
        let _begins = tokio::task::spawn_blocking(watch).await.unwrap();
        for one in inside {
            one.await.unwrap().unwrap();
        }
        hasher.run(|| ()).await.unwrap();
    }

    #[tokio::test]
    async fn a_digest_is_one_of_its_secret() {
        let secret = IssuedSecret::new("s3cret".to_owned());
        let hash = BcryptHasher::default().hash(&secret).await.unwrap();
        assert!(bcrypt::verify("s3cret", &hash).unwrap());
        assert!(!bcrypt::verify("other", &hash).unwrap());
    }

    #[tokio::test]
    async fn attack_28_what_bcrypt_would_read_in_part_is_no_secret() {
        let hasher = BcryptHasher::with_cores(2);
        let long = "x".repeat(71);
        let hash = hasher.hash(&IssuedSecret::new(long.clone())).await.unwrap();
        let check =
            async |text: &str| hasher.matches(&PresentedSecret::new(text.to_owned()), &hash).await.unwrap();
        for other in
            ["", "\0", &long[..70], &format!("{long}x"), &format!("{long}\0"), &format!("{long}\0{long}")]
        {
            assert!(!check(other).await, "{other:?}");
        }
        assert!(check(&long).await);
        let hash = bcrypt::hash("a", 4).unwrap();
        for cyclic in ["a\0a", "a\0", "\0"] {
            let matches = hasher.matches(&PresentedSecret::new(cyclic.to_owned()), &hash).await.unwrap();
            assert!(!matches, "{cyclic:?}");
        }
    }

    #[tokio::test]
    async fn attack_28_a_digest_that_is_too_dear_odd_or_none_is_not_checked() {
        let hasher = BcryptHasher::with_cores(1);
        let good = bcrypt::hash("a", 4).unwrap();
        let wide = format!("{}\u{95a2}", &good[..57]);
        for hash in [
            "",
            "a",
            &good[..59],
            &format!("{good}x"),
            &wide,
            &good.replacen("$04$", "$15$", 1),
            &good.replacen("$04$", "$31$", 1),
            &good.replacen("$04$", "$99$", 1),
            &good.replacen("$2b$", "$2x$", 1),
            &good.replacen("$2b$", "$2c$", 1),
            &good.replacen("$04$", "$-4$", 1),
        ] {
            let refused = hasher.matches(&PresentedSecret::new("a".to_owned()), hash).await;
            assert!(matches!(refused, Err(HashError::Failed(_))), "{hash}");
        }
        for form in ["$2a$", "$2b$", "$2y$"] {
            let hash = good.replacen("$2b$", form, 1);
            assert!(hasher.matches(&PresentedSecret::new("a".to_owned()), &hash).await.unwrap());
        }
    }
}
