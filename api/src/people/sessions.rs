//! Sessions: who is signed in where. Rows in Postgres, so that ending one holds on every node at once; the time is the database's.

use std::time::Duration;

use domain::value::UserId;
use sqlx::{FromRow, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::cookie::VisitToken;

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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    /// By a password that is kept here.
    Password,
    /// Not at all: the demonstration signed its user in by itself.
    AutoConsent,
}

impl Method {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::AutoConsent => "auto_consent",
        }
    }
}

/// A session begun in a way that this version does not know.
#[derive(Debug, thiserror::Error)]
#[error("a session begun by {0:?}")]
pub(crate) struct UnknownMethod(String);

impl TryFrom<String> for Method {
    type Error = UnknownMethod;

    fn try_from(text: String) -> Result<Self, UnknownMethod> {
        let known = [Self::Password, Self::AutoConsent].into_iter().find(|method| method.as_str() == text);
        known.ok_or(UnknownMethod(text))
    }
}

/// Somebody is signed in.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct Session {
    /// Its name, where it is listed and ended.
    pub(crate) id: Uuid,
    /// Who.
    user_id: Uuid,
    /// How they proved it.
    #[sqlx(try_from = "String")]
    pub(crate) method: Method,
    /// What the browser called itself.
    pub(crate) agent: String,
    /// Since when.
    pub(crate) created_at: OffsetDateTime,
    /// When it was used last, to the minute.
    pub(crate) seen_at: OffsetDateTime,
}

impl Session {
    /// Who is signed in.
    pub(crate) const fn user(&self) -> UserId {
        UserId::new(self.user_id)
    }
}

const ALIVE: &str =
    "expires_at > clock_timestamp() and seen_at > clock_timestamp() - make_interval(secs => $2)";

/// The session of a browser, if it is in force. That it was used is noted.
pub(crate) async fn find(pool: &PgPool, token: &VisitToken) -> Result<Option<Session>, sqlx::Error> {
    let query = format!(
        "select id, user_id, method, agent, created_at, seen_at from sessions where digest = $1 and {ALIVE}"
    );
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

/// Signs somebody in under a fresh token. Whatever the browser's old one stood for is over in the same moment.
pub(crate) async fn begin(
    pool: &PgPool,
    (old, new): (&VisitToken, &VisitToken),
    (id, user, method): (Uuid, UserId, Method),
    agent: &str,
) -> Result<(), sqlx::Error> {
    let agent: String = agent.chars().filter(|letter| !letter.is_control()).take(AGENT_CHARS_MAX).collect();
    let mut transaction = pool.begin().await?;
    sqlx::query("delete from sessions where digest = $1")
        .bind(old.digest())
        .execute(&mut *transaction)
        .await?;
    sqlx::query(
        "insert into sessions (digest, id, user_id, method, agent, expires_at)
         values ($1, $2, $3, $4, $5, clock_timestamp() + make_interval(secs => $6))",
    )
    .bind(new.digest())
    .bind(id)
    .bind(user.uuid())
    .bind(method.as_str())
    .bind(agent)
    .bind(LIFE_SECONDS)
    .execute(&mut *transaction)
    .await?;
    sqlx::query(
        "delete from sessions where user_id = $1
         and id in (select id from sessions where user_id = $1 order by created_at desc offset $2)",
    )
    .bind(user.uuid())
    .bind(SESSIONS_MAX)
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await
}

/// The sessions of somebody, the newest first.
pub(crate) async fn list(pool: &PgPool, user: UserId) -> Result<Vec<Session>, sqlx::Error> {
    let query = format!(
        "select id, user_id, method, agent, created_at, seen_at from sessions where user_id = $1 and {ALIVE} order by created_at desc, id"
    );
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
    .execute(pool)
    .await
    .map(|_| ())
}

/// Sessions whose time is over, and what people who are gone left behind.
pub(crate) const FORGET: [&str; 2] = [
    "delete from sessions s where s.expires_at < clock_timestamp()
     or exists (select from users u where u.id = s.user_id and u.standing in ('deleted', 'erased'))",
    "delete from local_passwords p where exists (select from users u where u.id = p.user_id and u.standing in ('deleted', 'erased'))",
];
