//! The history as it is asked for from outside: events by filter and range, in order, slice after slice.
//!
//! Every read is one short statement of its own, however long the history is: no snapshot and no cursor in the database outlives a slice, so an
//! export of a year holds up nothing. What a filter asks for beyond the two indexes of the log (organization, and aggregate by its id) is
//! looked for in windows of positions, for the same reason. There is no index that the append path would have to keep for this alone.

mod credential;
mod filter;
mod moment;
mod origin;
mod slices;
mod whole;

use domain::value::{Position, Timestamp};
use sqlx::postgres::Postgres;
use sqlx::query_builder::QueryBuilder;
use time::OffsetDateTime;

pub use credential::{Doer, Done};
pub use filter::{AggregateName, EventTypeName, Filter, FilterError};
pub use moment::{Moment, MomentError, NotYet};
pub use origin::{GrantMade, Made, Origin};
pub use slices::Slices;

use crate::log::{COLUMNS, LogError, LogReader, recorded};
use crate::recorded::Recorded;

/// Positions that one statement looks at when no index leads to what is asked for.
const LOOKED_AT_MAX: u64 = 20_000;

/// Events after one position, up to and with another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The last position that is not wanted.
    pub after: Position,
    /// The last position that is.
    pub to: Position,
}

/// What one statement found.
#[derive(Debug, Clone)]
pub struct Slice {
    /// The events, in order. There may be none where others than these lie.
    pub events: Vec<Recorded>,
    /// Up to here nothing is missing: go on after it.
    pub reached: Position,
}

/// Reads the history.
#[derive(Debug, Clone)]
pub struct History {
    log: LogReader,
}

impl History {
    /// The history in this log.
    pub const fn new(log: LogReader) -> Self {
        Self { log }
    }

    /// The database that it is in.
    pub(crate) const fn pool(&self) -> &sqlx::PgPool {
        self.log.pool()
    }

    /// The last position there is.
    pub async fn head(&self) -> Result<Position, LogError> {
        self.log.head().await
    }

    /// The time by the clock that events are recorded with.
    pub async fn now(&self) -> Result<Timestamp, LogError> {
        let (now,): (OffsetDateTime,) =
            sqlx::query_as("select clock_timestamp()").fetch_one(self.log.pool()).await?;
        Ok(Timestamp::new(now))
    }

    /// At most so many of the events in a range: the first ones. The range ends at the head or before it. Without a filter a hole is an error.
    pub async fn slice(&self, filter: &Filter, range: Range, events_max: u32) -> Result<Slice, LogError> {
        let Range { after, to } = range;
        if after >= to {
            return Ok(Slice { events: Vec::new(), reached: after });
        }
        let window = Position::new(after.get().saturating_add(LOOKED_AT_MAX));
        let end = if filter.follows_an_index() { to } else { to.min(window) };
        let rows = statement(filter, Range { after, to: end }, events_max)
            .build()
            .fetch_all(self.log.pool())
            .await?;
        let events = rows.iter().map(recorded).collect::<Result<Vec<_>, _>>()?;
        let full = events.len() >= usize::try_from(events_max).unwrap_or(usize::MAX);
        let reached = if full { events.last().map_or(end, |event| event.position) } else { end };
        if filter.is_everything() {
            self.must_be_dense(&events, after, reached).await?;
        }
        Ok(Slice { events, reached })
    }

    /// Everything that happened to some aggregates up to a position, in order.
    pub(crate) async fn of_aggregates(
        &self,
        names: &[(&'static str, String)],
        to: Position,
    ) -> Result<Vec<Recorded>, LogError> {
        let (kinds, ids): (Vec<&str>, Vec<&str>) =
            names.iter().map(|(kind, id)| (*kind, id.as_str())).unzip();
        // One look into the primary key for each of them, whatever the planner thinks of the sizes.
        let statement = format!(
            "select {COLUMNS} from unnest($1::text[], $2::text[]) as n (kind, id)
             cross join lateral (select * from events where aggregate_type = n.kind and aggregate_id = n.id and global_position <= $3) e
             order by global_position"
        );
        let rows =
            sqlx::query(&statement).bind(kinds).bind(ids).bind(column(to)).fetch_all(self.log.pool()).await?;
        rows.iter().map(recorded).collect()
    }

    /// The events in a range, slice after slice, each read while the one before it is worked on.
    pub fn slices(&self, filter: Filter, range: Range) -> Slices {
        Slices::new(self.clone(), filter, range)
    }
}

fn statement(filter: &Filter, range: Range, events_max: u32) -> QueryBuilder<'_, Postgres> {
    let mut sql = QueryBuilder::new(format!("select {COLUMNS} from events where global_position > "));
    sql.push_bind(column(range.after)).push(" and global_position <= ").push_bind(column(range.to));
    if let Some(organization) = filter.organization {
        sql.push(" and organization_id = ").push_bind(organization.uuid());
    }
    if let Some(aggregate) = &filter.aggregate {
        sql.push(" and aggregate_type = ").push_bind(aggregate.kind());
        if let Some(id) = aggregate.id() {
            sql.push(" and aggregate_id = ").push_bind(id);
        }
    }
    if let Some(actor) = &filter.actor {
        sql.push(" and actor = ").push_bind(actor.as_str());
    }
    if let Some(event_type) = &filter.event_type {
        sql.push(" and event_type = ").push_bind(event_type.as_str());
        if let Some(aggregate) = event_type.aggregate() {
            sql.push(" and aggregate_type = ").push_bind(aggregate);
        }
    }
    // Within one aggregate both are the same order, and the primary key has the second one.
    let order = if filter.is_one_aggregate() { "sequence" } else { "global_position" };
    sql.push(" order by ").push(order).push(" limit ").push_bind(i64::from(events_max));
    sql
}

/// A position as Postgres keeps it.
fn column(position: Position) -> i64 {
    i64::try_from(position.get()).unwrap_or(i64::MAX)
}
