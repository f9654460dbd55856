//! Reading a `tools/list` answer: where its tools stand, and the few facts about each that decisions ask for.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::ToolsError;
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

pub(super) struct Tool<'a> {
    pub(super) raw: &'a RawValue,
    pub(super) summary: ToolSummary<'a>,
}

pub(super) struct ToolsList<'a> {
    pub(super) tools: Vec<Tool<'a>>,
    pub(super) cache_scope: Option<&'a RawValue>,
}

pub(super) fn read(answer: &str) -> Result<ToolsList<'_>, ToolsError> {
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
    let [tools, cache_scope] = members(result.get(), ["tools", "cacheScope"])?;
    let tools = tools.ok_or(ToolsError::NoList)?;
    let tools: Vec<&RawValue> = serde_json::from_str(tools.get()).map_err(|_| ToolsError::Shape)?;
    let tools = tools.into_iter().map(read_tool).collect::<Result<_, _>>()?;
    Ok(ToolsList { tools, cache_scope })
}

fn read_tool(raw: &RawValue) -> Result<Tool<'_>, ToolsError> {
    let [name, annotations, schema] = members(raw.get(), ["name", "annotations", "inputSchema"])?;
    let name = name.and_then(json::text).ok_or(ToolsError::Shape)?;
    let read_only_hint = match annotations.filter(|annotations| json::is_object(annotations)) {
        Some(annotations) => {
            let [hint] = members(annotations.get(), ["readOnlyHint"])?;
            hint.and_then(|hint| serde_json::from_str(hint.get()).ok())
        }
        None => None,
    };
    let input_schema = schema.map(RawValue::get);
    Ok(Tool { raw, summary: ToolSummary { name, read_only_hint, input_schema } })
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
