//! The connection to Postgres: version check and migrations.

use std::str::FromStr as _;
use std::time::Duration;

use domain::value::Position;
use projections::{Doorbell, LogReader};
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use sqlx::{ConnectOptions as _, Executor as _, PgConnection, PgPool, Row as _};
use tokio_util::sync::CancellationToken;

/// The migrations, embedded in the binary.
pub static MIGRATIONS: Migrator = sqlx::migrate!("../migrations");

const VERSIONS: std::ops::RangeInclusive<i32> = 14..=18;
const CONNECTIONS_MAX: u32 = 16;
const CONNECT_WAIT: Duration = Duration::from_secs(10);
/// How often the head of the log is looked up when nothing is heard.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Postgres cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    /// Not an address.
    #[error("DATABASE_URL is not a Postgres address: {0}")]
    Address(String),
    /// Nobody answers there, or not to us.
    #[error("Postgres does not answer: {0}")]
    Unreachable(#[from] sqlx::Error),
    /// Nobody could be reached there within the time that a server is given to start.
    #[error("Postgres at {place} does not answer: {reason}")]
    Silent {
        /// Host and port, or the socket.
        place: String,
        /// What the last attempt met.
        reason: String,
    },
    /// Another version than those that are tested.
    #[error("Postgres {0} is not supported: Sekisho runs on 14 to 18")]
    Version(i32),
    /// There is nobody to grant anything to.
    #[error(
        "there is no role {0}: make it first, as a role that may make roles, such as by CREATE ROLE \"{0}\" LOGIN PASSWORD '...'; then run this again"
    )]
    NoRole(String),
    /// The schema cannot be brought up to date.
    #[error("the migrations cannot be run: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
}

/// Options for connections to this database.
pub fn options(address: &str) -> Result<PgConnectOptions, PostgresError> {
    PgConnectOptions::from_str(address)
        .map(|options| options.application_name("sekisho"))
        .map_err(|error| PostgresError::Address(error.to_string()))
}

/// A pool of connections to a Postgres that is new enough.
pub async fn connect(options: PgConnectOptions) -> Result<PgPool, PostgresError> {
    let pool = PgPoolOptions::new()
        .max_connections(CONNECTIONS_MAX)
        .acquire_timeout(CONNECT_WAIT)
        .after_release(|connection, _| Box::pin(is_outside_a_transaction(connection)))
        .connect_with(options.clone())
        .await;
    let pool = match pool {
        // The pool tells that it waited, not what for.
        Err(sqlx::Error::PoolTimedOut) => return Err(silent(&options).await),
        connected => connected?,
    };
    let major = major(&pool).await?;
    if VERSIONS.contains(&major) { Ok(pool) } else { Err(PostgresError::Version(major)) }
}

/// Tries once more, by itself, to learn why.
async fn silent(options: &PgConnectOptions) -> PostgresError {
    let place = match options.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    };
    let once = tokio::time::timeout(CONNECT_WAIT, options.connect()).await;
    let reason = match once {
        Err(_) => format!("nothing came back in {} s", CONNECT_WAIT.as_secs()),
        Ok(Err(error)) => error.to_string(),
        Ok(Ok(_)) => "it was too slow; try again".to_owned(),
    };
    PostgresError::Silent { place, reason }
}

/// Whether a connection may go back to the pool. sqlx 0.8 gives one back inside an open transaction when a future is dropped during `begin`;
/// the next user's write would then be acknowledged and rolled back later. Outside a transaction the two clocks agree, provided that the
/// statement is one message (the simple protocol, so no bound parameters): in the extended one, each of its messages moves the second clock.
async fn is_outside_a_transaction(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    connection.fetch_one("select now() = statement_timestamp()").await?.try_get(0)
}

/// The major version of the server.
pub async fn major(pool: &PgPool) -> Result<i32, PostgresError> {
    let (number,): (i32,) =
        sqlx::query_as("select current_setting('server_version_num')::int").fetch_one(pool).await?;
    Ok(number / 10_000)
}

