//! `time`: what the clock says, in UTC or so many minutes away from it.

use ::time::UtcOffset;
use ::time::format_description::well_known::Rfc3339;
use domain::value::Clock;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{ToolResult, read};

/// RFC 3339 writes offsets up to 23:59.
const OFFSET_MINUTES_MAX: i32 = 24 * 60 - 1;

pub(super) fn description() -> Value {
    json!({
        "name": "time",
        "title": "Current time",
        "description": "Tells the current time in RFC 3339, in UTC or at an offset from it.",
        "inputSchema": {
            "type": "object",
            "properties": {
                "offset_minutes": {
                    "type": "integer",
                    "minimum": -OFFSET_MINUTES_MAX,
                    "maximum": OFFSET_MINUTES_MAX,
                    "default": 0,
                    "description": "Minutes east of UTC; 540 is Tokyo."
                }
            },
            "additionalProperties": false
        },
        "annotations": {"readOnlyHint": true, "openWorldHint": false}
    })
}

pub(super) fn call(clock: &dyn Clock, arguments: &str) -> ToolResult {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Arguments {
        #[serde(default)]
        offset_minutes: i32,
    }
    let Arguments { offset_minutes } = match read(arguments) {
        Ok(arguments) => arguments,
        Err(wrong) => return wrong,
    };
    if !(-OFFSET_MINUTES_MAX..=OFFSET_MINUTES_MAX).contains(&offset_minutes) {
        return ToolResult::error(format!(
            "wrong arguments: offset_minutes lies between -{OFFSET_MINUTES_MAX} and {OFFSET_MINUTES_MAX}"
        ));
    }
    let moment = UtcOffset::from_whole_seconds(offset_minutes * 60)
        .ok()
        .and_then(|offset| clock.now().get().checked_to_offset(offset))
        .and_then(|moment| moment.format(&Rfc3339).ok());
    match moment {
        Some(text) => ToolResult::text(text),
        None => ToolResult::error("the clock stands where no date can be written".to_owned()),
    }
}
