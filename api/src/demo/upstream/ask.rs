//! What both eras can be asked: the lists, and what is on them.

use mcp::envelope::Message;
use mcp::error::{RpcError, code};
use mcp::revision::Era;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::answer::Answer;
use super::tools::{self, slow};
use super::{Server, params, prompts, resources};

/// What comes of a request.
pub(super) enum Reply {
    /// Known at once.
    Now(Answer),
    /// Work that takes its time and can be cancelled.
    Slowly(slow::Work),
}

/// Answers a request of either era, or says that its method is unknown.
pub(super) fn ask(server: &Server, era: Era, message: &Message) -> Result<Reply, RpcError> {
    let answer = match message.method() {
        Some("tools/call") => return tools::call(server, message),
        Some("tools/list") => listed(message, Answer::Fixed(&tools::LIST))?,
        Some("resources/list") => listed(message, Answer::Fixed(&resources::LIST))?,
        Some("resources/templates/list") => listed(message, Answer::Fixed(&resources::TEMPLATES))?,
        Some("resources/read") => resources::read(era, message)?,
        Some("prompts/list") => listed(message, Answer::Fixed(&prompts::LIST))?,
        Some("prompts/get") => prompts::get(message)?,
        Some(_) | None => {
            return Err(RpcError::new(code::METHOD_NOT_FOUND, "method-unknown", "there is no such method"));
        }
    };
    Ok(Reply::Now(answer))
}

/// Every list fits on one page, so no cursor was ever given out.
fn listed(message: &Message, list: Answer) -> Result<Answer, RpcError> {
    #[derive(Deserialize)]
    struct Page<'a> {
        #[serde(borrow)]
        cursor: Option<&'a RawValue>,
    }
    match params::read::<Page<'_>>(message)?.and_then(|page| page.cursor) {
        Some(_) => Err(params::invalid("cursor-unknown", "the cursor was not given out here")),
        None => Ok(list),
    }
}
