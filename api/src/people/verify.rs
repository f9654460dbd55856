//! Whether somebody is who they say, by their password. Whoever asks learns "yes" or "no", and "no" takes as long and looks the same for an
//! unknown address, a person without a password, one who is suspended, and a wrong password (`oauth.md`, case 27).

use std::time::Duration;

use aws_lc_rs::constant_time;
use commands::{Entropy as _, HashError, Ports};
use domain::ClaimScope;
use domain::policy::Standing;
use domain::value::{EmailAddress, PresentedSecret, UserId};
use sqlx::PgPool;

use super::People;
use super::throttle::{self, Bucket, TooOften};
use super::visitor::{Visitor, unavailable};
use crate::hex::hex;
use crate::limits::subscriber_text;
use crate::pages::Fault;
use crate::passwords::{Kept, PasswordMark};

/// Of an address that somebody types.
const EMAIL_BYTES_MAX: usize = 320;
/// Random bytes by which a browser is known that somebody signed in from.
const KNOWN_BYTES: usize = 16;

/// Why somebody is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotVerified {
    /// Whatever it was, it does not match.
    NoMatch,
    /// Too many attempts.
    TooOften(Duration),
    /// Too many people at once.
    Busy,
    /// Something does not answer.
    Fault(Fault),
}

impl From<Fault> for NotVerified {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Whom an attempt is about, as it is counted and looked up.
pub(super) struct Attempted {
    /// The canonical address, when it is one.
    email: Option<EmailAddress>,
    /// What stands for the account in every bucket, whether or not there is one.
    account: String,
}

impl Attempted {
    /// Somebody typed this.
    pub(super) fn of<P>(people: &People<P>, typed: &str) -> Self {
        let email = EmailAddress::parse(typed).ok();
        let text = email.as_ref().map_or_else(|| cut(typed), EmailAddress::as_str);
        let account = people.digests.keyed("account that signs in", text);
        Self { email, account }
    }

    /// What a browser is given that this account was signed in from.
    pub(super) fn known_browser<P: Ports>(&self, people: &People<P>) -> String {
        let secret = people.ports.entropy().secret();
        let nonce = hex(secret.get(..KNOWN_BYTES).unwrap_or_default());
        let mark = self.mark(people, &nonce);
        format!("{nonce}.{mark}")
    }

    fn mark<P>(&self, people: &People<P>, nonce: &str) -> String {
        people.digests.keyed("browser of an account", &format!("{nonce} {}", self.account))
    }

    /// The buckets that an attempt from this browser fills.
    fn buckets<P>(&self, people: &People<P>, visitor: &Visitor) -> [Bucket; 2] {
        let known = visitor.known(people.is_secure()).and_then(|text| text.split_once('.'));
        let known = known.filter(|(nonce, mark)| {
            constant_time::verify_slices_are_equal(mark.as_bytes(), self.mark(people, nonce).as_bytes())
                .is_ok()
        });
        let account = match known {
            Some((nonce, _)) => {
                people.digests.keyed("attempts of a browser", &format!("{nonce} {}", self.account))
            }
            None => people.digests.keyed("attempts on an account", &self.account),
        };
        let address = people.digests.keyed("attempts of an address", &subscriber_text(visitor.address));
        [Bucket::address(address), Bucket::account(account)]
    }
}

fn cut(typed: &str) -> &str {
    let typed = typed.trim();
    let end = (0..=EMAIL_BYTES_MAX.min(typed.len())).rev().find(|end| typed.is_char_boundary(*end));
    typed.get(..end.unwrap_or_default()).unwrap_or_default()
}

/// Who somebody is, and by which of their passwords.
#[derive(Debug, Clone, Copy)]
pub(super) struct Verified {
    pub(super) user: UserId,
    pub(super) password: PasswordMark,
}

/// Whether the password is that of whoever has this address.
pub(super) async fn verify<P: Ports + 'static>(
    people: &People<P>,
    visitor: &Visitor,
    attempted: &Attempted,
    presented: &PresentedSecret,
) -> Result<Verified, NotVerified> {
    let user = match &attempted.email {
        Some(email) => owner(people, email).await.map_err(|error| unavailable(&error))?,
        None => None,
    };
    let buckets = attempted.buckets(people, visitor);
    matches(people, &buckets, user, presented).await?.ok_or(NotVerified::NoMatch)
}

