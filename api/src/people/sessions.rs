//! Sessions: who is signed in where. Rows in Postgres, so that ending one holds on every node at once; the time is the database's.

use std::time::Duration;

use domain::value::{ProviderId, Timestamp, UserId};
use sqlx::{FromRow, PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::cookie::VisitToken;
use crate::passwords::{PasswordMark, is_still_of};

/// A session that nobody uses ends.
const IDLE_SECONDS: f64 = 12.0 * 3_600.0;
/// However much it is used, a session ends.
const LIFE_SECONDS: f64 = 7.0 * 24.0 * 3_600.0;
/// That a session was used is noted no more often.
const SEEN_EVERY: Duration = Duration::from_mins(1);
/// Of what a browser calls itself.
const AGENT_CHARS_MAX: usize = 300;
/// Sessions of one person; the oldest makes room.
const SESSIONS_MAX: i64 = 50;

/// How somebody proved who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Method {
    /// By a password that is kept here: by this one.
    Password(PasswordMark),
    /// Not at all: the demonstration signed its user in by itself.
    AutoConsent,
    /// By the word of an identity provider.
    Provider {
        /// Which one.
        provider: ProviderId,
        /// The keyed digest of who they are there.
        identity: String,
    },
}

impl Method {
    const fn as_str(&self) -> &'static str {
        match self {
            Self::Password(_) => "password",
            Self::AutoConsent => "auto_consent",
            Self::Provider { .. } => "provider",
        }
    }

    fn provider(&self) -> Option<&str> {
        match self {
            Self::Password(_) | Self::AutoConsent => None,
            Self::Provider { provider, identity: _ } => Some(provider.as_str()),
        }
    }
}

/// A session as it begins.
#[derive(Debug)]
pub(super) struct Begun {
    /// Its name.
    pub(super) id: Uuid,
    /// Who.
    pub(super) user: UserId,
    /// How they proved it.
    pub(super) method: Method,
    /// When they themself were asked, where that was not here and now.
    pub(super) proved_at: Option<Timestamp>,
}

/// Somebody is signed in.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct Session {
    /// Its name, where it is listed and ended.
    pub(crate) id: Uuid,
    /// Who.
    user_id: Uuid,
    /// How they proved it.
    method: String,
    /// What the browser called itself.
    pub(crate) agent: String,
    /// Since when.
    pub(crate) created_at: OffsetDateTime,
    /// When it was used last, to the minute.
    pub(crate) seen_at: OffsetDateTime,
    /// The provider that it rests on, if it rests on one.
    provider: Option<String>,
    /// Whether it goes on by what that provider said before.
    pub(crate) degraded: bool,
    /// Whether the person themself showed lately who they are.
    fresh: bool,
}

impl Session {
    /// Whether nobody proved anything: the demonstration began it.
    pub(crate) fn is_auto_consent(&self) -> bool {
        self.method == Method::AutoConsent.as_str()
    }

    /// The provider that it rests on, if it rests on one.
    pub(crate) fn provider(&self) -> Option<ProviderId> {
        self.provider.as_deref().and_then(|text| ProviderId::parse(text).ok())
    }

    /// Whether the person themself showed lately who they are: what changes how they sign in wants that.
    pub(crate) const fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// Who is signed in.
    pub(crate) const fn user(&self) -> UserId {
        UserId::new(self.user_id)
    }
}

/// Somebody who was asked who they are within five minutes was asked lately.
const COLUMNS: &str =
    "id, user_id, method, agent, created_at, seen_at, provider, degraded_since is not null as degraded,
    coalesce(proved_at > clock_timestamp() - interval '5 minutes', false) as fresh";
const ALIVE: &str =
    "expires_at > clock_timestamp() and seen_at > clock_timestamp() - make_interval(secs => $2)";

/// The session of a browser, if it is in force. That it was used is noted.
pub(crate) async fn find(pool: &PgPool, token: &VisitToken) -> Result<Option<Session>, sqlx::Error> {
    let query = format!("select {COLUMNS} from sessions where digest = $1 and {ALIVE}");
    let found: Option<Session> =
        sqlx::query_as(&query).bind(token.digest()).bind(IDLE_SECONDS).fetch_optional(pool).await?;
    if let Some(session) = &found {
        sqlx::query("update sessions set seen_at = clock_timestamp() where id = $1 and seen_at < clock_timestamp() - make_interval(secs => $2)")
            .bind(session.id)
            .bind(SEEN_EVERY.as_secs_f64())
            .execute(pool)
            .await?;
    }
    Ok(found)
}

/// Why no session begins.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotBegun {
    /// The password that was shown is theirs no more.
    #[error("the password was replaced while it was looked at")]
    PasswordReplaced,
    /// The identity by which they came is theirs no more.
    #[error("the identity was unlinked while its provider was asked")]
    IdentityUnlinked,
    /// The database does not answer.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Signs somebody in under a fresh token. Whatever the browser's old one stood for is over in the same moment, and so is the oldest of too many sessions.
