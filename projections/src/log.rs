//! Reading the log by position, in pages, without ever missing a row silently.
//!
//! `cqrs-es` can replay too, but a lost connection ends its replay early with `Ok(())` (a test pins this); here a broken page is an error and
//! a missing position is an error.

use domain::event::Event;
use domain::value::{Position, Timestamp};
use futures_util::TryStreamExt as _;
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Row};
use time::OffsetDateTime;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::recorded::{JsonText, Recorded, TypeName};

/// Rows in one page: large enough that round trips do not matter, small enough that memory does not.
const PAGE_EVENTS_MAX: i64 = 2_000;
#[expect(clippy::cast_possible_truncation, reason = "a small constant")]
const PAGE_EVENTS_FULL: usize = PAGE_EVENTS_MAX as usize;

/// How long a page may take: after that the connection is taken for dead, and another one asked.
const PAGE_WAIT: std::time::Duration = std::time::Duration::from_secs(10);

/// What [`recorded`] reads of a whole row, by number: looking each column up by its name costs more than decoding it.
pub(crate) const COLUMNS: &str = "global_position, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, occurred_at, \
                                  recorded_at, metadata";

/// How much of a row is read: with who and why, or what a fold needs.
pub trait Extent: Sized + Send + 'static {
    /// The columns, those of a fold first.
    const COLUMNS: &'static str;

    /// What stands after those of a fold.
    fn of_row(row: &PgRow) -> Result<Self, sqlx::Error>;
}

/// The number of `metadata` in [`COLUMNS`].
const METADATA: usize = 9;

impl Extent for JsonText {
    const COLUMNS: &'static str = COLUMNS;

    fn of_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        json(row, METADATA)
    }
}

impl Extent for () {
    const COLUMNS: &'static str = "global_position, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, occurred_at, \
                                   recorded_at";

    fn of_row(_: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(())
    }
}

/// The log cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// Postgres does not answer.
    #[error("the log cannot be read: {0}")]
    Database(#[from] sqlx::Error),
    /// A position is missing. The append path cannot cause this: rows were removed from outside.
    #[error(
        "the log has a hole: after {after} comes {found}; rows were removed or the table was restored in part"
    )]
    Hole {
        /// The last position read.
        after: Position,
        /// The one that follows.
        found: Position,
    },
    /// The log was longer than it is.
    #[error("the log ends at {at}, and should not: rows were removed or the table was restored in part")]
    BrokenOff {
        /// The last position there is.
        at: Position,
    },
    /// A row that no version of Sekisho writes.
    #[error("row at {0} is malformed: {1}")]
    Malformed(Position, String),
}

/// Reads the log.
#[derive(Debug, Clone)]
pub struct LogReader {
    pool: PgPool,
}

impl LogReader {
    /// Reads from this database.
    pub const fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// The database it reads from.
    pub const fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// The last position, `Position::START` when the log is empty.
    pub async fn head(&self) -> Result<Position, LogError> {
        let (head,): (i64,) = sqlx::query_as("select coalesce(max(global_position), 0) from events")
            .fetch_one(&self.pool)
            .await?;
        Ok(Position::new(head.unsigned_abs()))
    }

    /// Which log this is.
    pub async fn identity(&self) -> Result<Uuid, LogError> {
        let (id,): (Uuid,) = sqlx::query_as("select id from log_identity").fetch_one(&self.pool).await?;
        Ok(id)
    }

    /// The page right after a position: dense, in order, empty at the head.
    pub async fn page<M: Extent>(&self, after: Position) -> Result<Vec<Recorded<M>>, LogError> {
        page(&self.pool, after).await
    }

    /// The page after a position as it is, with the holes and malformed rows in it: for those who look for just that.
    pub async fn flawed_page(&self, after: Position) -> Result<Vec<Result<Recorded, LogError>>, LogError> {
        let statement = page_statement::<JsonText>();
        let rows =
            sqlx::query(&statement).bind(column(after)).bind(PAGE_EVENTS_MAX).fetch_all(&self.pool).await?;
        Ok(rows.iter().map(recorded).collect())
    }

    /// The pages after a position, one after the other, each read while the one before it is worked on.
    pub fn pages<M: Extent>(&self, after: Position) -> Pages<M> {
        Pages { log: self.clone(), last: after, ahead: None }
    }

    /// The event right after a position, if there is one yet.
    pub async fn following(&self, after: Position) -> Result<Option<Recorded>, LogError> {
        Ok(rows(&self.pool, after, 1).await?.pop())
    }
}

/// The log from a position on, page by page: what is being worked on and one page more are in memory, however long the log is.
#[derive(Debug)]
pub struct Pages<M = ()> {
    log: LogReader,
    last: Position,
    /// The next page, under way since a full one was handed out, or since it was asked for.
    ahead: Option<JoinHandle<Result<Vec<Recorded<M>>, LogError>>>,
}

impl<M: Extent> Pages<M> {
    /// The last position handed out.
    pub const fn last(&self) -> Position {
        self.last
    }

