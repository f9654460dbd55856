//! Group commit: whoever asks while a transaction is under way shares the next one.
//!
//! One task, one dedicated connection, one round trip and one fsync for up to `BATCH_COMMANDS_MAX` commands. When the connection breaks
//! nobody knows whether the transaction was committed; since the log takes every event and every command id once, the batch is simply sent
//! again: what was committed collides with itself, and whoever carries out the command finds the answer under its id. The appender cannot
//! tell "already in the log" from "in the log by another attempt, with another answer", so it does not try.

use std::time::Duration;

use commands::{AppendError, LogError};
use domain::ClaimScope;
use domain::value::Position;
use serde_json::Value;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Executor, Row};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

/// Larger batches overflow Postgres's sub-transaction cache when something in them collides.
const BATCH_COMMANDS_MAX: usize = 64;
/// Commands that may wait; one more is refused.
const QUEUE_COMMANDS_MAX: usize = 4_096;
/// How long a batch is sent again while Postgres is away.
const GIVE_UP_AFTER: Duration = Duration::from_secs(10);
/// How long one transaction may take before its connection is given up: a Postgres that fell silent must not silence us. Longer than the
/// server's own limit on the statement.
const ANSWER_WAIT: Duration = Duration::from_secs(9);
const RETRY_PAUSE: Duration = Duration::from_millis(50);

struct Job {
    /// JSON, written by whoever asks: the one task that all wait for has less to do.
    command: String,
    answer: oneshot::Sender<Result<Position, AppendError>>,
}

/// The way into the log.
#[derive(Debug, Clone)]
pub struct Appender {
    jobs: mpsc::Sender<Job>,
}

/// The other end: run it until the appender is dropped.
pub struct AppenderTask {
    options: PgConnectOptions,
    jobs: mpsc::Receiver<Job>,
    doorbell: watch::Sender<Position>,
}

impl std::fmt::Debug for AppenderTask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AppenderTask").finish_non_exhaustive()
    }
}

impl Appender {
    /// An appender and its task. The doorbell rings with the last position after every commit.
    pub fn new(options: PgConnectOptions, doorbell: watch::Sender<Position>) -> (Self, AppenderTask) {
        let (sender, jobs) = mpsc::channel(QUEUE_COMMANDS_MAX);
        (Self { jobs: sender }, AppenderTask { options, jobs, doorbell })
    }

    /// Appends one command, encoded for `append_commands`.
    pub async fn append(&self, command: Value) -> Result<Position, AppendError> {
        let (answer, answered) = oneshot::channel();
        self.jobs.try_send(Job { command: command.to_string(), answer }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => AppendError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => {
                AppendError::Log(LogError("the appender has stopped".to_owned()))
            }
        })?;
        answered
            .await
            .unwrap_or_else(|_| Err(AppendError::Log(LogError("the appender has stopped".to_owned()))))
    }
}

/// How one command of a batch ended, as the database says.
struct Outcome {
    number: usize,
    result: Result<Position, AppendError>,
}

impl AppenderTask {
    /// Takes commands until every `Appender` is gone.
    pub async fn run(mut self) {
        let mut connection = None;
        let mut waiting = Vec::with_capacity(BATCH_COMMANDS_MAX);
        while self.jobs.recv_many(&mut waiting, BATCH_COMMANDS_MAX).await > 0 {
            let jobs = std::mem::take(&mut waiting);
            self.write(&mut connection, jobs).await;
        }
    }

    async fn write(&self, connection: &mut Option<PgConnection>, jobs: Vec<Job>) {
        let batch = array(&jobs);
        let give_up = Instant::now() + GIVE_UP_AFTER;
        let outcomes = loop {
            let sent = tokio::time::timeout(ANSWER_WAIT, self.send(connection, &batch)).await;
            match sent.unwrap_or_else(|_| Err(sqlx::Error::PoolTimedOut)) {
                Ok(outcomes) => break outcomes,
                Err(error) if Instant::now() < give_up && is_transient(&error) => {
                    tracing::warn!(error = %error, "the log did not answer an append; sending the batch again");
                    *connection = None;
                    tokio::time::sleep(RETRY_PAUSE).await;
                }
                Err(error) if jobs.len() > 1 && !is_transient(&error) => {
                    tracing::warn!(error = %error, "a batch is refused whole; sending its commands one by one");
                    *connection = None;
                    for job in jobs {
                        Box::pin(self.write(connection, vec![job])).await;
                    }
                    return;
                }
                Err(error) => {
                    tracing::error!(error = %error, commands = jobs.len(), "giving up on an append");
                    *connection = None;
                    for job in jobs {
                        let _ = job.answer.send(Err(LogError(error.to_string()).into()));
                    }
                    return;
                }
            }
        };
        self.answer(jobs, outcomes);
    }

