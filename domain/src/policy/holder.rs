//! What a role and scopes let somebody do at an instance that is open to them.

use super::{Denial, KeyFacts, TokenFacts, Wish};
use crate::value::{Role, Scope, Scopes, ToolName};

/// Whoever holds a credential: what they are, and the sets of scopes of which every one has to grant what they wish for.
pub(super) struct Holder<'a> {
    role: Option<Role>,
    scopes: [&'a Scopes; 3],
}

impl<'a> Holder<'a> {
    pub(super) const fn of_key(key: &KeyFacts<'a>) -> Self {
        Self { role: key.role, scopes: [key.scopes; 3] }
    }

    pub(super) fn of_token(token: &TokenFacts<'a>) -> Self {
        Self { role: token.role(), scopes: token.scopes }
    }

    pub(super) fn may(&self, wish: Wish<'_>) -> Result<(), Denial> {
        let role = self.role.ok_or(Denial::NotMember)?;
        match role {
            Role::Owner | Role::Admin | Role::Member | Role::Viewer => {}
            Role::Auditor => return Err(Denial::RoleTooLow),
        }
        match wish {
            Wish::Connect if self.open_mcp() => Ok(()),
            Wish::Connect => Err(Denial::ScopeMissing(Scope::McpRead)),
            Wish::Read => self.must_hold(Scope::McpRead),
            Wish::Call { read_only: false, .. } | Wish::Extend if role == Role::Viewer => {
                Err(Denial::RoleTooLow)
            }
            Wish::Call { tool, read_only } => {
                if read_only && self.hold(&Scope::McpRead) || self.hold_tool(tool) {
                    return Ok(());
                }
                Err(Denial::ScopeMissing(ToolName::parse(tool).map_or(Scope::McpWrite, Scope::Tool)))
            }
            Wish::Extend => self.must_hold(Scope::McpWrite),
            Wish::Manage(_) => Err(Denial::WrongDoor),
        }
    }

    fn hold(&self, scope: &Scope) -> bool {
        self.scopes.iter().all(|set| set.grant(scope))
    }

    fn must_hold(&self, scope: Scope) -> Result<(), Denial> {
        if self.hold(&scope) { Ok(()) } else { Err(Denial::ScopeMissing(scope)) }
    }

    /// Each set contains all tools, or names this one. By its text: an upstream may spell a tool as no scope can.
    fn hold_tool(&self, tool: &str) -> bool {
        self.scopes.iter().all(|set| set.grant(&Scope::McpWrite) || set.name_tool(tool))
    }

    /// Some scope that opens an endpoint is granted by all. What all grant, the narrowest of them holds by name.
    fn open_mcp(&self) -> bool {
        let mut held = self.scopes.iter().flat_map(|set| set.iter());
        held.any(|scope| scope.opens_mcp() && self.hold(scope))
    }
}
