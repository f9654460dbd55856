//! The members of an instance: its connections, and what they are called where there are several.
//!
//! A name is what permissions are about (`{member}__{tool}`), so one that was given stays with its connection for as long as that is a member.

use std::collections::{BTreeMap, BTreeSet};

use super::InstanceError;
use crate::value::{ConnectionId, MemberName};

/// Connections of one instance.
pub const CONNECTIONS_MAX: usize = 32;

/// What the members of an instance are called, by connection.
pub type MemberNames = BTreeMap<ConnectionId, MemberName>;

/// Refused unless there are few enough, each once.
pub fn must_be_members(connections: &[ConnectionId]) -> Result<(), InstanceError> {
    let different: BTreeSet<_> = connections.iter().collect();
    let fits = (1..=CONNECTIONS_MAX).contains(&connections.len()) && different.len() == connections.len();
    if fits { Ok(()) } else { Err(InstanceError::Connections) }
}

/// A name for each of several members: the one that it has, or else one like the given, with a number where that is taken. One alone needs none.
pub(super) fn name_each(connections: &[ConnectionId], have: &MemberNames, like: &MemberNames) -> MemberNames {
    if connections.len() < 2 {
        return MemberNames::new();
    }
    let kept = |id: &ConnectionId| Some((*id, have.get(id)?.clone()));
    let mut names: MemberNames = connections.iter().filter_map(kept).collect();
    let mut taken: BTreeSet<MemberName> = names.values().cloned().collect();
    for id in connections {
        if names.contains_key(id) {
            continue;
        }
        let wanted = like.get(id).cloned().unwrap_or_else(|| MemberName::like(""));
        let numbered = (2..).map(|number| wanted.numbered(number));
        let free = std::iter::once(wanted.clone()).chain(numbered).find(|name| !taken.contains(name));
        if let Some(name) = free {
            taken.insert(name.clone());
            names.insert(*id, name);
        }
    }
    names
}

/// Refused unless each of several members has a name of its own.
pub(super) fn must_name_each(connections: &[ConnectionId], names: &MemberNames) -> Result<(), InstanceError> {
    if connections.len() < 2 {
        return Err(InstanceError::OneMember);
    }
    let different: BTreeSet<_> = names.values().collect();
    if names.keys().collect::<BTreeSet<_>>() != connections.iter().collect() {
        return Err(InstanceError::NotTheMembers);
    }
    if different.len() == names.len() { Ok(()) } else { Err(InstanceError::NamesCollide) }
}