/// Whether the password is that of somebody who is signed in already: asked before anything dangerous.
pub(super) async fn verify_again<P: Ports + 'static>(
    people: &People<P>,
    user: UserId,
    presented: &PresentedSecret,
) -> Result<Verified, NotVerified> {
    let bucket = Bucket::account(people.digests.keyed("attempts of a session", &user.to_string()));
    matches(people, &[bucket], Some(user), presented).await?.ok_or(NotVerified::NoMatch)
}

/// Counts the attempt before it is looked at, so that many at once are counted too; gives it back when it was right.
async fn matches<P: Ports + 'static>(
    people: &People<P>,
    buckets: &[Bucket],
    user: Option<UserId>,
    presented: &PresentedSecret,
) -> Result<Option<Verified>, NotVerified> {
    let counted = throttle::take(&people.pool, buckets).await.map_err(|error| unavailable(&error))?;
    counted.map_err(|TooOften(wait)| NotVerified::TooOften(wait))?;
    let kept = match user {
        Some(user) => kept(people, user).await?,
        None => None,
    };
    let matched = people.passwords.matches(kept.as_ref(), presented).await.map_err(|error| match error {
        HashError::Busy => NotVerified::Busy,
        HashError::Failed(_) => NotVerified::Fault(unavailable(&error)),
    })?;
    let (Some(kept), Some(user), true) = (kept, user, matched) else { return Ok(None) };
    throttle::forgive(&people.pool, buckets).await.map_err(|error| unavailable(&error))?;
    // The cost may have changed since the password was set, and the password is here now. If this fails, it is tried again the next time.
    if let Err(error) = people.passwords.renew(user, &kept, presented).await {
        tracing::warn!(error = %error, "a password stays at its old cost");
    }
    Ok(Some(Verified { user, password: kept.mark() }))
}

/// What is kept for somebody who counts.
async fn kept<P: Ports>(people: &People<P>, user: UserId) -> Result<Option<Kept>, Fault> {
    let kept = people.passwords.of(user).await.map_err(|error| unavailable(&error))?;
    let view = people.deciding.fresh().ok_or(Fault::Unavailable)?;
    Ok(match view.user(user) {
        Standing::Active => kept,
        Standing::Suspended | Standing::Ended => None,
    })
}

/// Whoever has an address, as the log's unique names know it.
async fn owner<P>(people: &People<P>, email: &EmailAddress) -> Result<Option<UserId>, sqlx::Error> {
    owner_of(&people.pool, &people.digests.keyed("email", email.as_str())).await
}

/// The user who owns this blind index of an e-mail address.
pub(crate) async fn owner_of(pool: &PgPool, index: &str) -> Result<Option<UserId>, sqlx::Error> {
    owner_in(pool, ClaimScope::Email, index).await
}

/// The user who owns a personal name, by its blind index.
pub(super) async fn owner_in(
    pool: &PgPool,
    scope: ClaimScope,
    index: &str,
) -> Result<Option<UserId>, sqlx::Error> {
    let query = "select owner_id from claims where scope = $1 and value = $2 and owner_type = 'user'";
    let owner: Option<String> =
        sqlx::query_scalar(query).bind(scope.as_str()).bind(index).fetch_optional(pool).await?;
    Ok(owner.and_then(|id| UserId::parse(&id).ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_types_is_cut_between_characters() {
        assert_eq!(cut(&"あ".repeat(1_000)).chars().count(), EMAIL_BYTES_MAX / 3);
        assert_eq!(cut("  a "), "a");
    }
}
