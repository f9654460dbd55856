//! Events that could not be folded, with everything that later happened to their aggregates: order within an aggregate is kept, and nothing
//! is skipped silently.

use std::collections::HashSet;

use domain::value::Position;
use sqlx::PgConnection;

use crate::checkpoint::column;
use crate::projection::Projection;
use crate::recorded::Foldable;

/// Why an event waits that is not at fault itself.
const BEHIND: &str = "behind a parked event";

/// What is parked: before a page by its aggregates, and since then event by event.
#[derive(Debug, Default)]
pub(crate) struct Parked {
    aggregates: HashSet<(String, String)>,
    fresh: Vec<Fresh>,
}

#[derive(Debug)]
struct Fresh {
    position: Position,
    aggregate: (String, String),
    reason: String,
}

impl Parked {
    /// The aggregates of which events are parked.
    pub(crate) async fn load(
        projection: &dyn Projection,
        connection: &mut PgConnection,
    ) -> Result<Self, sqlx::Error> {
        let rows: Vec<(String, String)> = sqlx::query_as(
            "select distinct aggregate_type, aggregate_id from parked_events where projection = $1 and version = $2",
        )
        .bind(projection.name())
        .bind(projection.version())
        .fetch_all(connection)
        .await?;
        Ok(Self { aggregates: rows.into_iter().collect(), fresh: Vec::new() })
    }

    /// Why this event has to wait, if something of its aggregate waits already.
    pub(crate) fn ahead_of(&self, event: &Foldable) -> Option<String> {
        // Almost always nothing is parked, and then nothing is to be compared.
        let waits = !self.aggregates.is_empty()
            && self.aggregates.contains(&(event.aggregate_type.to_string(), event.aggregate_id.clone()));
        waits.then(|| BEHIND.to_owned())
    }

    /// Parks one event.
    pub(crate) fn park(&mut self, event: &Foldable, reason: String) {
        let aggregate = (event.aggregate_type.to_string(), event.aggregate_id.clone());
        self.aggregates.insert(aggregate.clone());
        self.fresh.push(Fresh { position: event.position, aggregate, reason });
    }

    /// Takes out an event that was parked since it was loaded, and all that wait behind it; answers where they are. None of them where
    /// the event is not parked, or waits behind another one itself.
    pub(crate) fn take_out(&mut self, position: Position) -> Vec<Position> {
        let Some(aggregate) = self.fresh.iter().find(|parked| parked.position == position) else {
            return Vec::new();
        };
        let aggregate = aggregate.aggregate.clone();
        let waiting = self.fresh.iter().filter(|parked| parked.aggregate == aggregate);
        let waiting: Vec<Position> = waiting.map(|parked| parked.position).collect();
        if waiting.first() != Some(&position) {
            return Vec::new();
        }
        self.aggregates.remove(&aggregate);
        self.fresh.retain(|parked| parked.aggregate != aggregate);
        waiting
    }

    /// The same with an event that is parked in the database.
    pub(crate) async fn take_out_of(
        projection: &dyn Projection,
        connection: &mut PgConnection,
        position: Position,
    ) -> Result<Vec<Position>, sqlx::Error> {
        let taken: Vec<i64> = sqlx::query_scalar(
            "with wanted as (
                 select w.aggregate_type, w.aggregate_id from parked_events w
                 where w.projection = $1 and w.version = $2 and w.position = $3 and not exists (
                     select from parked_events b where b.projection = $1 and b.version = $2 and b.position < $3
                     and b.aggregate_type = w.aggregate_type and b.aggregate_id = w.aggregate_id))
             delete from parked_events p using wanted w
             where p.projection = $1 and p.version = $2 and p.aggregate_type = w.aggregate_type and p.aggregate_id = w.aggregate_id
             returning p.position",
        )
        .bind(projection.name())
        .bind(projection.version())
        .bind(column(position))
        .fetch_all(connection)
        .await?;
        let mut taken: Vec<Position> =
            taken.into_iter().map(|position| Position::new(position.unsigned_abs())).collect();
        taken.sort_unstable();
        Ok(taken)
    }

    /// Parks what another one has parked.
    pub(crate) fn take_in(&mut self, other: Self) {
        self.aggregates.extend(other.aggregates);
        self.fresh.extend(other.fresh);
        self.fresh.sort_by_key(|parked| parked.position);
    }

    /// How many were parked since it was loaded.
    pub(crate) fn fresh(&self) -> usize {
        self.fresh.len()
    }

    /// The first one that was parked since then, and why.
    pub(crate) fn first(&self) -> Option<(Position, &str)> {
        self.fresh.first().map(|parked| (parked.position, parked.reason.as_str()))
    }

    /// Writes those that were parked since then, and raises the alarm.
    pub(crate) async fn write(
        &self,
        projection: &dyn Projection,
        connection: &mut PgConnection,
    ) -> Result<(), sqlx::Error> {
        if self.fresh.is_empty() {
            return Ok(());
        }
        for Fresh { position, aggregate: (aggregate, _), reason } in &self.fresh {
            tracing::error!(
                projection = projection.name(),
                position = position.get(),
                aggregate,
                reason,
                "an event is parked; this read model is incomplete until it is retried"
            );
        }
        let column_of =
            |text: fn(&Fresh) -> &String| self.fresh.iter().map(text).cloned().collect::<Vec<_>>();
        sqlx::query(
            "insert into parked_events (projection, version, position, aggregate_type, aggregate_id, reason)
             select $1, $2, p.* from unnest($3::bigint[], $4::text[], $5::text[], $6::text[]) as p on conflict do nothing",
        )
        .bind(projection.name())
        .bind(projection.version())
        .bind(self.fresh.iter().map(|parked| column(parked.position)).collect::<Vec<_>>())
        .bind(column_of(|parked| &parked.aggregate.0))
        .bind(column_of(|parked| &parked.aggregate.1))
        .bind(column_of(|parked| &parked.reason))
        .execute(connection)
        .await?;
        Ok(())
    }
}
