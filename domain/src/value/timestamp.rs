//! Moments, in UTC with microseconds: what Postgres keeps and RFC 3339 writes.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

/// A moment. Comparable, printable as RFC 3339; never read from an ambient clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Timestamp(
    #[cfg_attr(test, schemars(with = "String", extend("format" = "date-time")))] OffsetDateTime,
);

/// The text is not an RFC 3339 moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a moment: expected RFC 3339 such as 2026-11-22T10:50:00Z")]
pub struct TimestampError(String);

/// Where "now" comes from: the system in production, a hand-set clock in tests.
pub trait Clock: Send + Sync {
    /// The current moment.
    fn now(&self) -> Timestamp;
}

impl Timestamp {
    /// The start of Unix time.
    pub const EPOCH: Self = Self(OffsetDateTime::UNIX_EPOCH);

    /// A moment from another library's type, cut to microseconds in UTC.
    pub fn new(moment: OffsetDateTime) -> Self {
        let moment = moment.to_offset(UtcOffset::UTC);
        let micros = moment.microsecond();
        Self(moment.replace_microsecond(micros).unwrap_or(moment))
    }

    /// Reads RFC 3339.
    pub fn parse(text: &str) -> Result<Self, TimestampError> {
        OffsetDateTime::parse(text, &Rfc3339)
            .map(Self::new)
            .map_err(|_| TimestampError(text.chars().take(64).collect()))
    }

    /// The wrapped moment, for adapters.
    pub const fn get(self) -> OffsetDateTime {
        self.0
    }

    /// This moment and some seconds more, or the last representable moment.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(time::Duration::seconds(seconds)))
    }
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.format(&Rfc3339).map_err(|_| std::fmt::Error)?)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        time::serde::rfc3339::serialize(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        time::serde::rfc3339::deserialize(deserializer).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_without_an_offset_is_refused() {
        assert!(Timestamp::parse("2026-11-22T10:50:00").is_err());
    }

    #[test]
    fn text_survives_a_round_trip_and_is_cut_to_microseconds() {
        let moment = Timestamp::parse("2026-11-22T11:50:00.123456789+01:00").unwrap();
        assert_eq!(moment.to_string(), "2026-11-22T10:50:00.123456Z");
    }
}
