//! `tools/list` of several members: all are asked at once, and each has its own time. The order is that of the instance, then that of each member.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use http::StatusCode;
use mcp::envelope::RequestId;
use mcp::error::code;
use mcp::members::{AnswerText, MergedTools};
use mcp::tools::{ToolSummary, ToolsError};
use mcp::upstream::{BadAnswer, TimeLimit, UpstreamError};
use serde_json::{Map, Value};

use super::client::Client;
use super::cursor::{Cursors, origin};
use super::talk::Talk;
use crate::gateway::Gateway;
use crate::gateway::authenticate::AuthenticatedCaller;
use crate::gateway::authorize::Permitted;
use crate::gateway::call::McpCall;
use crate::gateway::refusal::Refusal;
use crate::gateway::route::{Destination, Member, Route};

/// How long one member may take for its page.
const PAGE_WAIT: Duration = Duration::from_secs(10);

impl Gateway {
    /// The tools of all members that this caller may call. Who does not answer is named in `_meta`, and costs the others nothing but its time.
    pub(super) async fn list_tools(
        &self,
        permitted: &Permitted,
        members: &[Member],
        call: &McpCall,
        client: &Client,
        id: &RequestId,
    ) -> Result<Bytes, Refusal> {
        let Permitted { caller, route, .. } = permitted;
        let cursors = self.cursors(caller, route, call)?;
        let asked = members.iter().filter_map(|member| Some((member, asked_of(cursors.as_ref(), member)?)));
        let pages = join_all(asked.map(async |(member, params)| {
            (member, self.page_of(route, member, (call, client), params).await)
        }));
        let mut merging = Merging { permitted, merged: MergedTools::default(), more: Cursors::new() };
        let mut missing = Vec::new();
        let mut held = call.share.large.hold();
        for (member, page) in pages.await {
            let added = page.and_then(|page| merging.add(member, &page));
            if let Err(refusal) = added {
                missing.push((member.name.as_str().to_owned(), refusal.reason()));
            }
            held.resize(merging.merged.bytes()).map_err(Refusal::no_room)?;
        }
        let Merging { merged, more, .. } = merging;
        for withheld in merged.withheld() {
            tracing::warn!(instance.id = %route.instance.id, member = withheld.member, tool.name = withheld.tool, why = %withheld.why, "a tool is not exposed");
        }
        let next = self.seal_cursors(caller, route, call, &more);
        Ok(held.until_gone(merged.answer(id, client.era, next, &missing)))
    }

    async fn page_of(
        &self,
        route: &Route,
        member: &Member,
        (call, client): (&McpCall, &Client),
        params: Map<String, Value>,
    ) -> Result<Bytes, Refusal> {
        let destination = member.destination.as_ref().ok_or_else(Refusal::no_upstream)?;
        let talk = Talk::new(self, (route, destination), call, client);
        let asked = talk.ask("tools/list", params);
        let asked = tokio::time::timeout(PAGE_WAIT, asked).await;
        asked.unwrap_or_else(|_| {
            self.0.breakers.given_up(destination);
            Err(Refusal::upstream(UpstreamError::Timeout(TimeLimit::FirstByte)))
        })
    }

    /// One page of one member, on behalf of a caller about whom a decision hangs on it.
    pub(in crate::gateway) async fn page_of_member(
        &self,
        caller: &AuthenticatedCaller,
        route: &Route,
        destination: &Destination,
        call: &McpCall,
        cursor: Option<String>,
    ) -> Result<Bytes, Refusal> {
        let client = self.client(caller, route, call)?;
        let talk = Talk::new(self, (route, destination), call, &client);
        talk.ask("tools/list", from(cursor)).await
    }
}

/// With what a member is asked, if it is: at the beginning all are, later those that have more.
fn asked_of(cursors: Option<&Cursors>, member: &Member) -> Option<Map<String, Value>> {
    let Some(cursors) = cursors else { return Some(Map::new()) };
    let (of, cursor) = cursors.get(&member.connection_id)?;
    (origin(member).as_ref() == Some(of)).then(|| from(Some(cursor.clone())))
}

fn from(cursor: Option<String>) -> Map<String, Value> {
    cursor.map(|cursor| ("cursor".to_owned(), cursor.into())).into_iter().collect()
}

struct Merging<'a> {
    permitted: &'a Permitted,
    merged: MergedTools,
    more: Cursors,
}

impl Merging<'_> {
    fn add(&mut self, member: &Member, page: &Bytes) -> Result<(), Refusal> {
        let (Some(shown), Some(destination)) = (&self.permitted.shown, &member.destination) else {
            return Err(Refusal::no_upstream());
        };
        let keep = |name: &str, tool: &ToolSummary<'_>| shown.shows(destination, name, tool);
        match self.merged.add(member.name.as_str(), page, keep) {
            Ok(next) => {
                let next = next.and_then(|cursor| Some((member.connection_id, (origin(member)?, cursor))));
                self.more.extend(next);
                Ok(())
            }
            Err(ToolsError::ErrorAnswer) if has_no_tools(page) => Ok(()),
            Err(ToolsError::ErrorAnswer) => Err(Refusal::upstream_refused(StatusCode::BAD_GATEWAY)),
            Err(ToolsError::NoList | ToolsError::NotJson | ToolsError::Shape | ToolsError::Duplicate(_)) => {
                Err(Refusal::upstream(BadAnswer::NotJsonRpc.into()))
            }
        }
    }
}

/// A server without tools need not know what a list of them is.
fn has_no_tools(page: &[u8]) -> bool {
    AnswerText::of(page).and_then(AnswerText::code) == Some(code::METHOD_NOT_FOUND)
}
