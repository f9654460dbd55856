//! Which numbers of a node's run have arrived, as runs without a hole. Whatever order they arrive in, what is left at the end is one run.

use std::collections::BTreeMap;

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

/// Numbers without a hole between them, and from when to when what they stand for happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) from_at: OffsetDateTime,
    pub(super) until_at: OffsetDateTime,
}

impl Run {
    fn with(self, other: Self) -> Self {
        Self {
            first: self.first.min(other.first),
            last: self.last.max(other.last),
            from_at: self.from_at.min(other.from_at),
            until_at: self.until_at.max(other.until_at),
        }
    }
}

/// Gathers numbers into runs.
pub(super) fn gather(mut arrived: Vec<Run>) -> Vec<Run> {
    arrived.sort_unstable_by_key(|run| run.first);
    let mut runs: Vec<Run> = Vec::new();
    for run in arrived {
        match runs.last_mut() {
            Some(last) if run.first <= last.last.saturating_add(1) => *last = last.with(run),
            Some(_) | None => runs.push(run),
        }
    }
    runs
}

/// Takes in what arrived, in the transaction that stores it. The nodes' rows are locked, in one order, so that two writers do not both take what
/// they found for all there is.
pub(super) async fn take_in(
    connection: &mut PgConnection,
    arrived: BTreeMap<Uuid, Vec<Run>>,
) -> Result<(), sqlx::Error> {
    for (node, runs) in arrived {
        for run in gather(runs) {
            let touching: Vec<(i64, i64, OffsetDateTime, OffsetDateTime)> = sqlx::query_as(
                "delete from call_runs where node_id = $1 and first <= $3 + 1 and last >= $2 - 1
                 returning first, last, from_at, until_at",
            )
            .bind(node)
            .bind(run.first)
            .bind(run.last)
            .fetch_all(&mut *connection)
            .await?;
            let whole = touching
                .into_iter()
                .map(|(first, last, from_at, until_at)| Run { first, last, from_at, until_at })
                .fold(run, Run::with);
            sqlx::query(
                "insert into call_runs (node_id, first, last, from_at, until_at) values ($1, $2, $3, $4, $5)",
            )
            .bind(node)
            .bind(whole.first)
            .bind(whole.last)
            .bind(whole.from_at)
            .bind(whole.until_at)
            .execute(&mut *connection)
            .await?;
        }
    }
    Ok(())
}

/// Locks the rows of these runs of nodes, making those that are not there yet.
pub(super) async fn lock_nodes(
    connection: &mut PgConnection,
    nodes: &[Uuid],
    at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into call_nodes (node_id, started_at, seen_at, numbered)
         select node, $2, $2, 0 from unnest($1::uuid[]) as n (node) order by node on conflict do nothing",
    )
    .bind(nodes)
    .bind(at)
    .execute(&mut *connection)
    .await?;
    sqlx::query("select from call_nodes where node_id = any($1) order by node_id for update")
        .bind(nodes)
        .execute(connection)
        .await
        .map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(first: i64, last: i64) -> Run {
        let at = |number| OffsetDateTime::UNIX_EPOCH + time::Duration::seconds(number);
        Run { first, last, from_at: at(first), until_at: at(last) }
    }

    #[test]
    fn what_has_a_hole_stays_apart() {
        assert_eq!(gather(vec![run(5, 5), run(1, 1), run(2, 3)]), [run(1, 3), run(5, 5)]);
        assert_eq!(gather(vec![]), []);
    }

    #[test]
    fn what_arrives_twice_is_there_once() {
        assert_eq!(gather(vec![run(1, 4), run(2, 2), run(4, 5)]), [run(1, 5)]);
    }
}
