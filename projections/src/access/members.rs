//! The members of an instance, and which of them a tool is of.
//!
//! Of several, each has a name, and its tools are exposed as `{member}__{tool}`. One alone exposes them under their own names.

use domain::value::{ConnectionId, MemberName};

use super::{AccessView, Instance};

/// What stands between the name of a member and that of its tool. A name of a member holds no underscore, so the first one of these is it.
pub const MEMBER_SEPARATOR: &str = "__";

impl Instance {
    /// Whether its tools are exposed under other names than their own.
    pub const fn has_several_members(&self) -> bool {
        self.connections.len() > 1
    }

    /// Its members in order, and their names. One that has none yet is left out: it can be led to by no tool.
    pub fn members(&self) -> impl Iterator<Item = (ConnectionId, &MemberName)> {
        self.connections.iter().filter_map(|id| Some((*id, self.names.get(id)?)))
    }

    /// The connection that calls of a tool go through, and what its server calls the tool. `None` where the name leads to no member.
    pub fn connection_of<'a>(&self, tool: &'a str) -> Option<(ConnectionId, &'a str)> {
        if !self.has_several_members() {
            return self.connections.first().map(|id| (*id, tool));
        }
        let (member, tool) = tool.split_once(MEMBER_SEPARATOR)?;
        let (id, _) = self.members().find(|(_, name)| name.as_str() == member)?;
        Some((id, tool))
    }
}

impl AccessView {
    /// Whether a call at an instance has somewhere to go: one of a tool to its member, any other to at least one.
    pub fn leads_somewhere(&self, instance: &Instance, tool: Option<&str>) -> bool {
        let is_there = |id: &ConnectionId| self.upstream(*id).is_some();
        match tool {
            // A name that is of no member's tool is answered all the same.
            Some(tool) if instance.has_several_members() => {
                instance.connection_of(tool).is_none_or(|(id, _)| is_there(&id))
            }
            Some(_) | None => instance.connections.iter().any(is_there),
        }
    }
}
