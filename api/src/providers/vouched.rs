//! Whether a provider's word still counts: when it vouched for whom last, and what becomes of somebody while it does not answer.
//!
//! ```text
//!   vouched --session time is up--> asked again (a redirect; at a token request nobody can be led anywhere, so that the provider answers is enough)
//!                                     `--it does not answer--> degraded, until its word is older than the fallback time --> over
//! ```
//! Never a first sign-in: without a row there is nothing to fall back on. That somebody is suspended here is looked at elsewhere, and always first
//! (`oauth.md`, case 36).

use std::sync::Arc;
use std::time::Duration;

use commands::user::{BeginFallback, EndFallback};
use commands::{Actor, CarryOutError, Order, Ports, UseCase, carry_out};
use domain::value::{GrantId, ProviderId, Timestamp, UserId};
use projections::access::Provider;
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;

use super::Providers;
use crate::people::sessions::end_codes;

/// What somebody who rests on a provider's word may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Its word is young enough.
    Vouched,
    /// It is not, and the provider can be asked.
    ToRenew,
    /// The provider does not answer; its word of before counts.
    Degraded,
    /// It does not answer, and its word is too old. Or it never vouched.
    Over,
}

/// What is looked up and noted with.
pub(crate) struct Vouching<'a, P> {
    pub(crate) providers: &'a Providers,
    pub(crate) ports: &'a P,
    pub(crate) pool: &'a PgPool,
    /// The trace of the request.
    pub(crate) correlation: &'a str,
}

/// It cannot be told, and nobody is let through untold.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VouchError {
    /// The database does not answer.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// What must be told is not.
    #[error("what must be noted of a provider is not: {0}")]
    Untold(#[from] CarryOutError),
}

impl<P: Ports> Vouching<'_, P> {
    /// How somebody stands who rests on a provider's word. That they go on without it is told first, once for as long as it lasts.
    pub(crate) async fn standing(
        &self,
        user: UserId,
        provider: &Arc<Provider>,
    ) -> Result<Standing, VouchError> {
        let row: Option<(OffsetDateTime, f64, bool)> = sqlx::query_as(
            "select vouched_at, extract(epoch from clock_timestamp() - vouched_at)::float8, degraded_since is not null
             from provider_vouchers where user_id = $1 and provider = $2",
        )
        .bind(user.uuid())
        .bind(provider.id.as_str())
        .fetch_optional(self.pool)
        .await?;
        let Some((vouched_at, age_seconds, degraded)) = row else { return Ok(Standing::Over) };
        let age = Duration::try_from_secs_f64(age_seconds.max(0.0)).unwrap_or(Duration::MAX);
        let limits = self.providers.limits();
        if age <= limits.session {
            return Ok(Standing::Vouched);
        }
        if degraded && age <= limits.fallback && self.providers.is_left_alone(provider) {
            return Ok(Standing::Degraded);
        }
        if self.providers.contact(provider).await.is_ok() {
            return Ok(Standing::ToRenew);
        }
        if age > limits.fallback {
            return Ok(Standing::Over);
        }
        if degraded {
            return Ok(Standing::Degraded);
        }
        match self.degrade(user, provider, Timestamp::new(vouched_at)).await {
            Ok(()) => Ok(Standing::Degraded),
            // Nobody at that provider, or not active by now: there is no word to go on by.
            Err(VouchError::Untold(CarryOutError::Refused(_))) => Ok(Standing::Over),
            Err(error) => Err(error),
        }
    }

    async fn degrade(
        &self,
        user: UserId,
        provider: &Provider,
        vouched_at: Timestamp,
    ) -> Result<(), VouchError> {
        self.tell(&BeginFallback { user, issuer: provider.issuer.clone(), vouched_at }).await?;
        let marked = sqlx::query(
            "update provider_vouchers set degraded_since = clock_timestamp()
             where user_id = $1 and provider = $2 and degraded_since is null",
        )
        .bind(user.uuid())
        .bind(provider.id.as_str())
        .execute(self.pool)
        .await?;
        if marked.rows_affected() == 1 {
            self.providers.metrics().fell_back();
            tracing::warn!(user.id = %user, provider.id = %provider.id, "goes on by the word of a provider that does not answer");
        }
        Ok(())
    }

    async fn tell<U: UseCase>(&self, use_case: &U) -> Result<(), CarryOutError> {
        let order = Order {
            command: None,
            request_digest: String::new(),
            correlation: self.correlation.to_owned(),
            causation: None,
        };
        carry_out(self.ports, &Actor::schedule(), order, use_case).await.map(|_| ())
    }
}

