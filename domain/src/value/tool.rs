//! Tool names and the selection of tools that an instance exposes.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::text_value;

/// The name of a tool as its server spells it: 1 to 128 visible ASCII characters.
///
/// Wider than the recommended `[A-Za-z0-9_.-]` (MCP 2025-11-25, tools), because a gateway meets servers as they are.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct ToolName(String);

const TOOL_NAME_CHARS_MAX: usize = 128;

/// Why a text is not a tool name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a tool name has 1 to {TOOL_NAME_CHARS_MAX} visible ASCII characters and no blanks")]
pub struct ToolNameError;

impl ToolName {
    /// Checks a name.
    pub fn parse(text: &str) -> Result<Self, ToolNameError> {
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        if text.is_empty() || text.len() > TOOL_NAME_CHARS_MAX || !visible {
            return Err(ToolNameError);
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

text_value!(ToolName, ToolNameError);

impl std::borrow::Borrow<str> for ToolName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// Which tools an instance exposes: the allow-list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ToolSelection {
    /// Whatever the upstream offers, now and later.
    All,
    /// Exactly these; an empty set exposes nothing.
    Only(BTreeSet<ToolName>),
}

impl ToolSelection {
    /// Whether this tool is exposed.
    pub fn exposes(&self, tool: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(tools) => tools.contains(tool),
        }
    }
}