    /// Whether a page is under way, because the one before it was full.
    pub const fn is_reading_ahead(&self) -> bool {
        self.ahead.is_some()
    }

    /// The next page: dense, in order, empty at the head. After an error, ask again. Whoever stops to wait loses nothing: the page is still
    /// under way when they ask again.
    pub async fn next(&mut self) -> Result<Vec<Recorded<M>>, LogError> {
        let (log, last) = (&self.log, self.last);
        let under_way = self.ahead.get_or_insert_with(|| read(log.clone(), last));
        let page = under_way.await;
        self.ahead = None;
        let mut page = match page {
            Ok(page) => page,
            Err(_) => self.log.page(self.last).await, // the task was lost, and only with it the page
        }?;
        let is_full = page.len() == PAGE_EVENTS_FULL;
        page.retain(|event| event.position > self.last); // the others came another way meanwhile
        if let Some(last) = page.last() {
            self.last = last.position;
        }
        if is_full {
            self.ahead = Some(read(self.log.clone(), self.last));
        }
        Ok(page)
    }

    /// Goes on after an event that came another way. What is under way may hold it, too.
    pub(crate) fn skip_to(&mut self, last: Position) {
        self.last = last;
    }
}

/// Begins to read a page.
fn read<M: Extent>(log: LogReader, after: Position) -> JoinHandle<Result<Vec<Recorded<M>>, LogError>> {
    tokio::spawn(async move {
        let silent = |_| LogError::Database(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()));
        tokio::time::timeout(PAGE_WAIT, log.page(after)).await.map_err(silent)?
    })
}

/// Reads one page on any connection, also inside a projection's transaction.
pub(crate) async fn page<'c, E, M>(executor: E, after: Position) -> Result<Vec<Recorded<M>>, LogError>
where
    E: sqlx::Executor<'c, Database = sqlx::Postgres>,
    M: Extent,
{
    rows(executor, after, PAGE_EVENTS_MAX).await
}

/// Reads a page of another size.
pub(crate) async fn rows<'c, E, M>(
    executor: E,
    after: Position,
    events_max: i64,
) -> Result<Vec<Recorded<M>>, LogError>
where
    E: sqlx::Executor<'c, Database = sqlx::Postgres>,
    M: Extent,
{
    // Rows are decoded as they come, while the server makes the next.
    let statement = page_statement::<M>();
    let mut rows = sqlx::query(&statement).bind(column(after)).bind(events_max).fetch(executor);
    let (mut last, mut events) = (after, Vec::new());
    while let Some(row) = rows.try_next().await? {
        let event: Recorded<M> = recorded(&row)?;
        if event.position != last.next() {
            return Err(LogError::Hole { after: last, found: event.position });
        }
        last = event.position;
        events.push(event);
    }
    Ok(events)
}

fn page_statement<M: Extent>() -> String {
    format!("select {} from events where global_position > $1 order by global_position limit $2", M::COLUMNS)
}

fn column(position: Position) -> i64 {
    i64::try_from(position.get()).unwrap_or(i64::MAX)
}

/// An event out of its row.
pub(crate) fn recorded<M: Extent>(row: &PgRow) -> Result<Recorded<M>, LogError> {
    let position = Position::new(row.try_get::<i64, _>(0)?.unsigned_abs());
    let malformed = |what: &str| LogError::Malformed(position, what.to_owned());
    let (aggregate_type, event_type) = names(row.try_get(1)?, row.try_get(4)?);
    Ok(Recorded {
        position,
        aggregate_type,
        aggregate_id: row.try_get(2)?,
        sequence: row.try_get::<i64, _>(3)?.try_into().map_err(|_| malformed("sequence"))?,
        event_type,
        event_version: version(row.try_get(5)?).ok_or_else(|| malformed("event_version"))?,
        payload: json(row, 6)?,
        occurred_at: Timestamp::new(row.try_get::<OffsetDateTime, _>(7)?),
        recorded_at: Timestamp::new(row.try_get::<OffsetDateTime, _>(8)?),
        metadata: M::of_row(row)?,
    })
}

fn names(aggregate_type: &str, event_type: &str) -> (TypeName, TypeName) {
    match Event::known(aggregate_type, event_type) {
        Some((aggregate_type, event_type)) => (aggregate_type.into(), event_type.into()),
        None => (aggregate_type.to_owned().into(), event_type.to_owned().into()), // a newer release's
    }
}

fn json(row: &PgRow, column: usize) -> Result<JsonText, sqlx::Error> {
    let text = row.try_get_raw(column)?.as_str().map_err(sqlx::Error::Decode)?;
    Ok(JsonText::of_column(text))
}

/// A version has one spelling: `01` would be another row with the same meaning, and with the same leaf in the notary's tree.
fn version(text: &str) -> Option<u32> {
    text.parse().ok().filter(|_| text.starts_with(|first: char| ('1'..='9').contains(&first)))
}
