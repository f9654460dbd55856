//! `sekisho tools`: what an instance offers to a credential.

use std::process::ExitCode;

use clap::Args;
use serde_json::Value;

use super::endpoint::{AskError, EndpointOptions};
use super::{refused, say};

/// Of which instance.
#[derive(Debug, Args)]
#[command(after_help = refused::EXIT_CODES)]
pub(super) struct Tools {
    #[command(flatten)]
    endpoint: EndpointOptions,
}

impl Tools {
    pub(super) async fn run(self) -> ExitCode {
        match self.list().await {
            Ok(tools) if self.endpoint.json => say(&Value::Array(tools).to_string()),
            Ok(tools) if tools.is_empty() => say("no tools for this credential"),
            Ok(tools) => tools.iter().for_each(|tool| say(&told(tool))),
            Err(error) => return refused::tell(&error, self.endpoint.json),
        }
        ExitCode::SUCCESS
    }

    async fn list(&self) -> Result<Vec<Value>, AskError> {
        let mut client = self.endpoint.connect().await?;
        let tools = client.tools().await;
        client.close().await;
        Ok(tools?)
    }
}

/// `add(a: integer, b: integer, note?: string)  [reads]`, and what it does.
fn told(tool: &Value) -> String {
    let text = |name: &str| tool.get(name).and_then(Value::as_str).unwrap_or_default();
    let reads = tool.pointer("/annotations/readOnlyHint").and_then(Value::as_bool).unwrap_or(false);
    let reads = if reads { "  [reads]" } else { "" };
    let head = format!("{}({}){reads}", text("name"), arguments(tool).join(", "));
    let about = text("description").lines().map(str::trim).find(|line| !line.is_empty());
    about.map_or(head.clone(), |about| format!("{head}\n    {about}"))
}

fn arguments(tool: &Value) -> Vec<String> {
    let schema = tool.get("inputSchema").unwrap_or(&Value::Null);
    let required: Vec<&str> = match schema.get("required") {
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let properties = schema.get("properties").and_then(Value::as_object);
    let argument = |(name, schema): (&String, &Value)| {
        let optional = if required.contains(&name.as_str()) { "" } else { "?" };
        let kind = schema.get("type").and_then(Value::as_str);
        let kind = kind.map(|kind| format!(": {kind}")).unwrap_or_default();
        format!("{name}{optional}{kind}")
    };
    properties.into_iter().flatten().map(argument).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_tool_that_says_next_to_nothing_is_still_told() {
        assert_eq!(told(&json!({ "name": "bare" })), "bare()");
        let odd = json!({ "name": "odd", "description": "\n", "inputSchema": { "required": 3, "properties": { "a": true } } });
        assert_eq!(told(&odd), "odd(a?)");
    }

    #[test]
    fn a_tool_is_told_with_its_arguments_and_the_first_line_about_it() {
        let tool = json!({
            "name": "add",
            "description": "\n  Adds.\n  More.",
            "annotations": { "readOnlyHint": true },
            "inputSchema": { "type": "object", "properties": { "a": { "type": "integer" }, "b": {} }, "required": ["a"] },
        });
        assert_eq!(told(&tool), "add(a: integer, b?)  [reads]\n    Adds.");
    }
}
