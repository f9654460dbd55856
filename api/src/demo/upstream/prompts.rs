//! The one prompt, `greeting`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use mcp::envelope::Message;
use mcp::error::RpcError;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::Answer;
use super::params;

/// The answer to `prompts/list`.
pub(super) static LIST: LazyLock<Value> = LazyLock::new(|| {
    json!({"prompts": [{
        "name": "greeting",
        "title": "Greeting",
        "description": "Asks for a greeting for somebody.",
        "arguments": [{"name": "name", "description": "Who is greeted.", "required": true}]
    }]})
});

pub(super) fn get(message: &Message) -> Result<Answer, RpcError> {
    #[derive(Deserialize)]
    struct Get {
        arguments: Option<BTreeMap<String, String>>,
    }
    if message.name() != Some("greeting") {
        return Err(params::invalid("prompt-unknown", "there is no such prompt"));
    }
    let arguments = params::read::<Get>(message)?.and_then(|get| get.arguments);
    let Some(name) = arguments.and_then(|mut arguments| arguments.remove("name")) else {
        return Err(params::invalid("argument-missing", "`name` is missing"));
    };
    let text = format!("Write a short, friendly greeting for {name}.");
    Ok(Answer::Made(json!({
        "description": "Asks for a greeting for somebody.",
        "messages": [{"role": "user", "content": {"type": "text", "text": text}}]
    })))
}