/// Whoever showed a password, or came by an identity, is signed in while it is theirs: looking at it took its time, and whoever replaces or unlinks it ends
/// the sessions that there are then.
pub(super) async fn begin(
    pool: &PgPool,
    (old, new): (&VisitToken, &VisitToken),
    begun: Begun,
    agent: &str,
) -> Result<(), NotBegun> {
    let agent: String = agent.chars().filter(|letter| !letter.is_control()).take(AGENT_CHARS_MAX).collect();
    let Begun { id, user, method, proved_at } = begun;
    let mut transaction = pool.begin().await?;
    match &method {
        Method::Password(mark) => {
            if !is_still_of(&mut transaction, user, *mark).await? {
                return Err(NotBegun::PasswordReplaced);
            }
        }
        Method::Provider { provider: _, identity } => {
            if !leads_to(&mut transaction, identity, user).await? {
                return Err(NotBegun::IdentityUnlinked);
            }
        }
        Method::AutoConsent => {}
    }
    leave_in(&mut transaction, old).await?;
    sqlx::query(
        "insert into sessions (digest, id, user_id, method, provider, proved_at, agent, expires_at)
         values ($1, $2, $3, $4, $5, case when $4 = 'password' then clock_timestamp() else $6 end, $7, clock_timestamp() + make_interval(secs => $8))",
    )
    .bind(new.digest())
    .bind(id)
    .bind(user.uuid())
    .bind(method.as_str())
    .bind(method.provider())
    .bind(proved_at.map(Timestamp::get))
    .bind(agent)
    .bind(LIFE_SECONDS)
    .execute(&mut *transaction)
    .await?;
    let ended = sqlx::query(
        "delete from sessions where user_id = $1
         and id in (select id from sessions where user_id = $1 order by created_at desc offset $2)",
    )
    .bind(user.uuid())
    .bind(SESSIONS_MAX)
    .execute(&mut *transaction)
    .await?;
    if ended.rows_affected() > 0 {
        end_codes(&mut transaction, user).await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// Whether an identity is still somebody's. As long as the unit lasts, it stays theirs: whoever unlinks it then finds the session that begins in it.
async fn leads_to(unit: &mut PgConnection, identity: &str, user: UserId) -> Result<bool, sqlx::Error> {
    let query = "select true from claims
        where scope = 'identity' and value = $1 and owner_type = 'user' and owner_id = $2 for share";
    let found: Option<(bool,)> =
        sqlx::query_as(query).bind(identity).bind(user.to_string()).fetch_optional(unit).await?;
    Ok(found.is_some())
}

/// Notes that a session goes on by what its provider said before.
pub(crate) async fn degrade(pool: &PgPool, session: Uuid) -> Result<(), sqlx::Error> {
    let query =
        "update sessions set degraded_since = clock_timestamp() where id = $1 and degraded_since is null";
    sqlx::query(query).bind(session).execute(pool).await.map(|_| ())
}

/// The sessions of somebody, the newest first.
pub(crate) async fn list(pool: &PgPool, user: UserId) -> Result<Vec<Session>, sqlx::Error> {
    let query =
        format!("select {COLUMNS} from sessions where user_id = $1 and {ALIVE} order by created_at desc, id");
    sqlx::query_as(&query).bind(user.uuid()).bind(IDLE_SECONDS).fetch_all(pool).await
}

/// Which of somebody's sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// This one.
    One(Uuid),
    /// All but this one.
    AllBut(Uuid),
    /// All.
    All,
}

/// Ends sessions of somebody, and of nobody else.
pub(crate) async fn end(pool: &PgPool, user: UserId, which: Which) -> Result<(), sqlx::Error> {
    let mut unit = pool.begin().await?;
    end_in(&mut unit, user, which).await?;
    unit.commit().await
}

/// The same, as a part of something.
pub(super) async fn end_in(unit: &mut PgConnection, user: UserId, which: Which) -> Result<(), sqlx::Error> {
    let (one, but) = match which {
        Which::One(id) => (Some(id), None),
        Which::AllBut(id) => (None, Some(id)),
        Which::All => (None, None),
    };
    sqlx::query(
        "delete from sessions where user_id = $1 and ($2::uuid is null or id = $2) and ($3::uuid is null or id <> $3)",
    )
    .bind(user.uuid())
    .bind(one)
    .bind(but)
    .execute(&mut *unit)
    .await?;
    end_codes(unit, user).await
}

/// Of a session that ends no code is left on its way (`oauth.md`, case 10): somebody else may hold it. A client that loses its code so asks again.
pub(crate) async fn end_codes(unit: &mut PgConnection, user: UserId) -> Result<(), sqlx::Error> {
    let open = "update authorization_codes set expires_at = least(expires_at, clock_timestamp())
        where user_id = $1 and consumed_at is null and expires_at > clock_timestamp()";
    sqlx::query(open).bind(user.uuid()).execute(unit).await.map(|_| ())
}

/// Ends the session of a browser, also one that does not count now, and the codes of whoever leaves.
pub(super) async fn leave(pool: &PgPool, token: &VisitToken) -> Result<(), sqlx::Error> {
    let mut unit = pool.begin().await?;
    leave_in(&mut unit, token).await?;
    unit.commit().await
}

async fn leave_in(unit: &mut PgConnection, token: &VisitToken) -> Result<(), sqlx::Error> {
    let left: Option<(Uuid,)> = sqlx::query_as("delete from sessions where digest = $1 returning user_id")
        .bind(token.digest())
        .fetch_optional(&mut *unit)
        .await?;
    match left {
        Some((user,)) => end_codes(unit, UserId::new(user)).await,
        None => Ok(()),
    }
}

/// Whether a session has not been ended. As long as the unit lasts, it is not: what is drawn in it is there for whoever ends it then.
pub(crate) async fn lasts(unit: &mut PgConnection, session: Uuid) -> Result<bool, sqlx::Error> {
    let query = "select true from sessions where id = $1 for key share";
    let found: Option<(bool,)> = sqlx::query_as(query).bind(session).fetch_optional(unit).await?;
    Ok(found.is_some())
}

/// Sessions whose time is over, and what people who are gone left behind.
pub(crate) const FORGET: [&str; 2] = [
    "delete from sessions s where s.expires_at < clock_timestamp()
     or exists (select from users u where u.id = s.user_id and u.standing in ('deleted', 'erased'))",
    "delete from local_passwords p where exists (select from users u where u.id = p.user_id and u.standing in ('deleted', 'erased'))",
];
