//! Whether the history is whole: every position there, none twice. A filter hides a hole, so it is looked for in the positions alone.

use domain::value::Position;

use super::{History, Range, column};
use crate::log::LogError;
use crate::recorded::Recorded;

/// Positions counted by one statement.
const COUNTED_MAX: u64 = 200_000;

impl History {
    /// Refuses a range in which a position is missing. Counts an index; reads no event.
    pub async fn must_be_whole(&self, range: Range) -> Result<(), LogError> {
        let mut after = range.after;
        while after < range.to {
            let end = Position::new(after.get().saturating_add(COUNTED_MAX)).min(range.to);
            if self.count(after, end).await? != end.get() - after.get() {
                return Err(self.first_hole(after, end).await?);
            }
            after = end;
        }
        Ok(())
    }

    /// Refuses events that are not every one after a position up to another.
    pub(super) async fn must_be_dense(
        &self,
        events: &[Recorded],
        after: Position,
        reached: Position,
    ) -> Result<(), LogError> {
        let mut last = after;
        for event in events {
            if event.position != last.next() {
                return Err(LogError::Hole { after: last, found: event.position });
            }
            last = event.position;
        }
        if last < reached { Err(self.hole_after(last).await?) } else { Ok(()) }
    }

    /// What is wrong when nothing stands right after a position, though it should.
    pub(super) async fn hole_after(&self, after: Position) -> Result<LogError, LogError> {
        let following: (Option<i64>,) =
            sqlx::query_as("select min(global_position) from events where global_position > $1")
                .bind(column(after))
                .fetch_one(self.log.pool())
                .await?;
        Ok(match following {
            (Some(found),) => LogError::Hole { after, found: Position::new(found.unsigned_abs()) },
            (None,) => LogError::BrokenOff { at: after },
        })
    }

    /// Halves a range that lacks a position until the first one that is missing is found.
    async fn first_hole(&self, mut after: Position, mut end: Position) -> Result<LogError, LogError> {
        while end.get() - after.get() > 1 {
            let middle = Position::new(after.get() + (end.get() - after.get()) / 2);
            if self.count(after, middle).await? == middle.get() - after.get() {
                after = middle;
            } else {
                end = middle;
            }
        }
        self.hole_after(after).await
    }

    async fn count(&self, after: Position, to: Position) -> Result<u64, LogError> {
        let (count,): (i64,) = sqlx::query_as(
            "select count(*) from events where global_position > $1 and global_position <= $2",
        )
        .bind(column(after))
        .bind(column(to))
        .fetch_one(self.log.pool())
        .await?;
        Ok(count.unsigned_abs())
    }
}
