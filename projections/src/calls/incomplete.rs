//! Where records are lacking: nothing is lost without a trace here.

use sqlx::{FromRow, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

/// A run that has said nothing for so long, and has not ended, was killed or is cut off. Nodes say how far they are about once a second.
const SILENT_SECONDS: f64 = 30.0;
/// Gaps in one answer: the latest ones.
const GAPS_MAX: i64 = 1_000;

/// Why records are lacking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Lack {
    /// There was no room for them, and the instance's setting is to drop them then.
    Dropped,
    /// They were numbered some seconds ago or before later ones, and have not arrived: they are late, or were lost on the way.
    Missing,
    /// A node fell silent: it was killed, and with it what it had not handed on, or it does not reach Postgres.
    Silent,
}

/// Records that are lacking, from when to when.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct Incomplete {
    /// Why.
    pub lack: Lack,
    /// The run of a node.
    pub node_id: Uuid,
    /// Whose they are; none when nobody can tell any more.
    pub organization_id: Option<Uuid>,
    /// Calls of this instance; none when nobody can tell any more.
    pub instance_id: Option<Uuid>,
    /// Not before.
    pub from_at: OffsetDateTime,
    /// Not after.
    pub until_at: OffsetDateTime,
    /// How many; none when nobody can tell, or whose they were.
    pub lacking: Option<i64>,
}

/// What is lacking of an organization's records, or of all, within a time. Drops of one run are told together, so that none is left out for
/// their number; and to an organization, no number is told that counts others' calls too.
pub async fn incomplete(
    pool: &PgPool,
    organization: Option<Uuid>,
    from: Option<OffsetDateTime>,
    to: Option<OffsetDateTime>,
) -> Result<Vec<Incomplete>, sqlx::Error> {
    sqlx::query_as(
        "with holes as (
            select node_id, until_at as from_at, lead(from_at) over w as until_at, lead(first) over w - last - 1 as lacking
            from call_runs window w as (partition by node_id order by first)
        ), lacks as (
            select 'dropped' as lack, node_id, organization_id, instance_id, min(from_at) as from_at, max(until_at) as until_at,
                   sum(dropped)::bigint as lacking
            from call_drops
            where ($1::uuid is null or organization_id = $1)
              and ($2::timestamptz is null or until_at >= $2) and ($3::timestamptz is null or from_at <= $3)
            group by node_id, organization_id, instance_id
            union all
            select 'missing', node_id, null, null, least(from_at, until_at), greatest(from_at, until_at), lacking
            from holes where lacking > 0
            union all
            select 'missing', n.node_id, null, null, n.started_at, r.from_at, r.first - 1
            from call_nodes n join lateral (select * from call_runs where node_id = n.node_id order by first limit 1) r on r.first > 1
            union all
            select 'missing', n.node_id, null, null, coalesce(r.until_at, n.started_at), n.seen_at, n.numbered - coalesce(r.last, 0)
            from call_nodes n
            left join lateral (select * from call_runs where node_id = n.node_id order by first desc limit 1) r on true
            where n.numbered > coalesce(r.last, 0)
            union all
            select 'silent', node_id, null, null, seen_at, clock_timestamp(), null from call_nodes
            where ended_at is null and seen_at < clock_timestamp() - make_interval(secs => $4)
        )
        select lack, node_id, organization_id, instance_id, from_at, until_at,
               case when $1::uuid is null or organization_id = $1 then lacking end as lacking
        from lacks
        where ($2::timestamptz is null or until_at >= $2) and ($3::timestamptz is null or from_at <= $3)
        order by from_at desc limit $5",
    )
    .bind(organization)
    .bind(from)
    .bind(to)
    .bind(SILENT_SECONDS)
    .bind(GAPS_MAX)
    .fetch_all(pool)
    .await
}
