//! Who keeps the keys that sign access tokens: the first one is made at the start, the next one is published before it signs, the one before it goes
//! when nobody can hold a token of it any more.
//!
//! Every node has a keeper, and one of them acts at a time: under a lock in Postgres, and on a view that has read the log to its end. What it does
//! are events like any other; what it is to do next follows from them alone, so whoever dies is followed by whoever comes next.
//!
//! Where another algorithm is chosen, its first key is published like any next one and then takes the place of the one that signs, which retires as any
//! does. Nodes that are set to different algorithms for longer than that take turns: set them alike.

use std::sync::Arc;
use std::time::Duration;

use commands::deployment::{SigningKeyStep, SigningKeys as MoveSigningKeys};
use commands::{Actor, CarryOutError, Order, Ports as _, carry_out};
use domain::deployment::{CLOCK_SKEW_SECONDS, JWKS_CACHE_SECONDS, SIGNING_KEY_OVERLAP_SECONDS};
use domain::value::{Clock as _, KeyThumbprint, Position, SigningAlgorithm, Timestamp};
use projections::access::{LiveView, SigningKey, SigningKeyState};
use projections::{LogError, LogReader};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use super::RealPorts;
use crate::adapters::token_keys::{MadeKey, SigningKeys, SigningKeysError};
use crate::config::Signing;
use crate::shutdown::Shutdown;

/// How often it is looked whether something is due.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// How long the start waits for the first key; after that the keeper goes on, and no token is given out until it is there.
const FIRST_KEY_WAIT: Duration = Duration::from_secs(30);
/// How long a round waits for its view to read the log to its end.
const VIEW_WAIT: Duration = Duration::from_secs(10);
/// How long a key is published before it signs: whoever verifies elsewhere has fetched it by then.
pub(crate) const PUBLISHED_FIRST_SECONDS: i64 = JWKS_CACHE_SECONDS + CLOCK_SKEW_SECONDS;
/// One keeper at a time.
const LOCK: i64 = 0x7365_6b69_7369_676e;

const DAY_SECONDS: i64 = 24 * 60 * 60;

/// Keeps the signing keys of a deployment.
pub(super) struct Keeper {
    pub(super) ports: RealPorts,
    pub(super) keys: Arc<SigningKeys>,
    pub(super) pool: PgPool,
    pub(super) view: LiveView,
    pub(super) signing: Signing,
}

/// What is due.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Make(SigningAlgorithm),
    Activate(KeyThumbprint),
    Retire(KeyThumbprint),
}

/// A round did not get to its end. The next one begins anew.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Keys(#[from] SigningKeysError),
    #[error(transparent)]
    CarryOut(#[from] CarryOutError),
    #[error("the view of this node does not keep up with the log")]
    Behind,
}

/// Makes the first key, if there is none, and goes on until told to stop.
pub(super) async fn start(keeper: Keeper, stop: &CancellationToken, shutdown: &Shutdown) {
    let first = tokio::time::timeout(FIRST_KEY_WAIT, Box::pin(keeper.round())).await;
    match first {
        Ok(Ok(())) => {}
        Ok(Err(trouble)) => tracing::warn!(error = %trouble, "the signing keys cannot be looked after yet"),
        Err(_) => {
            tracing::warn!("the first signing key takes its time; no token is given out before it is there");
        }
    }
    let stop = stop.clone();
    shutdown.spawn(async move {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            if let Err(trouble) = keeper.round().await {
                tracing::warn!(error = %trouble, "the signing keys cannot be looked after");
            }
        }
    });
}

