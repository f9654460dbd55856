//! The part of a view that decides about some parties: their aggregates alone, found from one to the next by the primary key of the log.
//!
//! The same fold as of the whole view, so the same decision; the cost grows with the history of these few things, not with the length of the log.

use std::collections::BTreeSet;

use domain::value::Position;

use super::evidence::{EvidenceError, told};
use super::grounds::Parties;
use super::{AccessView, Key};
use crate::history::History;

/// An aggregate: its type and its id.
type Name = (&'static str, String);

impl AccessView {
    /// The view of what decides about these parties, and of nothing else, as of a position.
    pub(crate) async fn of_parties(
        history: &History,
        parties: Parties,
        at: Position,
    ) -> Result<Self, EvidenceError> {
        let (mut view, mut asked, mut events) = (Self::default(), BTreeSet::new(), Vec::new());
        loop {
            let needed = names(&view, parties);
            let wanted: Vec<Name> = needed.difference(&asked).cloned().collect();
            if wanted.is_empty() {
                view.position = at;
                return Ok(view);
            }
            events.extend(told(history, &wanted, at).await?);
            asked.extend(wanted);
            events.sort_by_key(|(set_by, _)| set_by.position);
            view = Self::default();
            for (set_by, fact) in &events {
                view.take_some(set_by.position, &set_by.aggregate_id, fact.clone())
                    .map_err(|error| EvidenceError::Id(set_by.position, error))?;
            }
        }
    }
}

/// What a decision about these parties looks at, as far as this view knows.
pub(super) fn names(view: &AccessView, parties: Parties) -> BTreeSet<Name> {
    let found: Option<&Key> = parties.key.and_then(|id| view.key_by_id(id)).map(AsRef::as_ref);
    let grant = parties.grant.and_then(|id| view.grant(id));
    let client = parties.client.and_then(|id| view.client(id));
    let instance = parties.instance.and_then(|id| view.instance(id));
    let connections = instance.map_or(&[][..], |instance| instance.connections.as_slice());
    let servers = connections.iter().filter_map(|id| Some(view.connections.get(id)?.server));
    let one = |kind, id: Option<String>| id.map(|id| (kind, id));
    let names = [
        one("deployment", Some("deployment".to_owned())),
        one("api_key", parties.key.map(|id| id.to_string())),
        one("user", found.map(|key| key.principal.to_string())),
        one("organization", found.map(|key| key.organization.to_string())),
        one("grant", parties.grant.map(|id| id.to_string())),
        one("access_token", parties.token.map(|id| id.to_string())),
        one("user", grant.map(|grant| grant.user.to_string())),
        one("organization", grant.map(|grant| grant.organization.to_string())),
        one("client", parties.client.map(|id| id.to_string())),
        one("client", grant.map(|grant| grant.client.to_string())),
        one("organization", client.and_then(|client| client.organization).map(|id| id.to_string())),
        one("instance", parties.instance.map(|id| id.to_string())),
        one("organization", instance.map(|instance| instance.organization.to_string())),
    ];
    let behind = connections.iter().map(|id| ("connection", id.to_string()));
    let behind = behind.chain(servers.map(|id| ("server", id.to_string())));
    names.into_iter().flatten().chain(behind).collect()
}
