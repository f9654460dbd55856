//! A moment in the history: a position, or a time that stands for one.
//!
//! Events get their time of recording under the lock of the append path, so it does not decrease from position to position unless the
//! database's clock is set back; the position of a time is found by halving, in about twenty look-ups by the position for a million events.
//! Where the clock was set back, a time that was passed twice stands for one of the positions at which it was passed.

use domain::value::{Position, Timestamp};
use time::OffsetDateTime;

use super::{History, column};
use crate::log::LogError;

/// A place in the history, as people and programs name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Right after the event at this position.
    Position(Position),
    /// What held at this time.
    Time(Timestamp),
}

/// The text names no moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither a position such as 412 nor a time in RFC 3339 such as 2026-11-22T10:50:00Z")]
pub struct MomentError(String);

/// A moment that history has not reached.
#[derive(Debug, thiserror::Error)]
pub enum NotYet {
    /// After the last event.
    #[error("there is no position {wanted} yet: the log ends at {head}")]
    Position {
        /// What was asked for.
        wanted: Position,
        /// The last one.
        head: Position,
    },
    /// In the future, by the database's clock.
    #[error("{wanted} is in the future: it is {now} by the clock of the log")]
    Time {
        /// What was asked for.
        wanted: Timestamp,
        /// What time it is.
        now: Timestamp,
    },
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
}

impl Moment {
    /// Reads a position or a time.
    pub fn parse(text: &str) -> Result<Self, MomentError> {
        let number = text.parse().ok().filter(|position| i64::try_from(*position).is_ok());
        let time = || Timestamp::parse(text).ok().map(Self::Time);
        number
            .map(|position| Self::Position(Position::new(position)))
            .or_else(time)
            .ok_or_else(|| MomentError(text.chars().take(64).collect()))
    }
}

impl std::str::FromStr for Moment {
    type Err = MomentError;
    fn from_str(text: &str) -> Result<Self, MomentError> {
        Self::parse(text)
    }
}

impl History {
    /// The last position before a moment: where a range begins that has the moment in it.
    pub async fn before(&self, moment: Moment) -> Result<Position, LogError> {
        match moment {
            Moment::Position(position) => Ok(Position::new(position.get().saturating_sub(1))),
            Moment::Time(time) => self.last_position(|recorded| recorded < time).await,
        }
    }

    /// The last position at a moment, which must not be later than now.
    pub async fn at(&self, moment: Moment) -> Result<Position, NotYet> {
        match moment {
            Moment::Position(wanted) => {
                let head = self.head().await?;
                if wanted > head { Err(NotYet::Position { wanted, head }) } else { Ok(wanted) }
            }
            Moment::Time(wanted) => {
                let now = self.now().await?;
                if wanted > now {
                    return Err(NotYet::Time { wanted, now });
                }
                Ok(self.last_position(|recorded| recorded <= wanted).await?)
            }
        }
    }

    /// The last position at a moment, or the head when history has not reached it.
    pub async fn at_most(&self, moment: Moment) -> Result<Position, LogError> {
        match moment {
            Moment::Position(position) => Ok(position.min(self.head().await?)),
            Moment::Time(time) => self.last_position(|recorded| recorded <= time).await,
        }
    }

    /// When the event at a position was written.
    pub async fn recorded_at(&self, position: Position) -> Result<Option<Timestamp>, LogError> {
        let row: Option<(OffsetDateTime,)> =
            sqlx::query_as("select recorded_at from events where global_position = $1")
                .bind(column(position))
                .fetch_optional(self.log.pool())
                .await?;
        Ok(row.map(|(recorded,)| Timestamp::new(recorded)))
    }

    /// The last position whose time passes, given that all before it do.
    async fn last_position(&self, passes: impl Fn(Timestamp) -> bool) -> Result<Position, LogError> {
        let (mut low, mut high) = (0, self.head().await?.get());
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            let Some(recorded) = self.recorded_at(Position::new(middle)).await? else {
                return Err(self.hole_after(Position::new(middle - 1)).await?);
            };
            if passes(recorded) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        Ok(Position::new(low))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_neither_a_position_nor_a_time_is_refused() {
        for text in ["", "-1", "now", "2026-11-22", "99999999999999999999", "2026-11-22T10:50:00"] {
            assert!(Moment::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn both_forms_are_read() {
        assert_eq!(Moment::parse("412"), Ok(Moment::Position(Position::new(412))));
        let time = Timestamp::parse("2026-11-22T10:50:00Z").unwrap();
        assert_eq!(Moment::parse("2026-11-22T11:50:00+01:00"), Ok(Moment::Time(time)));
    }
}
