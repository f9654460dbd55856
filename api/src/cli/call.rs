//! `sekisho call`: one call of one tool, for people at a shell. What the server says on the way goes to standard error, the answer to standard output.

use std::io::Read as _;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Map, Value};

use super::endpoint::{AskError, EndpointOptions};
use super::{complain, refused, say};

/// Longest text of arguments that is read: what the gateway takes.
const ARGUMENT_BYTES_MAX: u64 = mcp::envelope::MCP_REQUEST_BYTES_MAX as u64;

/// Which tool, with what.
#[derive(Debug, Args)]
#[command(after_help = refused::EXIT_CODES)]
pub(super) struct Call {
    #[command(flatten)]
    endpoint: EndpointOptions,

    /// The tool, as `sekisho tools` lists it
    #[arg(value_name = "TOOL")]
    tool: String,

    /// Its arguments, as a JSON object; - reads them from standard input
    #[arg(long, value_name = "JSON", default_value = "{}")]
    args: String,
}

impl Call {
    pub(super) async fn run(self) -> ExitCode {
        let arguments = match arguments(&self.args) {
            Ok(arguments) => arguments,
            Err(error) => {
                complain(&format!("--args: {error}"));
                return ExitCode::from(2);
            }
        };
        match self.ask(&arguments).await {
            Ok(result) => self.tell(&Value::Object(result)),
            Err(error) => refused::tell(&error, self.endpoint.json),
        }
    }

    async fn ask(&self, arguments: &Value) -> Result<Map<String, Value>, AskError> {
        let mut client = self.endpoint.connect().await?;
        let answer = client.call(&self.tool, arguments, &mut on_the_way).await;
        client.close().await;
        Ok(answer?)
    }

    fn tell(&self, result: &Value) -> ExitCode {
        let failed = result.get("isError").is_some_and(|failed| failed == true);
        if self.endpoint.json {
            say(&result.to_string());
        } else if failed {
            complain(&format!("the tool failed: {}", told(result)));
        } else {
            say(&told(result));
        }
        if failed { ExitCode::from(refused::TOOL_FAILED) } else { ExitCode::SUCCESS }
    }
}

fn arguments(text: &str) -> Result<Value, String> {
    let mut read = String::new();
    let text = if text == "-" {
        let mut input = std::io::stdin().lock().take(ARGUMENT_BYTES_MAX);
        input.read_to_string(&mut read).map_err(|error| error.to_string())?;
        &read
    } else {
        text
    };
    let wanted = "arguments are a JSON object, such as '{\"a\": 1}'";
    match serde_json::from_str::<Value>(text) {
        Ok(value) if value.is_object() => Ok(value),
        Ok(_) => Err(wanted.to_owned()),
        Err(error) => Err(format!("{wanted}; this is no JSON: {error}")),
    }
}

/// Progress and logs.
fn on_the_way(message: &Value) {
    let params = message.get("params").unwrap_or(&Value::Null);
    let text = |name: &str| params.get(name).map(plain);
    match message.get("method").and_then(Value::as_str) {
        Some("notifications/progress") => {
            let of = text("total").map(|total| format!(" of {total}")).unwrap_or_default();
            let about = text("message").map(|about| format!(": {about}")).unwrap_or_default();
            complain(&format!("{}{of}{about}", text("progress").unwrap_or_default()));
        }
        Some("notifications/message") => {
            let (level, data) = (text("level").unwrap_or_default(), text("data").unwrap_or_default());
            complain(&format!("[{level}] {data}"));
        }
        Some(_) | None => {}
    }
}

/// Text as it is, everything else as JSON.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// What a result says to people: its content, or where that is empty what it holds for programs.
fn told(result: &Value) -> String {
    let blocks = result.get("content").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    match (blocks, result.get("structuredContent")) {
        ([], Some(structured)) => serde_json::to_string_pretty(structured).unwrap_or_default(),
        (blocks, _) => blocks.iter().map(block).collect::<Vec<_>>().join("\n"),
    }
}

fn block(block: &Value) -> String {
    let text = |path: &str| block.pointer(path).and_then(Value::as_str);
    let data =
        |kind: &str, base64: &str| format!("[{kind}: {} bytes of base64; --json shows them]", base64.len());
    match text("/type") {
        Some("text") => text("/text").unwrap_or_default().to_owned(),
        Some("image" | "audio") => {
            data(text("/mimeType").unwrap_or("data"), text("/data").unwrap_or_default())
        }
        Some("resource") => match (text("/resource/text"), text("/resource/blob")) {
            (Some(text), _) => text.to_owned(),
            (None, Some(blob)) => data(text("/resource/uri").unwrap_or("resource"), blob),
            (None, None) => block.to_string(),
        },
        Some("resource_link") => text("/uri").unwrap_or_default().to_owned(),
        Some(_) | None => block.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn arguments_that_are_no_object_are_refused() {
        for text in ["", "3", "[1]", "null", "{", "{\"a\": 1} more"] {
            assert!(arguments(text).is_err(), "{text}");
        }
    }

    #[test]
    fn content_of_every_kind_is_told_in_words() {
        let result = json!({ "content": [
            { "type": "text", "text": "one\ntwo" },
            { "type": "image", "mimeType": "image/png", "data": "AAAA" },
            { "type": "resource", "resource": { "uri": "test://a", "text": "inside" } },
            { "type": "resource", "resource": { "uri": "test://b", "blob": "AA==" } },
            { "type": "resource_link", "uri": "test://c" },
            { "type": "new" },
        ]});
        let expected = "one\ntwo\n[image/png: 4 bytes of base64; --json shows them]\ninside\n[test://b: 4 bytes of base64; --json shows them]\ntest://c\n{\"type\":\"new\"}";
        assert_eq!(told(&result), expected);
    }

    #[test]
    fn structured_content_is_told_where_there_is_nothing_else() {
        assert_eq!(
            told(&json!({ "content": [], "structuredContent": { "sum": 42 } })),
            "{\n  \"sum\": 42\n}"
        );
        assert_eq!(told(&json!({})), "");
    }
}
