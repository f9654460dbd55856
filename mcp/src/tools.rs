//! Taking tools out of a `tools/list` answer by cutting their bytes out.
//!
//! Every byte that does not belong to a removed tool stays: order, unknown fields, number formats, white space. What
//! cannot be read with certainty is an error, and the caller must then give out nothing: a list that might show a
//! forbidden tool is worse than none.

mod answer;
mod splice;

use bytes::Bytes;
use thiserror::Error;

pub use answer::ToolSummary;
pub(crate) use answer::{read as read_page, read_list};

/// What happens to `cacheScope`, where the answer has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheScope {
    /// Stays as the upstream wrote it.
    AsAnswered,
    /// Becomes `"private"`: the list was made for one caller (2026-07-28, caching).
    Private,
}

/// The answer for this caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filtered {
    /// The JSON-RPC response; the very bytes that came in when nothing had to change.
    pub body: Bytes,
    /// How many tools the caller sees.
    pub kept: usize,
    /// How many the caller does not.
    pub removed: usize,
}

/// The answer cannot be given out as a filtered list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ToolsError {
    /// A JSON-RPC error, which holds no list: may be carried through as it is.
    #[error("the answer is a JSON-RPC error")]
    ErrorAnswer,
    /// Not one JSON object.
    #[error("the answer is not one JSON object")]
    NotJson,
    /// Neither result nor error, both, or tools that are not an array of objects with a name.
    #[error("the answer has not the shape of a tools list")]
    Shape,
    /// A result without a `tools` member: the answer to something else.
    #[error("the answer is no tools list")]
    NoList,
    /// A member that we read stands there twice, and readers differ in which one counts.
    #[error("the member `{0}` is there more than once")]
    Duplicate(&'static str),
}

/// Keeps the tools that `keep` says yes to. `answer` is a whole JSON-RPC response.
pub fn filter_tools(
    answer: &Bytes,
    cache_scope: CacheScope,
    mut keep: impl FnMut(&ToolSummary<'_>) -> bool,
) -> Result<Filtered, ToolsError> {
    let text = std::str::from_utf8(answer).map_err(|_| ToolsError::NotJson)?;
    let list = answer::read(text)?;
    let verdicts: Vec<bool> = list.tools.iter().map(|tool| keep(&tool.summary)).collect();
    let kept = verdicts.iter().filter(|kept| **kept).count();
    let mut edits =
        splice::removals(list.tools.iter().map(|tool| splice::span(text, tool.raw)).zip(verdicts));
    if let (CacheScope::Private, Some(scope)) = (cache_scope, list.cache_scope)
        && scope.get() != PRIVATE
    {
        edits.push(splice::Edit { at: splice::span(text, scope), text: PRIVATE });
    }
    let body = if edits.is_empty() { answer.clone() } else { splice::apply(answer, edits) };
    Ok(Filtered { body, kept, removed: list.tools.len() - kept })
}

/// The input schema of a tool on a page of a list, as it stands there, and where the next page begins.
pub fn input_schema(answer: &[u8], tool: &str) -> (Option<String>, Option<String>) {
    let Some(page) = std::str::from_utf8(answer).ok().and_then(|text| read_page(text).ok()) else {
        return (None, None);
    };
    let found = page.tools().iter().find(|listed| listed.summary().name == tool);
    let schema = found.and_then(|tool| tool.summary().input_schema).map(str::to_owned);
    (schema, page.next_cursor())
}

const PRIVATE: &str = r#""private""#;

#[cfg(test)]
mod tests;
