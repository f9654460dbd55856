//! Asking an upstream for its tools when a decision hangs on what it says of one: one fetch at a time, however many calls wait for it.

use bytes::Bytes;
use domain::value::{ConnectionId, InstanceId};
use http::HeaderValue;
use http_body_util::{BodyExt as _, Limited};
use mcp::headers::{MCP_METHOD, MCP_NAME, MCP_PARAM_PREFIX, MCP_SESSION_ID};
use mcp::relay::{Exchange, LIST_BYTES_MAX, ToolsFilter};
use mcp::sse::Framer;
use mcp::tools::CacheScope;
use mcp::upstream::{Patience, UpstreamRequest, UpstreamUrl};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Gateway;
use super::authenticate::AuthenticatedCaller;
use super::call::McpCall;
use super::route::{Destination, Route};

/// Pages of a list that are asked for one decision.
const PAGES_MAX: usize = 16;

/// Whose tools: what is learned is kept by instance, and forgotten when that leads elsewhere.
pub(super) type Place = (InstanceId, ConnectionId, UpstreamUrl);

/// How far a fetch came.
#[derive(Debug, Clone)]
pub(super) enum Fetched {
    /// To the wanted tool; there may be more.
    Wanted,
    /// To the end of the list: what is not known by now is not there.
    All,
    /// The upstream did not say. Another session with it may fare better.
    Nothing { session: Option<HeaderValue> },
}

impl Gateway {
    /// Learns what the upstream says of a tool. Who comes while another call asks the same place takes what that one learns, and asks only
    /// where that says nothing of its own tool.
    pub(super) async fn learn_tools(
        &self,
        caller: &AuthenticatedCaller,
        route: &Route,
        call: &McpCall,
        tool: &str,
    ) {
        let Some(destination) = &route.upstream else { return };
        let place = (route.instance.id, destination.connection_id, destination.url.clone());
        let session = call.headers.get(MCP_SESSION_ID);
        let serves = |fetched: &Fetched| match fetched {
            Fetched::All => true,
            Fetched::Wanted => self.0.hints.is_read_only(route, tool).is_some(),
            Fetched::Nothing { session: of } => of.as_ref() == session,
        };
        let fetch = self.fetch_tools(caller, route, destination, call, tool);
        self.0.hints.fetches().ask(place, serves, fetch).await;
    }

    /// Asks page by page until the wanted tool is known, as the caller would: same revision, same session, same metadata.
    async fn fetch_tools(
        &self,
        caller: &AuthenticatedCaller,
        route: &Route,
        destination: &Destination,
        call: &McpCall,
        tool: &str,
    ) -> Fetched {
        let nothing = || Fetched::Nothing { session: call.headers.get(MCP_SESSION_ID).cloned() };
        if self.0.hints.is_read_only(route, tool).is_some() {
            return Fetched::Wanted; // somebody has learned it while we waited
        }
        let mut cursor = None;
        for _ in 0..PAGES_MAX {
            let Some(request) = self.list_request(caller, route, destination, call, cursor).await else {
                return nothing();
            };
            let Some(page) = self.learn_page(route, call, request).await else { return nothing() };
            if self.0.hints.is_read_only(route, tool).is_some() {
                return Fetched::Wanted;
            }
            let Some(next) = page.next_cursor else { return Fetched::All };
            cursor = Some(next);
        }
        Fetched::All // of what anybody asks for
    }

    /// Learns one page; nothing, when it is none.
    async fn learn_page(&self, route: &Route, call: &McpCall, request: UpstreamRequest) -> Option<Page> {
        let (hints, place) = (self.0.hints.clone(), route.clone());
        let listen = ToolsFilter::new(CacheScope::AsAnswered, move |tool| {
            hints.learn(&place, tool);
            true
        });
        let answer = self.0.upstream.send(request).await.ok()?;
        let exchange = Exchange::Request { id: call.id().cloned()?, list: Some(listen) };
        let response = mcp::relay::relay(answer, exchange).await.ok()?;
        let streamed = mcp::headers::is_event_stream(response.headers());
        let body = Limited::new(response.into_body(), LIST_BYTES_MAX).collect().await.ok()?.to_bytes();
        if streamed { page_in_events(body) } else { page(&body) }
    }

    async fn list_request(
        &self,
        caller: &AuthenticatedCaller,
        route: &Route,
        destination: &Destination,
        call: &McpCall,
        cursor: Option<String>,
    ) -> Option<UpstreamRequest> {
        let body = list_body(call, cursor)?;
        let mut headers = self.upstream_headers(caller, route, destination, call).await.ok()?;
        let of_the_call =
            |name: &http::HeaderName| *name == MCP_NAME || name.as_str().starts_with(MCP_PARAM_PREFIX);
        let mirrored: Vec<_> = headers.keys().filter(|name| of_the_call(name)).cloned().collect();
        for name in mirrored {
            headers.remove(name);
        }
        if headers.contains_key(MCP_METHOD) {
            headers.insert(MCP_METHOD, HeaderValue::from_static("tools/list"));
        }
        let (method, url) = (call.method.clone(), destination.url.clone());
        Some(UpstreamRequest { method, url, headers, body, patience: Patience::Call })
    }
}

/// A `tools/list` with the id and the `_meta` of the call.
fn list_body(call: &McpCall, cursor: Option<String>) -> Option<Bytes> {
    let asked: Value = serde_json::from_slice(&call.bytes()).ok()?;
    let mut params = Map::new();
    params.extend(asked.pointer("/params/_meta").map(|meta| ("_meta".to_owned(), meta.clone())));
    params.extend(cursor.map(|cursor| ("cursor".to_owned(), Value::from(cursor))));
    let list = json!({ "jsonrpc": "2.0", "id": asked.get("id")?, "method": "tools/list", "params": params });
    serde_json::to_vec(&list).ok().map(Bytes::from)
}

/// An answer with a page of the list. What else is in it is skipped, not built: a list may be large, and many small things in it more so.
#[derive(Deserialize)]
struct Answer {
    result: Page,
}

#[derive(Deserialize)]
struct Page {
    /// Where the next one starts.
    #[serde(rename = "nextCursor", default)]
    next_cursor: Option<String>,
}

fn page(answer: &[u8]) -> Option<Page> {
    serde_json::from_slice(answer).ok().map(|Answer { result }| result)
}

fn page_in_events(stream: Bytes) -> Option<Page> {
    let mut framer = Framer::new(LIST_BYTES_MAX);
    framer.push(stream);
    std::iter::from_fn(|| framer.next_event().ok().flatten())
        .filter_map(|event| event.data())
        .find_map(|data| page(&data))
}
