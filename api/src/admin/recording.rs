//! How calls to an instance are recorded, as the API writes it.

use domain::instance::{ArgumentDays, ArgumentRecording, Overflow, Recording as Setting};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::schema::Object;

use super::shapes::one_of;
use crate::problem::Problem;

/// How calls are recorded.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Recording {
    /// What happens when there is no room for a record: `drop` lets the call go on and counts what is dropped, `block` refuses the call.
    #[schema(schema_with = overflow)]
    overflow: Overflow,
    /// Whether arguments are kept: `none`, or `sealed` for some days.
    #[schema(schema_with = arguments)]
    arguments: Arguments,
    /// For how many days, 1 to 365, with `sealed` alone.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    arguments_retention_days: Option<u16>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Arguments {
    None,
    Sealed,
}

fn overflow() -> Object {
    one_of(Overflow::ALL.map(Overflow::as_str), "What happens when there is no room for a record")
}

fn arguments() -> Object {
    one_of(["none", "sealed"], "Whether arguments are kept")
}

impl Recording {
    /// The setting that this asks for.
    pub(super) fn parse(&self) -> Result<Setting, Problem> {
        let bad = |detail: &str| Problem::bad_request("bad-recording", detail.to_owned());
        let arguments = match (self.arguments, self.arguments_retention_days) {
            (Arguments::None, None) => ArgumentRecording::None,
            (Arguments::None, Some(_)) => {
                return Err(bad("arguments_retention_days goes with sealed arguments alone"));
            }
            (Arguments::Sealed, None) => {
                return Err(bad("say in arguments_retention_days how long sealed arguments are kept"));
            }
            (Arguments::Sealed, Some(days)) => {
                let days = ArgumentDays::try_new(days).map_err(|error| bad(&error.to_string()))?;
                ArgumentRecording::Sealed { retention_days: days }
            }
        };
        Ok(Setting { overflow: self.overflow, arguments })
    }
}

impl From<Setting> for Recording {
    fn from(setting: Setting) -> Self {
        let (arguments, arguments_retention_days) = match setting.arguments {
            ArgumentRecording::None => (Arguments::None, None),
            ArgumentRecording::Sealed { retention_days } => (Arguments::Sealed, Some(retention_days.get())),
        };
        Self { overflow: setting.overflow, arguments, arguments_retention_days }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Setting, ()> {
        serde_json::from_str::<Recording>(text).map_err(|_| ())?.parse().map_err(|_| ())
    }

    #[test]
    fn days_without_arguments_and_arguments_without_days_are_refused() {
        for text in [
            "{}",
            r#"{"overflow":"drop"}"#,
            r#"{"overflow":"wait","arguments":"none"}"#,
            r#"{"overflow":"drop","arguments":"none","arguments_retention_days":3}"#,
            r#"{"overflow":"drop","arguments":"sealed"}"#,
            r#"{"overflow":"drop","arguments":"sealed","arguments_retention_days":0}"#,
            r#"{"overflow":"drop","arguments":"sealed","arguments_retention_days":366}"#,
            r#"{"overflow":"drop","arguments":"clear","arguments_retention_days":3}"#,
        ] {
            assert_eq!(parse(text), Err(()), "{text}");
        }
    }

    #[test]
    fn what_was_set_is_shown_as_it_was_asked_for() {
        for text in [
            r#"{"overflow":"drop","arguments":"none"}"#,
            r#"{"overflow":"block","arguments":"sealed","arguments_retention_days":30}"#,
        ] {
            let shown = Recording::from(parse(text).unwrap());
            assert_eq!(serde_json::to_string(&shown).unwrap(), text);
        }
    }
}
