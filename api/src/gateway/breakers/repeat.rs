//! Which requests may be sent once more when their connection ended before there was an answer.
//!
//! Those that read: carried out twice, they are what they are once. A call of a tool never is, whatever the tool says of itself, nor one of a
//! method that nobody here knows; nor a request that goes on with a conversation (multi-round-trip results), which its server may take once only.
//! A request that was never begun on a connection that had died in the pool is sent again by the pool itself, whatever it is: nothing of it was
//! sent (`retry_canceled_requests`). Nothing is repeated after a timeout, whose caller has waited long enough.

use mcp::envelope::MessageKind;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::gateway::call::McpCall;

/// How often a request may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::gateway) enum Repeat {
    /// Once more.
    Once,
    /// No more than once.
    Never,
}

impl Repeat {
    pub(in crate::gateway) fn of(call: &McpCall) -> Self {
        let Some(message) = &call.message else { return Self::Never };
        match (message.kind(), message.method()) {
            (MessageKind::Request { .. }, Some(method)) => Self::of_method(method, message.bytes()),
            (MessageKind::Request { .. } | MessageKind::Notification | MessageKind::Response { .. }, _) => {
                Self::Never
            }
        }
    }

    fn of_method(method: &str, message: &[u8]) -> Self {
        match method {
            "ping"
            | "server/discover"
            | "tools/list"
            | "prompts/list"
            | "resources/list"
            | "resources/templates/list" => Self::Once,
            "prompts/get" | "resources/read" if !goes_on(message) => Self::Once,
            _ => Self::Never,
        }
    }
}

/// Whether a request answers what its server has asked back.
fn goes_on(message: &[u8]) -> bool {
    serde_json::from_slice(message).is_ok_and(|Asked { params }| {
        params.is_some_and(|params| params.input_responses.is_some() || params.request_state.is_some())
    })
}

#[derive(Deserialize)]
struct Asked {
    params: Option<Params>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Params {
    input_responses: Option<IgnoredAny>,
    request_state: Option<IgnoredAny>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_change_something_is_never_sent_twice() {
        for method in
            ["tools/call", "completion/complete", "resources/subscribe", "tasks/cancel", "initialize"]
        {
            assert_eq!(Repeat::of_method(method, b"{}"), Repeat::Never, "{method}");
        }
    }

    #[test]
    fn a_read_that_goes_on_with_a_conversation_is_not_repeated() {
        for params in [r#"{"requestState":"x"}"#, r#"{"inputResponses":{}}"#] {
            let message = format!(r#"{{"params":{params}}}"#);
            assert_eq!(Repeat::of_method("prompts/get", message.as_bytes()), Repeat::Never, "{params}");
        }
        for message in [r#"{"params":{"name":"a"}}"#, r#"{"id":1}"#] {
            assert_eq!(Repeat::of_method("prompts/get", message.as_bytes()), Repeat::Once, "{message}");
        }
        assert_eq!(Repeat::of_method("tools/list", b"{}"), Repeat::Once);
    }
}
