//! Refresh tokens in Postgres: found by their digest, used by one conditional statement, ended together.
//!
//! A token is spent by the one `update` that finds it unspent; everybody else waits for that one's commit and finds what it left. Neither the
//! token nor its successor can be had from these tables: they hold a digest, and the answer under a key that the token yields.

mod marks;

use domain::value::{ClientId, GrantId, InstanceId, IssuedSecret, PresentedSecret, Scope, Scopes, Timestamp};
use sqlx::{FromRow, PgConnection, PgPool};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;
use zeroize::Zeroizing;

use self::marks::{Broken, TokenMarks};
use crate::token::{
    EndedFamily, FamilyEnd, FamilyId, FoundRefresh, KeepRefreshTokens, REFRESH_IDLE_DAYS, REFRESH_LIFE_DAYS,
    REFRESH_REPLAY_SECONDS, RefreshAnswer, RefreshFamily, RefreshState, RefreshUnreachable, Spending,
};

/// Families that a look at those of which the log does not know takes at once.
const UNTOLD_MAX: i64 = 100;

const BEGIN_FAMILY: &str =
    "insert into refresh_families (id, grant_id, client_id, instance_id, scopes, idle_until, ends_at)
    select $1, $2, $3, $4, $5, least(clock_timestamp() + make_interval(days => $6), o.ends_at), o.ends_at
    from (select least(clock_timestamp() + make_interval(days => $7), $8) as ends_at) o";
const BEGIN_TOKEN: &str = "insert into refresh_tokens (digest, family_id, parent) values ($1, $2, $3)";
const FIND: &str = "select f.id, f.grant_id, f.client_id, f.instance_id, f.scopes, f.end_reason, f.told_at is not null as told,
        least(f.idle_until, f.ends_at) as expires_at, f.began_at, t.issued_at, t.consumed_at, clock_timestamp() as now
    from refresh_tokens t join refresh_families f on f.id = t.family_id where t.digest = $1";
/// The one statement that spends a token: whoever comes second finds `consumed_at` set, when the first has committed.
const SPEND: &str =
    "update refresh_tokens t set consumed_at = clock_timestamp(), answer = $2 from refresh_families f
    where t.digest = $1 and t.consumed_at is null and f.id = t.family_id and f.ended_at is null
    and f.idle_until > clock_timestamp() and f.ends_at > clock_timestamp()
    returning t.family_id";
/// Behind the spending: a family that ended at the same moment gets no successor.
const GO_ON: &str =
    "update refresh_families set idle_until = least(clock_timestamp() + make_interval(days => $2), ends_at)
    where id = $1 and ended_at is null";
const REPLAY: &str = "update refresh_tokens t set replays = t.replays + 1 from refresh_families f
    where t.digest = $1 and t.answer is not null and clock_timestamp() - t.consumed_at <= make_interval(secs => $2)
    and f.id = t.family_id and f.ended_at is null
    returning t.answer";
const END_OF_SPENT: &str =
    "update refresh_families f set ended_at = clock_timestamp(), end_reason = $2 from refresh_tokens t
    where t.digest = $1 and t.consumed_at is not null and f.id = t.family_id and f.ended_at is null";
const END: &str = "update refresh_families set ended_at = clock_timestamp(), end_reason = $2 where id = $1 and ended_at is null";
const UNTOLD: &str = "select id, grant_id, client_id, end_reason from refresh_families
    where ended_at is not null and told_at is null order by ended_at limit $1";
const TOLD: &str = "update refresh_families set told_at = clock_timestamp() where id = $1 and ended_at is not null and told_at is null";

/// The tables `refresh_families` and `refresh_tokens`.
#[derive(Debug, Clone)]
pub struct RefreshTokens {
    pool: PgPool,
}

