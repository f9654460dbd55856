//! What was done in the log with one credential. No index leads to a credential, for the append path would have to keep it: the events of its
//! organization are looked through, or all of them, from the first that the credential can have caused.

use domain::value::OrganizationId;
use sqlx::FromRow;
use sqlx::postgres::Postgres;
use sqlx::query_builder::QueryBuilder;
use time::OffsetDateTime;

use super::{History, Range, column};
use crate::calls::{Patience, timed};
use crate::log::{COLUMNS, LogError, recorded};
use crate::recorded::Recorded;

/// Who did something: the actor and the credential, as events name them.
#[derive(Debug, Clone, Copy)]
pub struct Doer<'a> {
    /// Such as `user:<id>`.
    pub actor: &'a str,
    /// Such as `api_key:<id>`.
    pub credential: &'a str,
    /// Where it was done; none is everywhere.
    pub organization: Option<OrganizationId>,
}

/// Events of one type that a credential caused.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct Done {
    /// Type of the aggregates.
    pub aggregate_type: String,
    /// Type of the events.
    pub event_type: String,
    /// How many.
    pub events: i64,
    /// Position of the first.
    pub first: i64,
    /// Position of the last.
    pub last: i64,
    /// When the first was written.
    pub first_at: OffsetDateTime,
    /// When the last was.
    pub last_at: OffsetDateTime,
}

impl History {
    /// What a credential did in a range: how many events of each type.
    pub async fn done_with(
        &self,
        doer: Doer<'_>,
        range: Range,
        patience: Patience,
    ) -> Result<Vec<Done>, sqlx::Error> {
        let mut sql = QueryBuilder::new(
            "select aggregate_type, event_type, count(*) as events, min(global_position) as first, max(global_position) as last,
                    min(recorded_at) as first_at, max(recorded_at) as last_at
             from events where ",
        );
        of(&mut sql, doer, range);
        sql.push(" group by aggregate_type, event_type order by first");
        timed(self.log.pool(), patience, sql.build_query_as()).await
    }

    /// The keys that a credential issued in a range, the oldest first: the events, at most so many.
    pub async fn keys_issued_with(
        &self,
        doer: Doer<'_>,
        range: Range,
        keys_max: u32,
    ) -> Result<Vec<Recorded>, LogError> {
        let mut sql = QueryBuilder::new(format!(
            "select {COLUMNS} from events where aggregate_type = 'api_key' and event_type = 'issued' and "
        ));
        of(&mut sql, doer, range);
        sql.push(" order by global_position limit ").push_bind(i64::from(keys_max));
        let rows = sql.build().fetch_all(self.log.pool()).await?;
        rows.iter().map(recorded).collect()
    }
}

fn of<'a>(sql: &mut QueryBuilder<'a, Postgres>, doer: Doer<'a>, range: Range) {
    sql.push("global_position > ").push_bind(column(range.after));
    sql.push(" and global_position <= ").push_bind(column(range.to));
    if let Some(organization) = doer.organization {
        sql.push(" and organization_id = ").push_bind(organization.uuid());
    }
    // The actor first, who has a column of their own: the metadata of others' events are not even parsed.
    sql.push(" and actor = ").push_bind(doer.actor);
    sql.push(" and metadata ->> 'credential' = ").push_bind(doer.credential);
}