/// Brings the schema up to date; several nodes may do so at once. A role that may not change the schema need not, when it is up to date.
pub async fn migrate(pool: &PgPool) -> Result<(), PostgresError> {
    if is_up_to_date(pool).await { Ok(()) } else { Ok(MIGRATIONS.run(pool).await?) }
}

/// Whether exactly our migrations were run. Whatever else is found is judged by those who run them.
async fn is_up_to_date(pool: &PgPool) -> bool {
    let applied: Result<Vec<(i64, Vec<u8>, bool)>, _> =
        sqlx::query_as("select version, checksum, success from _sqlx_migrations").fetch_all(pool).await;
    let Ok(applied) = applied else { return false };
    let ours = |(version, checksum, success): &(i64, Vec<u8>, bool)| {
        *success && MIGRATIONS.iter().any(|one| one.version == *version && *one.checksum == **checksum)
    };
    applied.len() == MIGRATIONS.iter().count() && applied.iter().all(ours)
}

/// Lets a role do what a node does, and no more: it reads and appends events, and changes none. It owns nothing, so that it cannot give
/// itself more. To be repeated after each migration.
pub async fn grant_to(pool: &PgPool, role: &str) -> Result<(), PostgresError> {
    let known: bool = sqlx::query_scalar("select exists (select from pg_roles where rolname = $1)")
        .bind(role)
        .fetch_one(pool)
        .await?;
    let role = role.replace('"', "\"\"");
    if !known {
        return Err(PostgresError::NoRole(role));
    }
    let statements = format!(
        "begin;
         grant usage on schema public to \"{role}\";
         grant select, insert, update, delete on all tables in schema public to \"{role}\";
         revoke all on events, notary_checkpoints, log_identity, _sqlx_migrations from \"{role}\";
         grant select on log_identity, _sqlx_migrations to \"{role}\";
         grant select, insert on events, notary_checkpoints to \"{role}\";
         grant execute on function make_call_partition(date), make_argument_partition(date), drop_call_partitions(date, date) to \"{role}\";
         commit"
    );
    pool.execute(statements.as_str()).await?;
    Ok(())
}

/// Whether this role could change events: by a grant, or because it owns the table and could take its triggers away.
pub async fn may_change_events(pool: &PgPool) -> Result<bool, PostgresError> {
    let query = "select pg_has_role(c.relowner, 'member') or has_table_privilege(c.oid, 'update, delete, truncate, trigger')
        from pg_class c where c.oid = 'events'::regclass";
    Ok(sqlx::query_scalar(query).fetch_one(pool).await?)
}

/// Rings the doorbell for commits of other nodes: by LISTEN where that is wanted (there is no NATS), else by a look now and then.
pub async fn ring_for_commits(log: LogReader, doorbell: Doorbell, listen: bool, stop: CancellationToken) {
    let mut notifications = None;
    loop {
        if listen && notifications.is_none() {
            notifications = listening(log.pool()).await;
        }
        let heard = tokio::select! {
            () = stop.cancelled() => return,
            heard = next(&mut notifications) => heard,
            () = tokio::time::sleep(LOOK_EVERY) => None,
        };
        match heard {
            Some(position) => doorbell.ring(position),
            None => match log.head().await {
                Ok(position) => doorbell.ring(position),
                Err(error) => tracing::debug!(error = %error, "the head of the log cannot be read"),
            },
        }
    }
}

async fn listening(pool: &PgPool) -> Option<PgListener> {
    let mut listener = PgListener::connect_with(pool).await.ok()?;
    listener.listen("sekisho_log").await.ok()?;
    Some(listener)
}

/// The position of the next notification; never, when nobody listens.
async fn next(listener: &mut Option<PgListener>) -> Option<Position> {
    let Some(open) = listener else { return std::future::pending().await };
    if let Ok(notification) = open.recv().await {
        return notification.payload().parse().ok().map(Position::new);
    }
    *listener = None;
    None
}
