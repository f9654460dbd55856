//! The one resource, `demo://about`.

use std::sync::LazyLock;

use mcp::envelope::Message;
use mcp::error::{RpcError, code};
use mcp::revision::Era;
use serde_json::{Value, json};

use super::answer::Answer;
use super::params;

const ABOUT: &str = "demo://about";
const ABOUT_TEXT: &str = "\
This server stands behind the gateway of a Sekisho demo. What it offers:

- tools: echo, time, add, and slow, which reports progress and can be cancelled
- a resource: this text
- a prompt: greeting
";

/// Legacy revisions have a code of their own for an unknown resource; 2026-07-28 took it away.
const RESOURCE_NOT_FOUND: i64 = -32_002;

/// The answer to `resources/list`.
pub(super) static LIST: LazyLock<Value> = LazyLock::new(|| {
    json!({"resources": [{
        "uri": ABOUT,
        "name": "about",
        "title": "About this server",
        "description": "What the demo server offers.",
        "mimeType": "text/markdown",
        "size": ABOUT_TEXT.len()
    }]})
});

/// The answer to `resources/templates/list`: clients ask wherever there are resources.
pub(super) static TEMPLATES: LazyLock<Value> = LazyLock::new(|| json!({"resourceTemplates": []}));

static CONTENTS: LazyLock<Value> =
    LazyLock::new(|| json!({"contents": [{"uri": ABOUT, "mimeType": "text/markdown", "text": ABOUT_TEXT}]}));

pub(super) fn read(era: Era, message: &Message) -> Result<Answer, RpcError> {
    match message.uri() {
        Some(ABOUT) => Ok(Answer::Fixed(&CONTENTS)),
        Some(uri) => {
            let code = match era {
                Era::Legacy => RESOURCE_NOT_FOUND,
                Era::Modern => code::INVALID_PARAMS,
            };
            Err(RpcError::new(code, "resource-unknown", "there is no such resource").with("uri", uri))
        }
        None => Err(params::invalid("uri-missing", "`uri` is missing")),
    }
}
