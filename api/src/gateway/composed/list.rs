//! `tools/list` and `prompts/list` of several members: all are asked at once, and each has its own time. The order is that of the instance, then that of each member.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use http::StatusCode;
use mcp::envelope::RequestId;
use mcp::error::code;
use mcp::members::{AnswerText, Listed, MergedList};
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
    /// The prompts of all members, or those of their tools that this caller may call. Who does not answer is named in `_meta`, and costs the others nothing but its time.
    pub(super) async fn list_of(
        &self,
        listed: Listed,
        (permitted, members): (&Permitted, &[Member]),
        call: &McpCall,
        client: &Client,
        id: &RequestId,
    ) -> Result<Bytes, Refusal> {
        let Permitted { caller, route, .. } = permitted;
        let cursors = self.cursors(caller, route, call)?;
        let asked = members.iter().filter_map(|member| Some((member, asked_of(cursors.as_ref(), member)?)));
        let pages = join_all(asked.map(async |(member, params)| {
            (member, self.page_of(listed, (route, member), (call, client), params).await)
        }));
        let mut merging = Merging { permitted, merged: MergedList::new(listed), more: Cursors::new() };
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
        if let Some(first) = merged.withheld().first() {
            tracing::warn!(instance.id = %route.instance.id, member = first.member, name = first.name, why = %first.why, count = merged.withheld_count(), "tools or prompts are not exposed");
        }
        let next = self.seal_cursors(caller, route, call, &more);
        Ok(held.until_gone(merged.answer(id, client.era, next, &missing)))
    }

    async fn page_of(
        &self,
        listed: Listed,
        (route, member): (&Route, &Member),
        (call, client): (&McpCall, &Client),
        params: Map<String, Value>,
    ) -> Result<Bytes, Refusal> {
        let destination = member.destination.as_ref().ok_or_else(Refusal::no_upstream)?;
        let talk = Talk::new(self, (route, destination), call, client);
        let asked = talk.ask(listed.method(), params);
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
    merged: MergedList,
    more: Cursors,
}

impl Merging<'_> {
    fn add(&mut self, member: &Member, page: &Bytes) -> Result<(), Refusal> {
        let destination = member.destination.as_ref().ok_or_else(Refusal::no_upstream)?;
        // Whoever may see the list may have any of the prompts on it.
        let shown = self.permitted.shown.as_ref();
        let keep = |name: &str, tool: &ToolSummary<'_>| {
            shown.is_none_or(|shown| shown.shows(destination, name, tool))
        };
        match self.merged.add(member.name.as_str(), page, keep) {
            Ok(next) => {
                let next = next.and_then(|cursor| Some((member.connection_id, (origin(member)?, cursor))));
                self.more.extend(next);
                Ok(())
            }
            Err(ToolsError::ErrorAnswer) if has_none(page) => Ok(()),
            Err(ToolsError::ErrorAnswer) => Err(Refusal::upstream_refused(StatusCode::BAD_GATEWAY)),
            Err(ToolsError::NoList | ToolsError::NotJson | ToolsError::Shape | ToolsError::Duplicate(_)) => {
                Err(Refusal::upstream(BadAnswer::NotJsonRpc.into()))
            }
        }
    }
}

/// A server without tools, or without prompts, need not know what a list of them is.
fn has_none(page: &[u8]) -> bool {
    AnswerText::of(page).and_then(AnswerText::code) == Some(code::METHOD_NOT_FOUND)
}
