//! Which tools an upstream annotates as read-only: learned from every list that passes, asked for (`ask_tools`) when a decision hangs on it.
//!
//! A hint is the upstream's word and widens nothing beyond `mcp:read`. Unknown counts as "may write". What one upstream said is forgotten as
//! soon as the connection leads to another.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use domain::value::{ConnectionId, InstanceId};
use mcp::tools::ToolSummary;
use mcp::upstream::UpstreamUrl;
use tokio::sync::Notify;

use super::ask_tools::{Fetched, Place};
use super::route::Destination;
use super::single_flight::SingleFlight;

/// Tools that are remembered, of one instance and of all.
const TOOLS_MAX: usize = 10_000;
const TOOLS_OF_ALL_MAX: usize = 100_000;
/// A tool with a longer name is not remembered, and so never taken for read-only.
const TOOL_NAME_BYTES_MAX: usize = 512;
/// After this an upstream's word is asked for again: annotations change with deployments.
const WORD_HOLDS: Duration = Duration::from_mins(1);

/// What is known of the tools behind each instance.
#[derive(Debug, Clone, Default)]
pub struct ToolHints(Arc<Hints>);

#[derive(Debug, Default)]
struct Hints {
    known: RwLock<Known>,
    fetches: SingleFlight<Place, Fetched>,
    /// Rung for each page that was learned.
    news: Notify,
}

#[derive(Debug, Default)]
struct Known {
    places: HashMap<(InstanceId, ConnectionId), Heard>,
    /// Tools of all of them.
    tools: usize,
}

/// What one upstream said, at the address that it had.
#[derive(Debug)]
struct Heard {
    url: UpstreamUrl,
    read_only: HashMap<String, (bool, Instant)>,
}

impl Known {
    fn heard_from(&self, instance: InstanceId, upstream: &Destination) -> Option<&Heard> {
        self.places.get(&(instance, upstream.connection_id)).filter(|heard| heard.url == upstream.url)
    }

    /// Makes room for more tools: what is stale goes first, then the longest lists. That costs the next decisions about those a question
    /// each, and whoever has few tools nothing.
    fn make_room(&mut self) {
        if self.tools < TOOLS_OF_ALL_MAX {
            return;
        }
        for heard in self.places.values_mut() {
            heard.read_only.retain(|_, (_, when)| when.elapsed() < WORD_HOLDS);
        }
        self.places.retain(|_, heard| !heard.read_only.is_empty());
        self.tools = self.places.values().map(|heard| heard.read_only.len()).sum();
        let mut by_size: Vec<_> =
            self.places.iter().map(|(place, heard)| (heard.read_only.len(), *place)).collect();
        by_size.sort_unstable_by(|one, other| other.cmp(one));
        for (tools, place) in by_size {
            if self.tools <= TOOLS_OF_ALL_MAX / 4 * 3 {
                break;
            }
            self.places.remove(&place);
            self.tools -= tools;
        }
    }

    fn learn(&mut self, instance: InstanceId, upstream: &Destination, tool: &str, read_only: bool) {
        self.make_room();
        let nothing = || Heard { url: upstream.url.clone(), read_only: HashMap::new() };
        let heard = self.places.entry((instance, upstream.connection_id)).or_insert_with(nothing);
        if heard.url != upstream.url {
            self.tools -= heard.read_only.len();
            *heard = nothing();
        }
        if heard.read_only.len() >= TOOLS_MAX && !heard.read_only.contains_key(tool) {
            return;
        }
        if heard.read_only.insert(tool.to_owned(), (read_only, Instant::now())).is_none() {
            self.tools += 1;
        }
    }
}

impl ToolHints {
    /// The upstream's word on a tool, when it was heard.
    pub(super) fn is_read_only(
        &self,
        instance: InstanceId,
        upstream: &Destination,
        tool: &str,
    ) -> Option<bool> {
        let known = self.0.known.read().unwrap_or_else(PoisonError::into_inner);
        let (read_only, when) = known.heard_from(instance, upstream)?.read_only.get(tool)?;
        (when.elapsed() < WORD_HOLDS).then_some(*read_only)
    }

    /// Remembers the upstream's word.
    pub(super) fn learn(&self, instance: InstanceId, upstream: &Destination, tool: &ToolSummary<'_>) {
        let read_only = tool.read_only_hint.unwrap_or(false);
        let is_known = || self.is_read_only(instance, upstream, &tool.name) == Some(read_only);
        if tool.name.len() > TOOL_NAME_BYTES_MAX || is_known() {
            return;
        }
        let mut known = self.0.known.write().unwrap_or_else(PoisonError::into_inner);
        known.learn(instance, upstream, &tool.name, read_only);
    }

    /// Waits until something of a tool was heard.
    pub(super) async fn heard_of(&self, instance: InstanceId, upstream: &Destination, tool: &str) {
        loop {
            let mut news = std::pin::pin!(self.0.news.notified());
            news.as_mut().enable();
            if self.is_read_only(instance, upstream, tool).is_some() {
                return;
            }
            news.await;
        }
    }

    /// Tells whoever waits that more was heard.
    pub(super) fn tell(&self) {
        self.0.news.notify_waiters();
    }

    /// Lists under way to be learned from.
    pub(super) fn fetches(&self) -> &SingleFlight<Place, Fetched> {
        &self.0.fetches
    }
}

#[cfg(test)]
mod tests {
    use domain::value::{OrganizationId, ServerId};
    use projections::access::{Connection, Server};
    use uuid::Uuid;

    use super::*;

    fn destination() -> Destination {
        let (organization, address) = (OrganizationId::new(Uuid::nil()), "https://mcp.example.com/mcp");
        let connection = Connection {
            organization,
            server: ServerId::new(Uuid::nil()),
            secrets: None,
            authorization: None,
            removed: false,
        };
        let server = Server {
            organization: None,
            url: domain::value::UpstreamUrl::parse(address).unwrap(),
            generation: 0,
            credential_fields: vec![],
            oauth: None,
            retired: false,
        };
        Destination {
            connection_id: ConnectionId::new(Uuid::nil()),
            connection: Arc::new(connection),
            server: Arc::new(server),
            url: UpstreamUrl::parse(address).unwrap(),
        }
    }

    #[test]
    fn whoever_has_very_many_tools_makes_room_before_whoever_has_few() {
        let (mut known, upstream) = (Known::default(), destination());
        let few = InstanceId::new(Uuid::from_u128(u128::MAX));
        known.learn(few, &upstream, "look", true);
        let mut instance = 0;
        let mut learned = 1;
        while learned <= TOOLS_OF_ALL_MAX {
            for tool in 0..TOOLS_MAX {
                known.learn(InstanceId::new(Uuid::from_u128(instance)), &upstream, &tool.to_string(), true);
            }
            (instance, learned) = (instance + 1, learned + TOOLS_MAX);
        }
        assert!(known.tools <= TOOLS_OF_ALL_MAX);
        assert!(known.places.len() > 5, "most of what is known stays");
        assert!(known.places[&(few, upstream.connection_id)].read_only.contains_key("look"));
        assert_eq!(known.tools, known.places.values().map(|heard| heard.read_only.len()).sum::<usize>());
    }
}
