//! Events that could not be folded, with everything that later happened to their aggregates: order within an aggregate is kept, and nothing
//! is skipped silently.

use std::collections::HashSet;

use domain::value::Position;
use sqlx::PgConnection;

use crate::checkpoint::column;
use crate::projection::Projection;
use crate::recorded::Recorded;

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
    pub(crate) fn ahead_of(&self, event: &Recorded) -> Option<String> {
        // Almost always nothing is parked, and then nothing is to be compared.
        let waits = !self.aggregates.is_empty()
            && self.aggregates.contains(&(event.aggregate_type.clone(), event.aggregate_id.clone()));
        waits.then(|| BEHIND.to_owned())
    }

    /// Parks one event.
    pub(crate) fn park(&mut self, event: &Recorded, reason: String) {
        let aggregate = (event.aggregate_type.clone(), event.aggregate_id.clone());
        self.aggregates.insert(aggregate.clone());
        self.fresh.push(Fresh { position: event.position, aggregate, reason });
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
