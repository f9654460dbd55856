//! Scopes: what a credential may do, with their hierarchy.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::ToolName;

/// One permission of a credential.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub enum Scope {
    /// Discover, list, read resources, get prompts, call tools annotated read-only.
    McpRead,
    /// Call all tools; contains `mcp:read`.
    McpWrite,
    /// Administer what is behind the endpoint; contains `mcp:write`.
    McpAdmin,
    /// Call exactly this tool.
    Tool(ToolName),
    /// Read the organization through the management API.
    OrgRead,
    /// Change the organization through the management API; contains `org:read`.
    OrgWrite,
    /// Issue and revoke API keys.
    KeysWrite,
    /// Register and remove OAuth clients.
    ClientsWrite,
    /// Read history.
    AuditRead,
}

/// The text is no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no scope: expected mcp:read, mcp:write, mcp:admin, tool:<name>, org:read, org:write, keys:write, clients:write or audit:read"
)]
pub struct ScopeError(String);

impl Scope {
    /// Every scope that has a fixed name.
    pub const NAMED: [Self; 8] = [
        Self::McpRead,
        Self::McpWrite,
        Self::McpAdmin,
        Self::OrgRead,
        Self::OrgWrite,
        Self::KeysWrite,
        Self::ClientsWrite,
        Self::AuditRead,
    ];

    /// Reads a scope token.
    pub fn parse(text: &str) -> Result<Self, ScopeError> {
        if let Some(scope) = Self::NAMED.into_iter().find(|scope| scope.fixed_name() == Some(text)) {
            return Ok(scope);
        }
        text.strip_prefix("tool:")
            .and_then(|name| ToolName::parse(name).ok())
            .map(Self::Tool)
            .ok_or_else(|| ScopeError(text.chars().take(64).collect()))
    }

    const fn fixed_name(&self) -> Option<&'static str> {
        match self {
            Self::McpRead => Some("mcp:read"),
            Self::McpWrite => Some("mcp:write"),
            Self::McpAdmin => Some("mcp:admin"),
            Self::Tool(_) => None,
            Self::OrgRead => Some("org:read"),
            Self::OrgWrite => Some("org:write"),
            Self::KeysWrite => Some("keys:write"),
            Self::ClientsWrite => Some("clients:write"),
            Self::AuditRead => Some("audit:read"),
        }
    }

    /// Whether it is about MCP endpoints, and not about the management API.
    pub const fn opens_mcp(&self) -> bool {
        match self {
            Self::McpRead | Self::McpWrite | Self::McpAdmin | Self::Tool(_) => true,
            Self::OrgRead | Self::OrgWrite | Self::KeysWrite | Self::ClientsWrite | Self::AuditRead => false,
        }
    }

    /// Whether holding `self` is also holding `other`.
    pub fn contains(&self, other: &Self) -> bool {
        match self {
            Self::McpAdmin => {
                matches!(other, Self::McpAdmin | Self::McpWrite | Self::McpRead | Self::Tool(_))
            }
            Self::McpWrite => matches!(other, Self::McpWrite | Self::McpRead | Self::Tool(_)),
            Self::OrgWrite => matches!(other, Self::OrgWrite | Self::OrgRead),
            Self::McpRead
            | Self::Tool(_)
            | Self::OrgRead
            | Self::KeysWrite
            | Self::ClientsWrite
            | Self::AuditRead => self == other,
        }
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.to_string()
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tool(name) => write!(f, "tool:{name}"),
            named => f.write_str(named.fixed_name().unwrap_or_default()),
        }
    }
}

impl TryFrom<String> for Scope {
    type Error = ScopeError;
    fn try_from(text: String) -> Result<Self, ScopeError> {
        Self::parse(&text)
    }
}

/// A set of scopes.
// In their order and without repetition. Most sets hold one or two, and every key has one: a tree would take ten times the room.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(from = "BTreeSet<Scope>")]
pub struct Scopes(#[cfg_attr(test, schemars(with = "BTreeSet<Scope>"))] Box<[Scope]>);

impl Scopes {
    /// Whether some scope of the set grants this one.
    pub fn grant(&self, wanted: &Scope) -> bool {
        self.0.iter().any(|held| held.contains(wanted))
    }

    /// Whether exactly this tool is named in the set.
    pub fn name_tool(&self, tool: &str) -> bool {
        self.0.iter().any(|held| matches!(held, Scope::Tool(name) if name.as_str() == tool))
    }

    /// Whether any scope opens an MCP endpoint at all.
    pub fn open_mcp(&self) -> bool {
        self.0.iter().any(Scope::opens_mcp)
    }

    /// Whether every scope of the other set is granted.
    pub fn grant_all(&self, wanted: &Self) -> bool {
        wanted.iter().all(|scope| self.grant(scope))
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The scopes in their order.
    pub fn iter(&self) -> impl Iterator<Item = &Scope> {
        self.0.iter()
    }
}

impl From<BTreeSet<Scope>> for Scopes {
    fn from(scopes: BTreeSet<Scope>) -> Self {
        Self(scopes.into_iter().collect())
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        scopes.into_iter().collect::<BTreeSet<_>>().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(text: &str) -> Scope {
        Scope::parse(text).unwrap()
    }

    #[test]
    fn unknown_scopes_and_nameless_tools_are_refused() {
        for text in ["", "mcp", "mcp:everything", "tool:", "tool:a b", "MCP:READ"] {
            assert!(Scope::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_set_is_written_in_one_way_however_it_was_said() {
        let said: Scopes =
            serde_json::from_str(r#"["tool:echo","mcp:read","tool:echo","org:read"]"#).unwrap();
        let other: Scopes = ["org:read", "mcp:read", "tool:echo"].map(scope).into_iter().collect();
        assert_eq!(said, other);
        assert_eq!(serde_json::to_string(&said).unwrap(), serde_json::to_string(&other).unwrap());
        assert_eq!(said.iter().count(), 3);
    }

    #[test]
    fn every_scope_contains_itself_and_beyond_that_only_what_is_drawn() {
        let drawn = [
            ("mcp:admin", "mcp:write"),
            ("mcp:admin", "mcp:read"),
            ("mcp:write", "mcp:read"),
            ("org:write", "org:read"),
        ];
        for one in Scope::NAMED {
            for other in Scope::NAMED {
                let (one, other) = (one.to_string(), other.to_string());
                let expected = one == other || drawn.contains(&(&*one, &*other));
                assert_eq!(scope(&one).contains(&scope(&other)), expected, "{one} {other}");
            }
        }
    }

    #[test]
    fn write_contains_read_and_every_tool_but_not_the_other_way() {
        assert!(scope("mcp:admin").contains(&scope("mcp:read")));
        assert!(scope("mcp:write").contains(&scope("tool:echo")));
        assert!(!scope("mcp:read").contains(&scope("tool:echo")));
        assert!(!scope("tool:echo").contains(&scope("mcp:read")));
        assert!(!scope("tool:echo").contains(&scope("tool:add")));
        assert!(!scope("mcp:admin").contains(&scope("org:read")));
    }
}