/// A token cannot be kept or found.
#[derive(Debug, thiserror::Error)]
enum RefreshTokensError {
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Broken(#[from] Broken),
    #[error("the family {0} is written as this version does not write it")]
    Unreadable(Uuid),
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    grant_id: Uuid,
    client_id: Uuid,
    instance_id: Uuid,
    scopes: Vec<String>,
    end_reason: Option<String>,
    told: bool,
    expires_at: OffsetDateTime,
    began_at: OffsetDateTime,
    issued_at: OffsetDateTime,
    consumed_at: Option<OffsetDateTime>,
    now: OffsetDateTime,
}

impl RefreshTokens {
    /// Those in this database.
    pub const fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    async fn begin_family(
        &self,
        family: &RefreshFamily,
        token: &IssuedSecret,
        grant_until: Option<Timestamp>,
    ) -> Result<(), RefreshTokensError> {
        let marks = TokenMarks::of(token.reveal())?;
        let scopes: Vec<String> = family.scopes.iter().map(ToString::to_string).collect();
        let mut unit = self.pool.begin().await?;
        sqlx::query(BEGIN_FAMILY)
            .bind(family.id.0)
            .bind(family.grant.uuid())
            .bind(family.client.uuid())
            .bind(family.instance.uuid())
            .bind(scopes)
            .bind(REFRESH_IDLE_DAYS)
            .bind(REFRESH_LIFE_DAYS)
            .bind(grant_until.map(Timestamp::get))
            .execute(&mut *unit)
            .await?;
        insert(&mut unit, &marks, family.id.0, None).await?;
        Ok(unit.commit().await?)
    }

    async fn look(&self, presented: &PresentedSecret) -> Result<Option<FoundRefresh>, RefreshTokensError> {
        let marks = TokenMarks::of(presented.reveal())?;
        let row: Option<Row> = sqlx::query_as(FIND).bind(marks.digest()).fetch_optional(&self.pool).await?;
        row.map(Row::read).transpose()
    }

    async fn use_up(
        &self,
        presented: &PresentedSecret,
        successor: &IssuedSecret,
        answer: &[u8],
    ) -> Result<Spending, RefreshTokensError> {
        let marks = TokenMarks::of(presented.reveal())?;
        let sealed = marks.seal(answer)?;
        let mut unit = self.pool.begin().await?;
        let won: Option<(Uuid,)> =
            sqlx::query_as(SPEND).bind(marks.digest()).bind(sealed).fetch_optional(&mut *unit).await?;
        let Some((family,)) = won else {
            let spending = replay(&mut unit, &marks).await?;
            unit.commit().await?;
            return Ok(spending);
        };
        let going = sqlx::query(GO_ON)
            .bind(family)
            .bind(REFRESH_IDLE_DAYS)
            .execute(&mut *unit)
            .await?
            .rows_affected();
        if going == 0 {
            unit.rollback().await?;
            return Ok(Spending::Over);
        }
        insert(&mut unit, &TokenMarks::of(successor.reveal())?, family, Some(marks.digest())).await?;
        unit.commit().await?;
        Ok(Spending::Won)
    }

    async fn use_again(&self, presented: &PresentedSecret) -> Result<Spending, RefreshTokensError> {
        let marks = TokenMarks::of(presented.reveal())?;
        let mut unit = self.pool.begin().await?;
        let spending = replay(&mut unit, &marks).await?;
        unit.commit().await?;
        Ok(spending)
    }

