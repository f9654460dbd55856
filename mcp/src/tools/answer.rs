//! Reading a `tools/list` answer: where its tools stand, and the few facts about each that decisions ask for.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::{ToolsError, splice};
use crate::headers::{BadAnnotation, RepeatedArguments};
use crate::json;

/// A schema without this text repeats no argument, so it need not be read.
const ANNOTATION: &str = "x-mcp-header";

/// What may be asked about a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolSummary<'a> {
    /// Its name, decoded.
    pub name: Cow<'a, str>,
    /// `annotations.readOnlyHint`, when it is a boolean. Absent means that the tool may write.
    pub read_only_hint: Option<bool>,
    /// The text of its `inputSchema`.
    pub input_schema: Option<&'a str>,
}

impl ToolSummary<'_> {
    /// Whether a client of 2026-07-28 can call it: the annotations of arguments to repeat as headers keep the rules, or it must be left out of
    /// the list (SEP-2243).
    pub fn must_be_callable(&self) -> Result<(), BadAnnotation> {
        let annotated = self.input_schema.filter(|schema| schema.contains(ANNOTATION));
        let Some(schema) = annotated.and_then(|schema| serde_json::from_str(schema).ok()) else {
            return Ok(());
        };
        RepeatedArguments::of_schema(&schema).map(drop)
    }
}

pub(crate) struct Tool<'a> {
    pub(super) raw: &'a RawValue,
    name: &'a RawValue,
    pub(super) summary: ToolSummary<'a>,
}

impl Tool<'_> {
    /// What may be asked about it.
    pub(crate) const fn summary(&self) -> &ToolSummary<'_> {
        &self.summary
    }

    /// Its text under another name.
    pub(crate) fn named(&self, name: &str) -> String {
        let (raw, at) = (self.raw.get(), splice::span(self.raw.get(), self.name));
        let (before, after) =
            (raw.get(..at.start).unwrap_or_default(), raw.get(at.end..).unwrap_or_default());
        format!("{before}{}{after}", serde_json::Value::from(name))
    }
}

/// One page of a list.
pub(crate) struct ToolsList<'a> {
    pub(super) tools: Vec<Tool<'a>>,
    pub(super) cache_scope: Option<&'a RawValue>,
    next_cursor: Option<&'a RawValue>,
    ttl_ms: Option<&'a RawValue>,
}

impl<'a> ToolsList<'a> {
    /// Its tools, in their order.
    pub(crate) fn tools(&self) -> &[Tool<'a>] {
        &self.tools
    }

    /// Where the next one begins.
    pub(crate) fn next_cursor(&self) -> Option<String> {
        self.next_cursor.and_then(json::text).map(Cow::into_owned)
    }

    /// For how long it holds, in milliseconds.
    pub(crate) fn ttl_ms(&self) -> Option<u64> {
        self.ttl_ms.and_then(|ttl| serde_json::from_str(ttl.get()).ok())
    }
}

/// Reads an answer to `tools/list`.
pub(crate) fn read(answer: &str) -> Result<ToolsList<'_>, ToolsError> {
    read_list(answer, "tools")
}

/// Reads a list of things that have a name, which stands in the result under this one.
pub(crate) fn read_list<'a>(answer: &'a str, list: &'static str) -> Result<ToolsList<'a>, ToolsError> {
    let [result, error] = members(answer, ["result", "error"]).map_err(|fault| match fault {
        ToolsError::Shape => ToolsError::NotJson,
        ToolsError::ErrorAnswer | ToolsError::NotJson | ToolsError::NoList | ToolsError::Duplicate(_) => {
            fault
        }
    })?;
    let result = match (result, error) {
        (None, Some(_)) => return Err(ToolsError::ErrorAnswer),
        (Some(result), None) => result,
        (Some(_), Some(_)) | (None, None) => return Err(ToolsError::Shape),
    };
    if !json::is_object(result) {
        return Err(ToolsError::NoList);
    }
    let [tools, cache_scope, next_cursor, ttl_ms] =
        members(result.get(), [list, "cacheScope", "nextCursor", "ttlMs"])?;
    let tools = tools.ok_or(ToolsError::NoList)?;
    let tools: Vec<&RawValue> = serde_json::from_str(tools.get()).map_err(|_| ToolsError::Shape)?;
    let tools = tools.into_iter().map(read_tool).collect::<Result<_, _>>()?;
    Ok(ToolsList { tools, cache_scope, next_cursor, ttl_ms })
}

fn read_tool(raw: &RawValue) -> Result<Tool<'_>, ToolsError> {
    let [name, annotations, schema] = members(raw.get(), ["name", "annotations", "inputSchema"])?;
    let written = name.ok_or(ToolsError::Shape)?;
    let name = json::text(written).ok_or(ToolsError::Shape)?;
    let read_only_hint = match annotations.filter(|annotations| json::is_object(annotations)) {
        Some(annotations) => {
            let [hint] = members(annotations.get(), ["readOnlyHint"])?;
            hint.and_then(|hint| serde_json::from_str(hint.get()).ok())
        }
        None => None,
    };
    let input_schema = schema.map(RawValue::get);
    Ok(Tool { raw, name: written, summary: ToolSummary { name, read_only_hint, input_schema } })
}

/// The named members of an object, each of which may stand there once.
fn members<'a, const N: usize>(
    json: &'a str,
    names: [&'static str; N],
) -> Result<[Option<&'a RawValue>; N], ToolsError> {
    let mut found = [None; N];
    let mut twice = None;
    json::for_each_member(json, |key, value| {
        let slot = names.iter().zip(&mut found).find(|(name, _)| **name == key);
        if let Some((name, slot)) = slot
            && slot.replace(value).is_some()
        {
            twice = Some(*name);
        }
    })
    .map_err(|_| ToolsError::Shape)?;
    twice.map_or(Ok(found), |name| Err(ToolsError::Duplicate(name)))
}