/// Notes that a provider vouched for somebody just now.
pub(crate) async fn vouch<P: Ports>(
    vouching: &Vouching<'_, P>,
    user: UserId,
    provider: &Provider,
) -> Result<(), VouchError> {
    let degraded: Option<bool> = sqlx::query_scalar(
        "select degraded_since is not null from provider_vouchers where user_id = $1 and provider = $2",
    )
    .bind(user.uuid())
    .bind(provider.id.as_str())
    .fetch_optional(vouching.pool)
    .await?;
    if degraded == Some(true) {
        vouching.tell(&EndFallback { user, issuer: provider.issuer.clone() }).await?;
    }
    let mut transaction = vouching.pool.begin().await?;
    sqlx::query(
        "insert into provider_vouchers (user_id, provider) values ($1, $2)
         on conflict (user_id, provider) do update set vouched_at = clock_timestamp(), degraded_since = null",
    )
    .bind(user.uuid())
    .bind(provider.id.as_str())
    .execute(&mut *transaction)
    .await?;
    sqlx::query("update sessions set degraded_since = null where user_id = $1 and provider = $2")
        .bind(user.uuid())
        .bind(provider.id.as_str())
        .execute(&mut *transaction)
        .await?;
    Ok(transaction.commit().await?)
}

/// Notes that somebody comes from a provider no more: their sessions from there end, and what they allowed is theirs without it.
pub(crate) async fn part(pool: &PgPool, user: UserId, provider: &ProviderId) -> Result<(), sqlx::Error> {
    let mut transaction = pool.begin().await?;
    let ended = sqlx::query("delete from sessions where user_id = $1 and provider = $2")
        .bind(user.uuid())
        .bind(provider.as_str())
        .execute(&mut *transaction)
        .await?;
    if ended.rows_affected() > 0 {
        end_codes(&mut transaction, user).await?;
    }
    for statement in [
        "delete from provider_vouchers where user_id = $1 and provider = $2",
        "delete from provider_grants p using grants g where g.id = p.grant_id and g.user_id = $1 and p.provider = $2",
    ] {
        sqlx::query(statement).bind(user.uuid()).bind(provider.as_str()).execute(&mut *transaction).await?;
    }
    transaction.commit().await
}

/// What a grant is to rest on, by the session in which a code for it is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ground {
    /// The person consented just now: it rests on what their session rests on, and on nothing else.
    Consented(Option<ProviderId>),
    /// They consented before, and were not asked again: it goes on resting on what it rests on, and if that is nothing, on what this session rests on.
    Remembered(Option<ProviderId>),
}

/// Notes on which provider a grant rests. It is noted with each code, in one transaction: there is no code, and so no token, of a grant of which that
/// is not known, whatever happened after the consent was written.
pub(crate) async fn rests_on(
    unit: &mut PgConnection,
    grant: GrantId,
    ground: &Ground,
) -> Result<(), sqlx::Error> {
    let query = match ground {
        Ground::Consented(Some(provider)) => sqlx::query(
            "insert into provider_grants (grant_id, provider) values ($1, $2)
             on conflict (grant_id) do update set provider = excluded.provider",
        )
        .bind(grant.uuid())
        .bind(provider.as_str()),
        Ground::Consented(None) => {
            sqlx::query("delete from provider_grants where grant_id = $1").bind(grant.uuid())
        }
        Ground::Remembered(Some(provider)) => sqlx::query(
            "insert into provider_grants (grant_id, provider) values ($1, $2) on conflict (grant_id) do nothing",
        )
        .bind(grant.uuid())
        .bind(provider.as_str()),
        Ground::Remembered(None) => return Ok(()),
    };
    query.execute(unit).await.map(|_| ())
}

/// On which provider a grant rests.
pub(crate) async fn ground_of(pool: &PgPool, grant: GrantId) -> Result<Option<ProviderId>, sqlx::Error> {
    let query = "select provider from provider_grants where grant_id = $1";
    let found: Option<String> = sqlx::query_scalar(query).bind(grant.uuid()).fetch_optional(pool).await?;
    Ok(found.and_then(|text| ProviderId::parse(&text).ok()))
}

/// What nobody comes back with, people who are gone, grants that are over, and secrets that no event names any more.
pub(crate) const FORGET: [&str; 4] = [
    "delete from provider_visits where expires_at < clock_timestamp()",
    "delete from provider_vouchers v where exists (select from users u where u.id = v.user_id and u.standing in ('deleted', 'erased'))",
    "delete from provider_grants p where exists (select from grants g where g.id = p.grant_id and g.standing = 'revoked')",
    "with named as (
        select distinct on (payload -> event_type ->> 'provider') payload -> event_type ->> 'secret' as secret from events
        where aggregate_type = 'deployment' and event_type in ('provider_added', 'provider_changed', 'provider_removed')
        order by payload -> event_type ->> 'provider', global_position desc)
     delete from provider_secrets s where s.created_at < clock_timestamp() - interval '1 hour'
     and not exists (select from named n where n.secret = s.id::text)",
];
