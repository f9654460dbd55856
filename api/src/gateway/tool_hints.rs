//! Which tools an upstream annotates as read-only: learned from every list that passes, asked for (`ask_tools`) when a decision hangs on it.
//!
//! A hint is the upstream's word and widens nothing beyond `mcp:read`. Unknown counts as "may write". What one upstream said is forgotten as
//! soon as the instance leads to another.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use domain::value::{ConnectionId, InstanceId};
use mcp::tools::ToolSummary;
use mcp::upstream::UpstreamUrl;
use tokio::sync::Notify;

use super::ask_tools::{Fetched, Place};
use super::route::{Destination, Route};
use super::single_flight::SingleFlight;

/// Tools that are remembered, of one instance and of all.
const TOOLS_MAX: usize = 10_000;
const TOOLS_OF_ALL_MAX: usize = 100_000;
/// A tool with a longer name is not remembered, and so never taken for read-only.
const TOOL_NAME_BYTES_MAX: usize = 512;
/// After this an upstream's word is asked for again: annotations change with deployments.
const WORD_HOLDS: Duration = Duration::from_mins(1);

/// What is known of each instance's tools.
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
    instances: HashMap<InstanceId, Heard>,
    /// Tools of all of them.
    tools: usize,
}

/// What one upstream said.
#[derive(Debug)]
struct Heard {
    connection: ConnectionId,
    url: UpstreamUrl,
    read_only: HashMap<String, (bool, Instant)>,
}

impl Heard {
    fn is_from(&self, upstream: &Destination) -> bool {
        self.connection == upstream.connection_id && self.url == upstream.url
    }
}

impl Known {
    fn heard_from(&self, route: &Route) -> Option<&Heard> {
        let upstream = route.upstream.as_ref()?;
        self.instances.get(&route.instance.id).filter(|heard| heard.is_from(upstream))
    }

    /// Makes room for more tools: what is stale goes first, then the longest lists. That costs the next decisions about those a question
    /// each, and whoever has few tools nothing.
    fn make_room(&mut self) {
        if self.tools < TOOLS_OF_ALL_MAX {
            return;
        }
        for heard in self.instances.values_mut() {
            heard.read_only.retain(|_, (_, when)| when.elapsed() < WORD_HOLDS);
        }
        self.instances.retain(|_, heard| !heard.read_only.is_empty());
        self.tools = self.instances.values().map(|heard| heard.read_only.len()).sum();
        let mut by_size: Vec<(usize, InstanceId)> =
            self.instances.iter().map(|(instance, heard)| (heard.read_only.len(), *instance)).collect();
        by_size.sort_unstable_by(|one, other| other.cmp(one));
        for (tools, instance) in by_size {
            if self.tools <= TOOLS_OF_ALL_MAX / 4 * 3 {
                break;
            }
            self.instances.remove(&instance);
            self.tools -= tools;
        }
    }

    fn learn(&mut self, instance: InstanceId, upstream: &Destination, tool: &str, read_only: bool) {
        self.make_room();
        let nothing = || Heard {
            connection: upstream.connection_id,
            url: upstream.url.clone(),
            read_only: HashMap::new(),
        };
        let heard = self.instances.entry(instance).or_insert_with(nothing);
        if !heard.is_from(upstream) {
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
    pub(super) fn is_read_only(&self, route: &Route, tool: &str) -> Option<bool> {
        let known = self.0.known.read().unwrap_or_else(PoisonError::into_inner);
        let (read_only, when) = known.heard_from(route)?.read_only.get(tool)?;
        (when.elapsed() < WORD_HOLDS).then_some(*read_only)
    }

    /// Remembers the upstream's word.
    pub(super) fn learn(&self, route: &Route, tool: &ToolSummary<'_>) {
        let read_only = tool.read_only_hint.unwrap_or(false);
        let Some(upstream) = &route.upstream else { return };
        if tool.name.len() > TOOL_NAME_BYTES_MAX || self.is_read_only(route, &tool.name) == Some(read_only) {
            return;
        }
        let mut known = self.0.known.write().unwrap_or_else(PoisonError::into_inner);
        known.learn(route.instance.id, upstream, &tool.name, read_only);
    }

    /// Waits until something of a tool was heard.
    pub(super) async fn heard_of(&self, route: &Route, tool: &str) {
        loop {
            let mut news = std::pin::pin!(self.0.news.notified());
            news.as_mut().enable();
            if self.is_read_only(route, tool).is_some() {
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
        let connection =
            Connection { organization, server: ServerId::new(Uuid::nil()), secrets: None, removed: false };
        let server = Server {
            organization: None,
            url: domain::value::UpstreamUrl::parse(address).unwrap(),
            generation: 0,
            credential_fields: vec![],
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
        assert!(known.instances.len() > 5, "most of what is known stays");
        assert!(known.instances[&few].read_only.contains_key("look"));
        assert_eq!(known.tools, known.instances.values().map(|heard| heard.read_only.len()).sum::<usize>());
    }
}
