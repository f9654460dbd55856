//! A password takes the place of the one before. In the same moment everything ends that the one before may have opened: sessions, and codes on their
//! way (`oauth.md`, case 34). A sign-in that was under way with it finds it gone: `sessions::begin` looks again.

use domain::value::{Position, UserId};
use sqlx::{PgConnection, PgPool};
use tokio::sync::Semaphore;

use super::sessions::{self, Which};
use crate::passwords::{self, Hashed, InPlaceOf, Keeping, KeptError, PasswordMark, Passwords};

/// Changes of shown passwords that a node has under way: each holds a connection while it asks for another one, and must not take the last.
const UNDER_WAY_MAX: usize = 2;
static UNDER_WAY: Semaphore = Semaphore::const_new(UNDER_WAY_MAX);

/// Keeps a password, of which the log tells at a position, and ends these sessions of its user, both or neither.
pub(crate) async fn replace_password(
    pool: &PgPool,
    passwords: &Passwords,
    user: UserId,
    (hash, told, in_place_of): (&Hashed, Position, InPlaceOf),
    ending: Which,
) -> Result<Keeping, KeptError> {
    let mut unit = pool.begin().await?;
    let keeping = replace_in(&mut unit, passwords, user, (hash, told, in_place_of), ending).await?;
    match keeping {
        Keeping::Done => unit.commit().await?,
        Keeping::TooLate => unit.rollback().await?,
    }
    Ok(keeping)
}

/// Why a password that was shown is not replaced.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotReplaced<E> {
    /// Another one was set since.
    #[error("the password that was shown was replaced by another")]
    TooLate,
    /// The log does not take it.
    #[error(transparent)]
    Told(E),
    /// It cannot be kept.
    #[error(transparent)]
    Kept(#[from] KeptError),
}

/// Replaces the password that was shown, and no other: while the log is told, nobody else sets one. So the log tells of nothing that did not happen.
pub(super) async fn replace_shown<E>(
    pool: &PgPool,
    passwords: &Passwords,
    (user, shown): (UserId, PasswordMark),
    hash: &Hashed,
    ending: Which,
    tell: impl Future<Output = Result<Position, E>>,
) -> Result<(), NotReplaced<E>> {
    let _turn = UNDER_WAY.acquire().await;
    let mut unit = pool.begin().await.map_err(KeptError::from)?;
    if !passwords::hold(&mut unit, user, shown).await.map_err(KeptError::from)? {
        return Err(NotReplaced::TooLate);
    }
    let told = tell.await.map_err(NotReplaced::Told)?;
    replace_in(&mut unit, passwords, user, (hash, told, InPlaceOf::Any), ending).await?;
    Ok(unit.commit().await.map_err(KeptError::from)?)
}

async fn replace_in(
    unit: &mut PgConnection,
    passwords: &Passwords,
    user: UserId,
    (hash, told, in_place_of): (&Hashed, Position, InPlaceOf),
    ending: Which,
) -> Result<Keeping, KeptError> {
    let keeping = passwords.keep(unit, user, hash, (told, in_place_of)).await?;
    match keeping {
        Keeping::Done => sessions::end_in(unit, user, ending).await?,
        Keeping::TooLate => {}
    }
    Ok(keeping)
}