    async fn ended(&self) -> Result<Vec<EndedFamily>, RefreshTokensError> {
        let rows: Vec<(Uuid, Uuid, Uuid, String)> =
            sqlx::query_as(UNTOLD).bind(UNTOLD_MAX).fetch_all(&self.pool).await?;
        let read = |(id, grant, client, why): (Uuid, Uuid, Uuid, String)| {
            let why = FamilyEnd::parse(&why).ok_or(RefreshTokensError::Unreadable(id))?;
            Ok(EndedFamily {
                id: FamilyId(id),
                grant: GrantId::new(grant),
                client: ClientId::new(client),
                why,
            })
        };
        rows.into_iter().map(read).collect()
    }
}

async fn insert(
    unit: &mut PgConnection,
    marks: &TokenMarks,
    family: Uuid,
    parent: Option<&[u8]>,
) -> Result<(), RefreshTokensError> {
    sqlx::query(BEGIN_TOKEN).bind(marks.digest()).bind(family).bind(parent).execute(unit).await?;
    Ok(())
}

/// What a token that cannot be spent is answered with. When it was spent for too long, its family ends here and now.
async fn replay(unit: &mut PgConnection, marks: &TokenMarks) -> Result<Spending, RefreshTokensError> {
    let kept: Option<(Vec<u8>,)> = sqlx::query_as(REPLAY)
        .bind(marks.digest())
        .bind(f64::from(REFRESH_REPLAY_SECONDS))
        .fetch_optional(&mut *unit)
        .await?;
    if let Some((sealed,)) = kept {
        let answer: Zeroizing<Vec<u8>> = marks.open(&sealed)?;
        return Ok(Spending::Again(answer));
    }
    let ended = sqlx::query(END_OF_SPENT)
        .bind(marks.digest())
        .bind(FamilyEnd::Reused.as_str())
        .execute(&mut *unit)
        .await?
        .rows_affected();
    Ok(if ended == 0 { Spending::Over } else { Spending::Reused })
}

impl Row {
    fn read(self) -> Result<FoundRefresh, RefreshTokensError> {
        let unreadable = || RefreshTokensError::Unreadable(self.id);
        let scopes: Result<Scopes, _> = self.scopes.iter().map(|scope| Scope::parse(scope)).collect();
        let family = RefreshFamily {
            id: FamilyId(self.id),
            grant: GrantId::new(self.grant_id),
            client: ClientId::new(self.client_id),
            instance: InstanceId::new(self.instance_id),
            scopes: scopes.map_err(|_| unreadable())?,
        };
        let retries_until =
            self.consumed_at.map(|at| at + Duration::seconds(i64::from(REFRESH_REPLAY_SECONDS)));
        let state = match (&self.end_reason, retries_until) {
            (Some(why), _) => {
                let why = FamilyEnd::parse(why).ok_or_else(unreadable)?;
                RefreshState::Ended { why, told: self.told }
            }
            (None, _) if self.expires_at <= self.now => RefreshState::Over,
            (None, Some(until)) if self.now <= until => RefreshState::SpentJustNow,
            (None, Some(_)) => RefreshState::SpentLongAgo,
            (None, None) => RefreshState::Live,
        };
        let (issued_at, expires_at) = (Timestamp::new(self.issued_at), Timestamp::new(self.expires_at));
        Ok(FoundRefresh { family, state, issued_at, began_at: Timestamp::new(self.began_at), expires_at })
    }
}

/// Why goes to the log; whoever asked learns that they may ask again.
fn unreachable(error: impl Into<RefreshTokensError>) -> RefreshUnreachable {
    tracing::error!(error = %error.into(), "refresh tokens cannot be reached");
    RefreshUnreachable
}

impl KeepRefreshTokens for RefreshTokens {
    fn begin<'a>(
        &'a self,
        family: &'a RefreshFamily,
        token: &'a IssuedSecret,
        grant_until: Option<Timestamp>,
    ) -> RefreshAnswer<'a, ()> {
        Box::pin(async move { self.begin_family(family, token, grant_until).await.map_err(unreachable) })
    }

    fn find<'a>(&'a self, presented: &'a PresentedSecret) -> RefreshAnswer<'a, Option<FoundRefresh>> {
        Box::pin(async move { self.look(presented).await.map_err(unreachable) })
    }

    fn spend<'a>(
        &'a self,
        presented: &'a PresentedSecret,
        successor: &'a IssuedSecret,
        answer: &'a [u8],
    ) -> RefreshAnswer<'a, Spending> {
        Box::pin(async move { self.use_up(presented, successor, answer).await.map_err(unreachable) })
    }

    fn answer_again<'a>(&'a self, presented: &'a PresentedSecret) -> RefreshAnswer<'a, Spending> {
        Box::pin(async move { self.use_again(presented).await.map_err(unreachable) })
    }

    fn end(&self, family: FamilyId, why: FamilyEnd) -> RefreshAnswer<'_, ()> {
        let end = sqlx::query(END).bind(family.0).bind(why.as_str());
        Box::pin(async move { end.execute(&self.pool).await.map(drop).map_err(unreachable) })
    }

    fn untold(&self) -> RefreshAnswer<'_, Vec<EndedFamily>> {
        Box::pin(async move { self.ended().await.map_err(unreachable) })
    }

    fn told(&self, family: FamilyId) -> RefreshAnswer<'_, ()> {
        let told = sqlx::query(TOLD).bind(family.0);
        Box::pin(async move { told.execute(&self.pool).await.map(drop).map_err(unreachable) })
    }
}
