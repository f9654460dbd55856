//! bcrypt at work: as many digests at once as there are cores, a short queue, and a refusal for whoever comes when it is full.
//!
//! A digest is slow on purpose, so callers who ask for many must be able to hold up neither the blocking threads, which others need, nor
//! each other for long.

use std::num::NonZero;
use std::sync::Arc;

use commands::HashError;
use domain::value::IssuedSecret;
use tokio::sync::Semaphore;

/// bcrypt rounds are 2 to this power: 69 ms a digest on the machines measured.
const COST: u32 = 10;
/// Digests that may wait for each core: whoever comes last waits about a second.
const QUEUE_DIGESTS_PER_CORE: usize = 16;

/// Makes slow digests.
#[derive(Debug)]
pub(super) struct BcryptHasher {
    /// Everybody who was let in: those at work and those in the queue.
    inside: Arc<Semaphore>,
    /// Those at work.
    at_work: Arc<Semaphore>,
}

impl Default for BcryptHasher {
    fn default() -> Self {
        Self::with_cores(std::thread::available_parallelism().map_or(1, NonZero::get))
    }
}

impl BcryptHasher {
    fn with_cores(cores: usize) -> Self {
        let inside = Arc::new(Semaphore::new(cores * (1 + QUEUE_DIGESTS_PER_CORE)));
        Self { inside, at_work: Arc::new(Semaphore::new(cores)) }
    }

    /// The digest of a secret.
    pub(super) async fn hash(&self, secret: &IssuedSecret) -> Result<String, HashError> {
        let secret = secret.clone();
        let hash = self.run(move || bcrypt::non_truncating_hash(secret.reveal(), COST)).await?;
        hash.map_err(|error| HashError::Failed(error.to_string()))
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
    async fn whoever_comes_when_the_queue_is_full_is_refused_and_no_more_work_than_there_are_cores() {
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
}
