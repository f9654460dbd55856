//! The tools: their descriptions, their results, and the way from a name to its tool.
//!
//! A wrong argument is a result with `isError`, which a model can read and mend; only a wrong tool is a JSON-RPC error.

mod add;
mod echo;
pub(super) mod slow;
mod time;

use std::sync::LazyLock;

use mcp::envelope::Message;
use mcp::error::RpcError;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::Server;
use super::answer::Answer;
use super::ask::Reply;
use super::params;

/// The answer to `tools/list`.
pub(super) static LIST: LazyLock<Value> = LazyLock::new(
    || json!({"tools": [echo::description(), time::description(), add::description(), slow::description()]}),
);

/// What a tool gives back, in the shape of the protocol.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ToolResult {
    content: [Text; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    structured_content: Option<Value>,
    is_error: bool,
}

#[derive(Debug, Serialize)]
struct Text {
    r#type: &'static str,
    text: String,
}

impl ToolResult {
    fn new(text: String, structured_content: Option<Value>, is_error: bool) -> Self {
        Self { content: [Text { r#type: "text", text }], structured_content, is_error }
    }

    pub(super) fn text(text: String) -> Self {
        Self::new(text, None, false)
    }

    /// The value for programs, and its text for clients from before there were such values.
    fn structured(text: String, value: Value) -> Self {
        Self::new(text, Some(value), false)
    }

    fn error(text: String) -> Self {
        Self::new(text, None, true)
    }
}

/// Calls the tool that the body names.
pub(super) fn call(server: &Server, message: &Message) -> Result<Reply, RpcError> {
    #[derive(Deserialize)]
    struct Call<'a> {
        #[serde(borrow)]
        arguments: Option<&'a RawValue>,
    }
    let call: Option<Call<'_>> = params::read(message)?;
    let arguments = call.and_then(|call| call.arguments).map_or("{}", RawValue::get);
    let result = match message.tool_name() {
        Some("echo") => echo::call(arguments),
        Some("time") => time::call(&*server.clock, arguments),
        Some("add") => add::call(arguments),
        Some("slow") => match slow::Work::start(&server.slow_calls, arguments) {
            Ok(work) => return Ok(Reply::Slowly(work)),
            Err(result) => result,
        },
        Some(_) | None => return Err(params::invalid("tool-unknown", "there is no such tool")),
    };
    Ok(Reply::Now(Answer::Tool(result)))
}

/// Reads the arguments of a tool, or says in its result what is wrong with them.
fn read<'a, T: Deserialize<'a>>(arguments: &'a str) -> Result<T, ToolResult> {
    if !arguments.starts_with('{') {
        return Err(ToolResult::error("wrong arguments: they are no object".to_owned())); // serde takes arrays too
    }
    serde_json::from_str(arguments).map_err(|error| ToolResult::error(format!("wrong arguments: {error}")))
}
