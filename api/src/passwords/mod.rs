//! Passwords that people sign in with: which texts can be one, and the bcrypt texts that are kept of them, sealed for their person, beside the log.
//!
//! Setting one takes three steps: it is digested, the log says that it was set, it is kept. Whoever dies before the last leaves the old one in force,
//! and has told nobody that it is done: they may ask once more, and what was kept since stays. Deliberately absent: whether somebody may set one, which a use case says.

mod ports;
mod rules;

use std::sync::Arc;

use commands::HashError;
use domain::value::{Position, PresentedSecret, SecretDigest, Timestamp, UserId};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;

pub(crate) use ports::{HashPasswords, Seal};
pub(crate) use rules::NewPassword;
use rules::{KeptPassword, may_be_one};

const KEEP: &str = "insert into local_passwords as kept (user_id, sealed, position) values ($1, $2, $3)
    on conflict (user_id) do update set sealed = excluded.sealed, position = greatest(kept.position, excluded.position),
        changed_at = clock_timestamp(), replaced_at = clock_timestamp()
    where $4 or kept.position < excluded.position";

/// What people's passwords are kept and checked with.
#[derive(Clone)]
pub struct Passwords {
    pool: PgPool,
    hashes: Arc<dyn HashPasswords>,
    seal: Arc<dyn Seal>,
}

impl std::fmt::Debug for Passwords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passwords")
    }
}

/// What is kept cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeptError {
    /// The database does not answer.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// It does not open, or cannot be sealed.
    #[error("a kept password does not open, or cannot be sealed")]
    Seal,
    /// There is no digest.
    #[error(transparent)]
    Hash(#[from] HashError),
}

/// The bcrypt text of a new password.
pub(crate) struct Hashed(String);

/// What is kept for somebody.
#[derive(Debug)]
pub(crate) struct Kept {
    sealed: Vec<u8>,
    password: KeptPassword,
    mark: PasswordMark,
}

impl Kept {
    /// Which password of theirs it is.
    pub(crate) const fn mark(&self) -> PasswordMark {
        self.mark
    }
}

/// Which of somebody's passwords, one after the other: the moment since when it is theirs. To be kept at another cost changes nothing about that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PasswordMark(OffsetDateTime);

/// In the place of what a new password comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InPlaceOf {
    /// Whatever is there, or nothing.
    Any,
    /// One of which the log told before, or nothing: so whoever asks once more brings nothing back.
    Older,
}

/// What became of a new password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keeping {
    /// It is the one in force.
    Done,
    /// It was kept before, or another one since.
    TooLate,
}

impl Passwords {
    pub(crate) fn new(pool: PgPool, hashes: Arc<dyn HashPasswords>, seal: Arc<dyn Seal>) -> Self {
        Self { pool, hashes, seal }
    }

    /// Digests a new password.
    pub(crate) async fn hash(&self, password: &NewPassword) -> Result<Hashed, HashError> {
        self.hashes.hash(password.secret()).await.map(Hashed)
    }

    /// Keeps a password of which the log tells at this position, in place of the one before. What that one opened ends in the same unit: see `people::replace_password`.
    pub(crate) async fn keep(
        &self,
        unit: &mut PgConnection,
        user: UserId,
        Hashed(hash): &Hashed,
        (told, in_place_of): (Position, InPlaceOf),
    ) -> Result<Keeping, KeptError> {
        let sealed = self.seal.seal(&place(user), hash.as_bytes()).ok_or(KeptError::Seal)?;
        let keep = sqlx::query(KEEP)
            .bind(user.uuid())
            .bind(sealed)
            .bind(i64::try_from(told.get()).unwrap_or(i64::MAX))
            .bind(in_place_of == InPlaceOf::Any);
        let kept = keep.execute(unit).await?.rows_affected();
        Ok(if kept == 0 { Keeping::TooLate } else { Keeping::Done })
    }

