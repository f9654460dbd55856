//! What was called with one credential: its calls told together by instance, tool, decision and reason.

use domain::value::Position;
use sqlx::postgres::Postgres;
use sqlx::query_builder::QueryBuilder;
use sqlx::{FromRow, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::record::Decision;
use super::timed::{Patience, from_id, timed, to_id};

/// Calls of one credential to one tool that ended alike.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct Made {
    /// The instance; none when the address held no id.
    pub instance_id: Option<Uuid>,
    /// The method.
    pub method: Option<String>,
    /// The tool.
    pub tool: Option<String>,
    /// What the policy said.
    pub decision: Decision,
    /// Why they were denied or failed.
    pub reason: Option<String>,
    /// How many calls.
    pub calls: i64,
    /// Bytes of their requests.
    pub bytes_in: i64,
    /// Bytes of their answers.
    pub bytes_out: i64,
    /// When the first of them began.
    pub first_at: OffsetDateTime,
    /// When the last of them began.
    pub last_at: OffsetDateTime,
    /// The servers that they were sent to.
    pub upstreams: Vec<String>,
}

/// All calls of a credential in a span, or the most frequent ones.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Deeds {
    /// Groups of calls, the most frequent first.
    pub made: Vec<Made>,
    /// Calls of that span, also of groups that are not here.
    pub calls: i64,
    /// Groups of that span.
    pub groups: i64,
}

/// One end of a span of calls: when a call began, or the position of the view that decided it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// A time; the later end is not part of the span.
    Time(OffsetDateTime),
    /// A position; both ends are part of the span.
    Position(Position),
}

#[derive(FromRow)]
struct Row {
    #[sqlx(flatten)]
    made: Made,
    all_calls: i64,
    all_groups: i64,
}

/// What was called with a credential of an organization's in a span: at most so many groups.
pub async fn made_with(
    pool: &PgPool,
    organization: Uuid,
    credential: Uuid,
    from: Option<End>,
    to: Option<End>,
    groups_max: u32,
    patience: Patience,
) -> Result<Deeds, sqlx::Error> {
    let mut sql = QueryBuilder::<Postgres>::new(
        "select made.*, (sum(calls) over ())::bigint as all_calls, count(*) over () as all_groups from (
            select instance_id, method, tool, decision, reason, count(*) as calls, sum(bytes_in)::bigint as bytes_in,
                   sum(bytes_out)::bigint as bytes_out, min(at) as first_at, max(at) as last_at,
                   coalesce(array_agg(distinct upstream) filter (where upstream is not null), '{}') as upstreams
            from calls where organization_id = ",
    );
    sql.push_bind(organization).push(" and credential_id = ").push_bind(credential);
    match from {
        None => {}
        Some(End::Time(from)) => from_id(&mut sql, from),
        Some(End::Position(from)) => {
            sql.push(" and position >= ").push_bind(column(from));
        }
    }
    match to {
        None => {}
        Some(End::Time(to)) => to_id(&mut sql, to),
        Some(End::Position(to)) => {
            sql.push(" and position <= ").push_bind(column(to));
        }
    }
    sql.push(
        " group by instance_id, method, tool, decision, reason) made
         order by calls desc, first_at, instance_id, tool limit ",
    );
    sql.push_bind(i64::from(groups_max));
    let rows: Vec<Row> = timed(pool, patience, sql.build_query_as()).await?;
    let (calls, groups) = rows.first().map_or((0, 0), |row| (row.all_calls, row.all_groups));
    Ok(Deeds { made: rows.into_iter().map(|row| row.made).collect(), calls, groups })
}

fn column(position: Position) -> i64 {
    i64::try_from(position.get()).unwrap_or(i64::MAX)
}
