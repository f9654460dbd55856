//! What a row keeps of the event that wrote it, and the one way in which events write rows.

use domain::value::{Position, Timestamp};
use sqlx::PgConnection;
use sqlx::postgres::{PgArguments, Postgres};
use sqlx::query::Query;
use uuid::Uuid;

use crate::projection::ProjectionError;
use crate::recorded::Recorded;

/// The row's id, and the moment and position of the event: parameters `$1`, `$2` and `$3` of every statement made from it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    id: Uuid,
    at: Timestamp,
    position: Position,
}

impl Mark {
    /// For the row of the aggregate itself.
    pub(super) fn of(event: &Recorded) -> Result<Self, ProjectionError> {
        let id = Uuid::try_parse(&event.aggregate_id)
            .map_err(|error| ProjectionError::Poison(format!("the aggregate's id is no UUID: {error}")))?;
        Ok(Self::about(id, event))
    }

    /// For a row about something inside the aggregate.
    pub(super) const fn about(id: Uuid, event: &Recorded) -> Self {
        Self { id, at: event.occurred_at, position: event.position }
    }

    /// The row's id.
    pub(super) const fn id(self) -> Uuid {
        self.id
    }

    /// A statement with its first three parameters bound.
    pub(super) fn query<'q>(self, sql: &'static str) -> Query<'q, Postgres, PgArguments> {
        sqlx::query(sql).bind(self.id).bind(self.at.get()).bind(column(self.position))
    }
}

/// A position as Postgres keeps it.
pub(super) fn column(position: Position) -> i64 {
    i64::try_from(position.get()).unwrap_or(i64::MAX)
}

/// Runs a statement that writes exactly one row. An event about something that is not there is a hole in this read model: it is parked
/// and seen, not skipped.
pub(super) async fn write_one(
    connection: &mut PgConnection,
    statement: Query<'_, Postgres, PgArguments>,
) -> Result<(), ProjectionError> {
    match statement.execute(connection).await?.rows_affected() {
        1 => Ok(()),
        0 => Err(ProjectionError::Poison("it changes something that is not in this read model".to_owned())),
        many => Err(ProjectionError::Poison(format!("it would change {many} rows instead of one"))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;

    fn of_aggregate(id: &str) -> Recorded {
        let raw = || RawValue::from_string("{}".to_owned()).unwrap();
        Recorded {
            position: Position::new(7),
            aggregate_type: "organization".to_owned(),
            aggregate_id: id.to_owned(),
            sequence: 1,
            event_type: "created".to_owned(),
            event_version: 1,
            payload: raw(),
            metadata: raw(),
            occurred_at: Timestamp::EPOCH,
            recorded_at: Timestamp::EPOCH,
        }
    }

    #[test]
    fn an_aggregate_without_a_uuid_is_poison() {
        let refused = Mark::of(&of_aggregate("deployment")).unwrap_err();
        assert!(refused.is_poison(), "{refused}");
    }

    #[test]
    fn a_mark_names_the_aggregate_of_its_event() {
        let mark = Mark::of(&of_aggregate("0192f0c1-2b3c-7d4e-8f50-112233445566")).unwrap();
        assert_eq!(mark.id.to_string(), "0192f0c1-2b3c-7d4e-8f50-112233445566");
        assert_eq!(mark.position, Position::new(7));
    }
}
