//! How often somebody may try to sign in: buckets in Postgres that fill by attempts and drain by time, the same for every node.
//!
//! Three of them are filled by one attempt: the address, and either the account or, from a browser that somebody signed in from before, that browser.
//! So whoever tries out passwords of an account elsewhere keeps nobody out who has been here: their browser has a bucket of its own (the
//! device cookies of OWASP). Absent: a lock. A bucket that is full lets one through again within half a minute, whatever was tried meanwhile.

use std::time::Duration;

use sqlx::PgPool;

/// Attempts at once.
const ACCOUNT_ATTEMPTS_MAX: f64 = 10.0;
/// Many people share an address.
const ADDRESS_ATTEMPTS_MAX: f64 = 60.0;
const ACCOUNT_SECONDS_PER_ATTEMPT: f64 = 30.0;
const ADDRESS_SECONDS_PER_ATTEMPT: f64 = 5.0;

/// Buckets that nobody filled for a day are empty.
pub(crate) const FORGET: &str =
    "delete from sign_in_throttle where at < clock_timestamp() - interval '1 day'";

/// A bucket.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bucket {
    /// What is counted, as a keyed digest.
    name: String,
    attempts_max: f64,
    seconds_per_attempt: f64,
}

impl Bucket {
    /// Attempts on an account, or from one known browser on one account.
    pub(super) fn account(digest: String) -> Self {
        let (attempts_max, seconds_per_attempt) = (ACCOUNT_ATTEMPTS_MAX, ACCOUNT_SECONDS_PER_ATTEMPT);
        Self { name: digest, attempts_max, seconds_per_attempt }
    }

    /// Attempts from an address.
    pub(super) fn address(digest: String) -> Self {
        let (attempts_max, seconds_per_attempt) = (ADDRESS_ATTEMPTS_MAX, ADDRESS_SECONDS_PER_ATTEMPT);
        Self { name: digest, attempts_max, seconds_per_attempt }
    }
}

/// Too many attempts: come back after this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooOften(pub(super) Duration);

/// Fills each of the buckets by one attempt, or refuses. A bucket that is full stays as full as it is: whoever goes on trying does
/// not put off the moment when it has room.
pub(super) async fn take(pool: &PgPool, buckets: &[Bucket]) -> Result<Result<(), TooOften>, sqlx::Error> {
    let mut wait: f64 = 0.0;
    for bucket in buckets {
        // The level before this attempt, drained until now; what comes back is the level with it, or more than the most there may be.
        let (level,): (f64,) = sqlx::query_as(
            "insert into sign_in_throttle as t (bucket, level) values ($1, 1)
             on conflict (bucket) do update set at = clock_timestamp(), level = least($2 + 1,
                greatest(0, t.level - extract(epoch from clock_timestamp() - t.at)::float8 / $3) + 1)
             returning level",
        )
        .bind(&bucket.name)
        .bind(bucket.attempts_max)
        .bind(bucket.seconds_per_attempt)
        .fetch_one(pool)
        .await?;
        if level > bucket.attempts_max {
            let over = level - bucket.attempts_max;
            wait = wait.max(over * bucket.seconds_per_attempt);
            give_back(pool, &bucket.name, over).await?;
        }
    }
    Ok(if wait > 0.0 { Err(TooOften(Duration::from_secs_f64(wait.max(1.0)))) } else { Ok(()) })
}

/// An attempt that succeeded does not count.
pub(super) async fn forgive(pool: &PgPool, buckets: &[Bucket]) -> Result<(), sqlx::Error> {
    for bucket in buckets {
        give_back(pool, &bucket.name, 1.0).await?;
    }
    Ok(())
}

async fn give_back(pool: &PgPool, name: &str, attempts: f64) -> Result<(), sqlx::Error> {
    sqlx::query("update sign_in_throttle set level = greatest(0, level - $2) where bucket = $1")
        .bind(name)
        .bind(attempts)
        .execute(pool)
        .await
        .map(|_| ())
}