impl Keeper {
    /// Does everything that is due.
    async fn round(&self) -> Result<(), Trouble> {
        if self.due(&self.view.load().signing_keys()).is_none() {
            return Ok(());
        }
        let mut lock = self.pool.begin().await?;
        sqlx::query("select pg_advisory_xact_lock($1)").bind(LOCK).execute(&mut *lock).await?;
        let mut seen = LogReader::new(self.pool.clone()).head().await?;
        loop {
            let reached = tokio::time::timeout(VIEW_WAIT, self.view.reached(seen)).await;
            reached.map_err(|_| Trouble::Behind)?;
            let view = Arc::clone(&self.view.load());
            let Some(step) = self.due(&view.signing_keys()) else {
                let kids: Vec<&str> = view.signing_keys().iter().map(|key| key.kid.as_str()).collect();
                self.keys.forget_all_but(&kids).await?;
                return Ok(());
            };
            seen = self.take(step).await?;
        }
    }

    fn due(&self, keys: &[&SigningKey]) -> Option<Step> {
        due(keys, self.signing, self.ports.clock().now())
    }

    async fn take(&self, step: Step) -> Result<Position, Trouble> {
        tracing::info!(step = ?step, "a signing key");
        let step = match step {
            Step::Make(algorithm) => {
                let MadeKey { kid, algorithm, public_jwk } = self.keys.make(algorithm).await?;
                SigningKeyStep::Add { kid, algorithm, public_jwk }
            }
            Step::Activate(kid) => SigningKeyStep::Activate { kid },
            Step::Retire(kid) => SigningKeyStep::Retire { kid, emergency: false },
        };
        let correlation = "signing keys".to_owned();
        let order = Order { command: None, request_digest: String::new(), correlation, causation: None };
        let steps = MoveSigningKeys { steps: vec![step] };
        Ok(carry_out(&self.ports, &Actor::schedule(), order, &steps).await?.position)
    }
}