    /// What is kept for somebody, if anything is that may be checked against.
    pub(crate) async fn of(&self, user: UserId) -> Result<Option<Kept>, KeptError> {
        let query = "select sealed, changed_at from local_passwords where user_id = $1";
        let row: Option<(Vec<u8>, OffsetDateTime)> =
            sqlx::query_as(query).bind(user.uuid()).fetch_optional(&self.pool).await?;
        let Some((sealed, changed_at)) = row else { return Ok(None) };
        let plain = self.seal.open(&place(user), &sealed).ok_or(KeptError::Seal)?;
        let password = std::str::from_utf8(&plain).ok().and_then(KeptPassword::parse);
        Ok(password.map(|password| Kept { sealed, password, mark: PasswordMark(changed_at) }))
    }

    /// Whether this is the password that is kept. It takes as long where none is (`oauth.md`, case 27).
    pub(crate) async fn matches(
        &self,
        kept: Option<&Kept>,
        presented: &PresentedSecret,
    ) -> Result<bool, HashError> {
        let nobodys = nobodys(self.hashes.cost());
        let digest = kept.map_or(&nobodys, |kept| kept.password.digest());
        let stand_in = PresentedSecret::new("what nobody has typed".to_owned());
        let can_be_one = may_be_one(presented);
        let matched = self.hashes.matches(if can_be_one { presented } else { &stand_in }, digest).await?;
        Ok(matched && can_be_one && kept.is_some())
    }

    /// Keeps a password that was just shown at the cost of today, where it was made at another, unless it was changed meanwhile.
    pub(crate) async fn renew(
        &self,
        user: UserId,
        kept: &Kept,
        presented: &PresentedSecret,
    ) -> Result<(), KeptError> {
        if !kept.password.is_of_another_cost(self.hashes.cost()) {
            return Ok(());
        }
        let shown = commands::secret::IssuedSecret::new(presented.reveal().to_owned());
        let hash = self.hashes.hash(&shown).await?;
        let sealed = self.seal.seal(&place(user), hash.as_bytes()).ok_or(KeptError::Seal)?;
        sqlx::query("update local_passwords set sealed = $3 where user_id = $1 and sealed = $2")
            .bind(user.uuid())
            .bind(&kept.sealed)
            .bind(sealed)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

/// Whether this is still the password of somebody. As long as the unit lasts, it stays theirs.
pub(crate) async fn is_still_of(
    unit: &mut PgConnection,
    user: UserId,
    PasswordMark(since): PasswordMark,
) -> Result<bool, sqlx::Error> {
    let query = "select true from local_passwords where user_id = $1 and changed_at = $2 for share";
    let found: Option<(bool,)> =
        sqlx::query_as(query).bind(user.uuid()).bind(since).fetch_optional(unit).await?;
    Ok(found.is_some())
}

/// The same, and nobody else as much as looks at it meanwhile: it is about to be replaced.
pub(crate) async fn hold(
    unit: &mut PgConnection,
    user: UserId,
    PasswordMark(since): PasswordMark,
) -> Result<bool, sqlx::Error> {
    let query = "select true from local_passwords where user_id = $1 and changed_at = $2 for update";
    let found: Option<(bool,)> =
        sqlx::query_as(query).bind(user.uuid()).bind(since).fetch_optional(unit).await?;
    Ok(found.is_some())
}

/// Whether somebody's password was replaced by another one after a moment. The first one replaces none.
pub(crate) async fn replaced_since(
    pool: &PgPool,
    user: UserId,
    since: Timestamp,
) -> Result<bool, sqlx::Error> {
    let query = "select exists (select from local_passwords where user_id = $1 and replaced_at > $2)";
    let (replaced,): (bool,) =
        sqlx::query_as(query).bind(user.uuid()).bind(since.get()).fetch_one(pool).await?;
    Ok(replaced)
}

fn place(user: UserId) -> String {
    user.to_string()
}

/// A digest that no password is behind, as slow as the others.
fn nobodys(cost: u32) -> SecretDigest {
    let hash = format!("$2b${cost:02}$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy");
    SecretDigest::Bcrypt { hash }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_27_nobodys_digest_is_one_that_bcrypt_works_on() {
        for cost in [4, 10, 14] {
            let SecretDigest::Bcrypt { hash } = nobodys(cost) else { panic!("bcrypt") };
            assert!(KeptPassword::parse(&hash).is_some(), "{cost}");
        }
    }
}
