//! The filter of a list on its way to one caller, and what it makes of a message that it cannot read.

use std::fmt;

use bytes::Bytes;

use crate::envelope::{Message, MessageKind, Outcome};
use crate::tools::{CacheScope, ToolSummary, ToolsError, filter_tools};

/// Decides which tools this caller sees.
pub struct ToolsFilter {
    keep: Box<dyn FnMut(&ToolSummary<'_>) -> bool + Send>,
    cache_scope: CacheScope,
}

impl ToolsFilter {
    /// `keep` says yes to the tools that the caller may see.
    pub fn new(cache_scope: CacheScope, keep: impl FnMut(&ToolSummary<'_>) -> bool + Send + 'static) -> Self {
        Self { keep: Box::new(keep), cache_scope }
    }

    /// Filters a whole answer to `tools/list`.
    pub(super) fn answer(&mut self, answer: &Bytes) -> Result<Bytes, ToolsError> {
        match filter_tools(answer, self.cache_scope, &mut self.keep) {
            Ok(filtered) => Ok(filtered.body),
            Err(ToolsError::ErrorAnswer) => Ok(answer.clone()),
            Err(unreadable) => Err(unreadable),
        }
    }

    /// Filters a message that may or may not be an answer. `expected` says whether a result must be a list. The error
    /// means that the message must not be given out.
    pub(super) fn message(&mut self, message: &Bytes, expected: Expected) -> Result<Bytes, Withheld> {
        let parsed = Message::parse(message.clone()).map_err(|_| Withheld)?;
        match parsed.kind() {
            MessageKind::Request { .. }
            | MessageKind::Notification
            | MessageKind::Response { outcome: Outcome::Error, .. } => Ok(message.clone()),
            MessageKind::Response { outcome: Outcome::Result, .. } => {
                match (self.answer(message), expected) {
                    (Ok(filtered), _) => Ok(filtered),
                    (Err(ToolsError::NoList), Expected::Anything) => Ok(message.clone()),
                    (Err(_), Expected::List | Expected::Anything) => Err(Withheld),
                }
            }
        }
    }
}

impl fmt::Debug for ToolsFilter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ToolsFilter").field("cache_scope", &self.cache_scope).finish_non_exhaustive()
    }
}

/// What a result on this stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    /// The answer to a `tools/list`, under whatever id: an upstream may write the id in another form, and a number
    /// beyond 2^53 even as another one. The id therefore does not decide.
    List,
    /// The answer to any request.
    Anything,
}

/// The message might show what the caller may not see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Withheld;