/// What is due of these keys. A key that was published for long enough signs; it was made so long before its predecessor's days are over, or because
/// somebody ordered it.
fn due(keys: &[&SigningKey], signing: Signing, now: Timestamp) -> Option<Step> {
    let over = |since: Timestamp, seconds: i64| since.plus_seconds(seconds) <= now;
    let (mut active, mut next) = (None, None);
    for key in keys {
        match key.state {
            SigningKeyState::Retiring { since } if over(since, SIGNING_KEY_OVERLAP_SECONDS) => {
                return Some(Step::Retire(key.kid.clone()));
            }
            SigningKeyState::Active { since } if key.algorithm == signing.algorithm => active = Some(since),
            SigningKeyState::Next { since } if key.algorithm == signing.algorithm => {
                next = Some((since, &key.kid));
            }
            SigningKeyState::Retiring { .. }
            | SigningKeyState::Active { .. }
            | SigningKeyState::Next { .. } => {}
        }
    }
    // Nobody has fetched any key before there was one.
    let is_first = keys.iter().all(|key| matches!(key.state, SigningKeyState::Next { .. }));
    match (active, next) {
        (_, Some((since, kid))) if is_first || over(since, PUBLISHED_FIRST_SECONDS) => {
            Some(Step::Activate(kid.clone()))
        }
        (_, Some(_)) => None,
        (None, None) => Some(Step::Make(signing.algorithm)),
        (Some(since), None) => {
            let ends_in = i64::from(signing.key_days) * DAY_SECONDS - PUBLISHED_FIRST_SECONDS;
            over(since, ends_in).then_some(Step::Make(signing.algorithm))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RS256: Signing = Signing { algorithm: SigningAlgorithm::Rs256, key_days: 90 };

    fn now() -> Timestamp {
        Timestamp::parse("2026-11-22T12:00:00Z").unwrap()
    }

    fn kid(letter: char) -> KeyThumbprint {
        KeyThumbprint::parse(&letter.to_string().repeat(43)).unwrap()
    }

    fn key(letter: char, algorithm: SigningAlgorithm, state: SigningKeyState) -> SigningKey {
        SigningKey { kid: kid(letter), algorithm, public_jwk: "{}".into(), state }
    }

    fn ago(seconds: i64) -> Timestamp {
        now().plus_seconds(-seconds)
    }

    #[track_caller]
    fn expect(keys: &[(char, SigningAlgorithm, SigningKeyState)], step: Option<&Step>) {
        let keys: Vec<_> =
            keys.iter().map(|(letter, algorithm, state)| key(*letter, *algorithm, *state)).collect();
        assert_eq!(due(&keys.iter().collect::<Vec<_>>(), RS256, now()).as_ref(), step);
    }

    #[test]
    fn the_first_key_is_made_and_signs_at_once() {
        let rs = SigningAlgorithm::Rs256;
        expect(&[], Some(&Step::Make(rs)));
        expect(&[('a', rs, SigningKeyState::Next { since: now() })], Some(&Step::Activate(kid('a'))));
        expect(&[('a', rs, SigningKeyState::Active { since: now() })], None);
    }

    #[test]
    fn a_successor_is_published_before_it_signs_and_signs_when_the_days_are_over() {
        let rs = SigningAlgorithm::Rs256;
        let days = 90 * DAY_SECONDS;
        let active = |seconds| ('a', rs, SigningKeyState::Active { since: ago(seconds) });
        let next = |seconds| ('b', rs, SigningKeyState::Next { since: ago(seconds) });
        expect(&[active(days - PUBLISHED_FIRST_SECONDS - 1)], None);
        expect(&[active(days - PUBLISHED_FIRST_SECONDS)], Some(&Step::Make(rs)));
        expect(&[active(days - 1), next(PUBLISHED_FIRST_SECONDS - 1)], None);
        expect(&[active(days), next(PUBLISHED_FIRST_SECONDS)], Some(&Step::Activate(kid('b'))));
    }

    #[test]
    fn a_key_that_somebody_ordered_signs_as_soon_as_it_was_published_for_long_enough() {
        let rs = SigningAlgorithm::Rs256;
        let active = ('a', rs, SigningKeyState::Active { since: ago(60) });
        expect(&[active, ('b', rs, SigningKeyState::Next { since: ago(60) })], None);
        let next = ('b', rs, SigningKeyState::Next { since: ago(PUBLISHED_FIRST_SECONDS) });
        expect(&[active, next], Some(&Step::Activate(kid('b'))));
    }

    #[test]
    fn attack_20_an_old_key_goes_when_nobody_can_hold_a_token_of_it() {
        let rs = SigningAlgorithm::Rs256;
        let active = ('b', rs, SigningKeyState::Active { since: ago(SIGNING_KEY_OVERLAP_SECONDS) });
        let old = |seconds| ('a', rs, SigningKeyState::Retiring { since: ago(seconds) });
        expect(&[active, old(SIGNING_KEY_OVERLAP_SECONDS - 1)], None);
        expect(&[active, old(SIGNING_KEY_OVERLAP_SECONDS)], Some(&Step::Retire(kid('a'))));
    }

    #[test]
    fn another_algorithm_begins_with_a_key_of_its_own_that_is_published_first() {
        let es = SigningAlgorithm::Es256;
        let other = ('e', es, SigningKeyState::Active { since: ago(60) });
        expect(&[other], Some(&Step::Make(SigningAlgorithm::Rs256)));
        let next = |seconds| ('a', SigningAlgorithm::Rs256, SigningKeyState::Next { since: ago(seconds) });
        expect(&[other, next(PUBLISHED_FIRST_SECONDS - 1)], None);
        expect(&[other, next(PUBLISHED_FIRST_SECONDS)], Some(&Step::Activate(kid('a'))));
        let active = ('a', SigningAlgorithm::Rs256, SigningKeyState::Active { since: now() });
        let before = |seconds| ('e', es, SigningKeyState::Retiring { since: ago(seconds) });
        expect(&[before(SIGNING_KEY_OVERLAP_SECONDS - 1), active], None);
        expect(&[before(SIGNING_KEY_OVERLAP_SECONDS), active], Some(&Step::Retire(kid('e'))));
    }
}
