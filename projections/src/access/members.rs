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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use domain::instance::{CallerAuthentication, Recording, WhenStale};
    use domain::policy::Standing;
    use domain::value::{InstanceId, OrganizationId, ToolSelection};
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn instance(names: &[&str]) -> Instance {
        let id = |number: usize| ConnectionId::new(Uuid::from_u128(number as u128));
        let called =
            names.iter().enumerate().map(|(number, name)| (id(number), MemberName::parse(name).unwrap()));
        Instance {
            id: InstanceId::new(Uuid::nil()),
            organization: OrganizationId::new(Uuid::nil()),
            connections: (0..names.len()).map(id).collect(),
            names: called.collect(),
            tools: ToolSelection::All,
            authentication: CallerAuthentication::ApiKey,
            standing: Standing::Active,
            recording: Recording::default(),
            when_stale: WhenStale::default(),
        }
    }

    #[test]
    fn a_name_without_a_member_in_front_leads_nowhere_unless_there_is_one_connection_alone() {
        let several = instance(&["a", "a-b"]);
        for tool in ["", "add", "a", "a_add", "_a__add", "A__add", "a-__add", "b__add"] {
            assert_eq!(several.connection_of(tool), None, "{tool}");
        }
        let one = instance(&["a"]);
        assert_eq!(one.connection_of("a__add"), Some((one.connections[0], "a__add")));
    }

    proptest! {
        #[test]
        fn an_exposed_name_leads_to_the_member_that_it_was_made_for(
            names in prop::collection::btree_set("[a-z0-9][a-z0-9-]{0,5}", 2..8),
            tool in "[A-Za-z0-9_-]{1,12}",
        ) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let instance = instance(&names);
            let mut seen = BTreeSet::new();
            for (number, name) in names.iter().enumerate() {
                let exposed = format!("{name}{MEMBER_SEPARATOR}{tool}");
                let led_to = instance.connection_of(&exposed);
                prop_assert_eq!(led_to, Some((instance.connections[number], tool.as_str())));
                prop_assert!(seen.insert(exposed));
            }
        }
    }
}
