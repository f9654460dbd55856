//! What a row keeps of the events that made and changed it.

use domain::value::{Position, Timestamp};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::projection::Poison;
use crate::recorded::Foldable;
use crate::rows::{Row, Table};

/// The id of the row that an event is about, and the moment and position of the event.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    pub(super) id: Uuid,
    pub(super) at: OffsetDateTime,
    pub(super) position: i64,
}

impl Mark {
    /// For the row of the aggregate itself.
    pub(super) fn of(event: &Foldable) -> Result<Self, Poison> {
        let id = aggregate(event)
            .ok_or_else(|| Poison(format!("the aggregate's id is no UUID: {:?}", event.aggregate_id)))?;
        Ok(Self::about(id, event))
    }

    /// For a row about something inside the aggregate.
    pub(super) fn about(id: Uuid, event: &Foldable) -> Self {
        Self { id, at: event.occurred_at.get(), position: column(event.position) }
    }
}

/// The id of the aggregate, where it is one that rows have.
pub(super) fn aggregate(event: &Foldable) -> Option<Uuid> {
    Uuid::try_parse(&event.aggregate_id).ok()
}

/// A position as Postgres keeps it.
pub(super) fn column(position: Position) -> i64 {
    i64::try_from(position.get()).unwrap_or(i64::MAX)
}

/// A moment as Postgres keeps it.
pub(super) fn moment(at: Option<Timestamp>) -> Option<OffsetDateTime> {
    at.map(Timestamp::get)
}

/// A row that keeps the event which changed it last.
pub(super) trait Changing: Row {
    /// Says which event changes it.
    fn mark(&mut self, mark: Mark);
}

/// A row that is there, marked as changed by this event.
pub(super) fn changed<'t, R: Changing>(
    table: &'t mut Table<R>,
    key: &R::Key,
    mark: Mark,
) -> Result<&'t mut R, Poison> {
    let row = table.change(key)?;
    row.mark(mark);
    Ok(row)
}

macro_rules! changing {
    ($($row:ident),+) => {$(
        impl $crate::directory::mark::Changing for $row {
            fn mark(&mut self, mark: $crate::directory::mark::Mark) {
                self.updated_at = mark.at;
                self.updated_position = mark.position;
            }
        }
    )+};
}
pub(super) use changing;

#[cfg(test)]
mod tests {

    use super::*;
    use crate::recorded::JsonText;

    fn of_aggregate(id: &str) -> Foldable {
        let raw = || JsonText::parse("{}".to_owned()).unwrap();
        Foldable {
            position: Position::new(7),
            aggregate_type: "organization".into(),
            aggregate_id: id.to_owned(),
            sequence: 1,
            event_type: "created".into(),
            event_version: 1,
            payload: raw(),
            metadata: (),
            occurred_at: Timestamp::EPOCH,
            recorded_at: Timestamp::EPOCH,
        }
    }

    #[test]
    fn an_aggregate_without_a_uuid_is_poison() {
        let refused = Mark::of(&of_aggregate("deployment")).unwrap_err();
        assert!(refused.to_string().contains("no UUID"), "{refused}");
    }

    #[test]
    fn a_mark_names_the_aggregate_of_its_event() {
        let mark = Mark::of(&of_aggregate("0192f0c1-2b3c-7d4e-8f50-112233445566")).unwrap();
        assert_eq!(mark.id.to_string(), "0192f0c1-2b3c-7d4e-8f50-112233445566");
        assert_eq!(mark.position, 7);
    }
}
