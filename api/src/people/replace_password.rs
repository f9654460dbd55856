//! A password takes the place of the one before. In the same moment everything ends that the one before may have opened: sessions, and codes on their
//! way (`oauth.md`, case 34). A sign-in that was under way with it finds it gone: `sessions::begin` looks again.

use domain::value::UserId;
use sqlx::PgPool;

use super::sessions::{self, Which};
use crate::passwords::{Hashed, InPlaceOf, Keeping, KeptError, Passwords};

/// Keeps a password and ends these sessions of its user, both or neither.
pub(crate) async fn replace_password(
    pool: &PgPool,
    passwords: &Passwords,
    user: UserId,
    (hash, in_place_of): (&Hashed, InPlaceOf),
    ending: Which,
) -> Result<Keeping, KeptError> {
    let mut unit = pool.begin().await?;
    let keeping = passwords.keep(&mut unit, user, hash, in_place_of).await?;
    match keeping {
        Keeping::Done => {
            sessions::end_in(&mut unit, user, ending).await?;
            unit.commit().await?;
        }
        Keeping::TooLate => unit.rollback().await?,
    }
    Ok(keeping)
}
