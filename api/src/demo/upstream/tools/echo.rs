//! `echo`: the text back.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{ToolResult, read};

pub(super) fn description() -> Value {
    json!({
        "name": "echo",
        "title": "Echo",
        "description": "Answers with the text it was given.",
        "inputSchema": {
            "type": "object",
            "properties": {"text": {"type": "string", "description": "What to say back."}},
            "required": ["text"],
            "additionalProperties": false
        },
        "annotations": {"readOnlyHint": true, "openWorldHint": false}
    })
}

pub(super) fn call(arguments: &str) -> ToolResult {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Arguments {
        text: String,
    }
    match read(arguments) {
        Ok(Arguments { text }) => ToolResult::text(text),
        Err(wrong) => wrong,
    }
}
