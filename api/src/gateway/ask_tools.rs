//! Asking an upstream for its tools when a decision hangs on what it says of one: one fetch at a time, however many calls wait for it.

use std::sync::Arc;

use bytes::Bytes;
use domain::value::{ConnectionId, InstanceId};
use http::{HeaderValue, StatusCode};
use mcp::headers::{MCP_METHOD, MCP_NAME, MCP_PARAM_PREFIX, MCP_PROTOCOL_VERSION, MCP_SESSION_ID};
use mcp::tools::{CacheScope, ToolsError, filter_tools};
use mcp::upstream::{BadAnswer, Patience, UpstreamRequest, UpstreamUrl};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Gateway;
use super::authenticate::AuthenticatedCaller;
use super::breakers::{Leave, Repeat};
use super::call::McpCall;
use super::refusal::Refusal;
use super::route::{Behind, Destination, Route};
use super::whole::whole_answer;

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
    /// The upstream did not say. Another conversation with it may fare better.
    Nothing(Arc<NotSaid>),
}

/// A list that could not be had.
#[derive(Debug)]
pub(super) struct NotSaid {
    conversation: Conversation,
    /// What went wrong; nothing, when the upstream just has no list.
    why: Option<Refusal>,
}

/// What an upstream's answer may hang on beside the question: the revision, and the session, which belongs to one principal.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Conversation {
    revision: Option<HeaderValue>,
    session: Option<(String, HeaderValue)>,
}

impl Conversation {
    fn of(caller: &AuthenticatedCaller, call: &McpCall) -> Self {
        let session = call.headers.get(MCP_SESSION_ID).map(|session| (caller.principal(), session.clone()));
        Self { revision: call.headers.get(MCP_PROTOCOL_VERSION).cloned(), session }
    }
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
    ) -> Result<(), Refusal> {
        let Some((destination, tool)) = route.of_tool(tool) else { return Err(Refusal::no_upstream()) };
        let instance = route.instance.id;
        let place = (instance, destination.connection_id, destination.url.clone());
        let ours = Conversation::of(caller, call);
        let serves = |fetched: &Fetched| match fetched {
            Fetched::All => true,
            Fetched::Wanted => self.0.hints.is_read_only(instance, destination, tool).is_some(),
            Fetched::Nothing(not_said) => not_said.conversation == ours,
        };
        let fetch = async {
            match self.fetch_tools(caller, route, destination, call, tool).await {
                Ok(fetched) => fetched,
                Err(why) => Fetched::Nothing(Arc::new(NotSaid { conversation: ours.clone(), why })),
            }
        };
        tokio::select! {
            biased;
            fetched = self.0.hints.fetches().ask(place, serves, fetch) => match fetched {
                Fetched::Nothing(not_said) => not_said.why.clone().map_or(Ok(()), Err),
                Fetched::Wanted | Fetched::All => Ok(()),
            },
            // Whoever asks for another tool may come past ours long before it is done.
            () = self.0.hints.heard_of(instance, destination, tool) => Ok(()),
        }
    }

    /// Asks page by page until the wanted tool is known, as the caller would: same revision, same session, same metadata.
    async fn fetch_tools(
        &self,
        caller: &AuthenticatedCaller,
        route: &Route,
        destination: &Destination,
        call: &McpCall,
        tool: &str,
    ) -> Result<Fetched, Option<Refusal>> {
        let is_known = || self.0.hints.is_read_only(route.instance.id, destination, tool).is_some();
        if is_known() {
            return Ok(Fetched::Wanted); // somebody has learned it while we waited
        }
        let mut cursor = None;
        for _ in 0..PAGES_MAX {
            let answer = match route.behind {
                Behind::One(_) => {
                    let body = list_body(call, cursor).ok_or(None)?;
                    let leave = self.0.breakers.leave(destination)?;
                    let request = self.list_request(caller, route, destination, call, body).await?;
                    self.page(call, (leave, destination, request)).await?
                }
                Behind::Several(_) => self.page_of_member(caller, route, destination, call, cursor).await?,
            };
            let page = self.learn(route.instance.id, destination, &answer)?.ok_or(None)?;
            self.0.hints.tell();
            if is_known() {
                return Ok(Fetched::Wanted);
            }
            let Some(next) = page.next_cursor else { return Ok(Fetched::All) };
            cursor = Some(next);
        }
        Ok(Fetched::All) // of what anybody asks for
    }

    /// The answer that is to hold one page.
    async fn page(
        &self,
        call: &McpCall,
        (leave, destination, request): (Leave<'_>, &Destination, UpstreamRequest),
    ) -> Result<Bytes, Refusal> {
        let memory = &call.share.large;
        let answer = self.ask(leave, destination, request, (memory, Repeat::Once)).await?;
        if answer.status == StatusCode::NOT_FOUND && call.headers.contains_key(MCP_SESSION_ID) {
            return Err(Refusal::upstream_refused(answer.status)); // the session is over, which its client must hear
        }
        whole_answer(answer, memory).await
    }

    /// Learns one page; nothing, when the answer is an error of the protocol's own.
    fn learn(
        &self,
        instance: InstanceId,
        upstream: &Destination,
        answer: &Bytes,
    ) -> Result<Option<Page>, Refusal> {
        let learned = filter_tools(answer, CacheScope::AsAnswered, |tool| {
            self.0.hints.learn(instance, upstream, tool);
            true
        });
        match learned {
            Ok(_) => Ok(page(answer)),
            Err(ToolsError::ErrorAnswer | ToolsError::NoList) => Ok(None),
            Err(ToolsError::NotJson | ToolsError::Shape | ToolsError::Duplicate(_)) => {
                Err(Refusal::upstream(BadAnswer::NotJsonRpc.into()))
            }
        }
    }

    async fn list_request(
        &self,
        caller: &AuthenticatedCaller,
        route: &Route,
        destination: &Destination,
        call: &McpCall,
        body: Bytes,
    ) -> Result<UpstreamRequest, Refusal> {
        let mut headers = self.upstream_headers(caller, route, destination, call).await?;
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
        let reach = destination.reach();
        Ok(UpstreamRequest { method, url, headers, body, patience: Patience::Call, reach })
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