    fn answer(&self, jobs: Vec<Job>, outcomes: Vec<Outcome>) {
        let mut jobs: Vec<Option<Job>> = jobs.into_iter().map(Some).collect();
        let mut head = Position::START;
        for Outcome { number, result } in outcomes {
            let Some(job) = jobs.get_mut(number).and_then(Option::take) else { continue };
            if let Ok(position) = &result {
                head = head.max(*position);
            }
            let _ = job.answer.send(result); // a caller that left needs no answer
        }
        self.doorbell.send_if_modified(|rung| {
            let news = head > *rung;
            if news {
                *rung = head;
            }
            news
        });
    }

    async fn send(
        &self,
        connection: &mut Option<PgConnection>,
        batch: &str,
    ) -> Result<Vec<Outcome>, sqlx::Error> {
        if connection.is_none() {
            *connection = Some(self.connect().await?);
        }
        let Some(open) = connection else { return Err(sqlx::Error::PoolClosed) };
        let rows =
            sqlx::query("select ordinal, outcome, position_last, detail from append_commands($1::jsonb)")
                .bind(batch)
                .fetch_all(&mut *open)
                .await?;
        rows.iter().map(outcome).collect()
    }

    /// A dedicated connection keeps the function's plans warm; its timeouts bound how long the lock can be held.
    async fn connect(&self) -> Result<PgConnection, sqlx::Error> {
        let mut connection = self.options.connect().await?;
        connection
            .execute(
                "set application_name = 'sekisho appender'; set lock_timeout = '5s'; set statement_timeout = '8s';
                 set idle_in_transaction_session_timeout = '5s'; set synchronous_commit = on;
                 set default_transaction_isolation = 'read committed'",
            )
            .await?;
        Ok(connection)
    }
}

/// The commands as one JSON array.
fn array(jobs: &[Job]) -> String {
    let bytes: usize = jobs.iter().map(|job| job.command.len() + 1).sum();
    let mut array = String::with_capacity(bytes + 1);
    for job in jobs {
        array.push(if array.is_empty() { '[' } else { ',' });
        array.push_str(&job.command);
    }
    array.push(']');
    array
}

fn outcome(row: &sqlx::postgres::PgRow) -> Result<Outcome, sqlx::Error> {
    let ordinal: i64 = row.try_get("ordinal")?;
    let position: i64 = row.try_get("position_last")?;
    let result = match row.try_get::<&str, _>("outcome")? {
        "ok" => Ok(Position::new(position.unsigned_abs())),
        "taken" => Err(match row.try_get::<Option<&str>, _>("detail")? {
            Some("email") => AppendError::Taken(ClaimScope::Email),
            Some("slug") => AppendError::Taken(ClaimScope::Slug),
            Some("client_id") => AppendError::Taken(ClaimScope::ClientId),
            Some("key_id") => AppendError::Taken(ClaimScope::KeyId),
            Some("identity") => AppendError::Taken(ClaimScope::Identity),
            Some("grant") => AppendError::Taken(ClaimScope::Grant),
            other => AppendError::Log(LogError(format!("a claim of unknown scope {other:?} collides"))),
        }),
        "duplicate" => Err(AppendError::Duplicate),
        _ => Err(AppendError::Conflict),
    };
    Ok(Outcome { number: usize::try_from(ordinal - 1).unwrap_or(usize::MAX), result })
}

/// Whether sending the same batch again can help: the connection broke, Postgres is restarting, or a timeout struck.
fn is_transient(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) | sqlx::Error::PoolTimedOut => {
            true
        }
        sqlx::Error::Database(database) => database.code().is_some_and(|code| {
            // class 08 connection, 57 operator intervention (restart, cancel), 55P03 lock, 40 serialization and deadlock, 53 resources
            ["08", "57", "55P03", "40", "53"].iter().any(|class| code.starts_with(class))
        }),
        _ => false,
    }
}
