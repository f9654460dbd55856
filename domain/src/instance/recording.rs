//! What calls to an instance leave behind beside what every call does, and what happens when there is no room for a record.

use serde::{Deserialize, Serialize};

/// The longest that sealed arguments may be kept: they are as personal as whoever wrote them.
const ARGUMENT_DAYS_MAX: u16 = 365;

/// How calls are recorded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Recording {
    /// What happens when there is no room for a record.
    pub overflow: Overflow,
    /// Whether arguments are kept.
    pub arguments: ArgumentRecording,
}

/// What happens when there is no room for a record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Overflow {
    /// The call goes on; the record is dropped and counted.
    #[default]
    Drop,
    /// The call waits for room, and is refused when there is none.
    Block,
}

/// Whether arguments are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ArgumentRecording {
    /// Their digest alone.
    #[default]
    None,
    /// Sealed.
    Sealed {
        /// For how long.
        retention_days: ArgumentDays,
    },
}

/// Days that sealed arguments are kept: 1 to 365.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "u16", into = "u16")]
pub struct ArgumentDays(u16);

/// Why a number is no number of days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("sealed arguments are kept for 1 to {ARGUMENT_DAYS_MAX} days")]
pub struct ArgumentDaysError;

impl ArgumentDays {
    /// Checks a number.
    pub const fn try_new(days: u16) -> Result<Self, ArgumentDaysError> {
        match days {
            1..=ARGUMENT_DAYS_MAX => Ok(Self(days)),
            _ => Err(ArgumentDaysError),
        }
    }

    /// The number.
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl TryFrom<u16> for ArgumentDays {
    type Error = ArgumentDaysError;
    fn try_from(days: u16) -> Result<Self, ArgumentDaysError> {
        Self::try_new(days)
    }
}

impl From<ArgumentDays> for u16 {
    fn from(days: ArgumentDays) -> Self {
        days.0
    }
}

impl Overflow {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Drop, Self::Block];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Drop => "drop",
            Self::Block => "block",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_kept_for_a_day_at_least_and_a_year_at_most() {
        for days in [0, ARGUMENT_DAYS_MAX + 1, u16::MAX] {
            assert_eq!(ArgumentDays::try_new(days), Err(ArgumentDaysError));
            assert!(serde_json::from_str::<ArgumentDays>(&days.to_string()).is_err());
        }
        assert_eq!(ArgumentDays::try_new(365).map(ArgumentDays::get), Ok(365));
    }
}
