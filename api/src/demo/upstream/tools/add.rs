//! `add`: the sum of two numbers, exact while they are whole and fit 64 bits.

use serde::Deserialize;
use serde_json::{Number, Value, json};

use super::{ToolResult, read};

pub(super) fn description() -> Value {
    json!({
        "name": "add",
        "title": "Add",
        "description": "Adds two numbers.",
        "inputSchema": {
            "type": "object",
            "properties": {"a": {"type": "number"}, "b": {"type": "number"}},
            "required": ["a", "b"],
            "additionalProperties": false
        },
        "outputSchema": {
            "type": "object",
            "properties": {"sum": {"type": "number"}},
            "required": ["sum"],
            "additionalProperties": false
        },
        "annotations": {"readOnlyHint": true, "openWorldHint": false}
    })
}

pub(super) fn call(arguments: &str) -> ToolResult {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Arguments {
        a: Number,
        b: Number,
    }
    let Arguments { a, b } = match read(arguments) {
        Ok(arguments) => arguments,
        Err(wrong) => return wrong,
    };
    match sum(&a, &b) {
        Some(sum) => ToolResult::structured(sum.to_string(), json!({"sum": sum})),
        None => ToolResult::error("the sum is out of range".to_owned()),
    }
}

fn sum(a: &Number, b: &Number) -> Option<Number> {
    let whole = a.as_i64().zip(b.as_i64()).and_then(|(a, b)| a.checked_add(b)).map(Number::from);
    whole.or_else(|| Number::from_f64(a.as_f64()? + b.as_f64()?))
}
