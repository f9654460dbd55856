//! What the gateway says of itself, and how a client of the handshake is greeted: by shaking hands with its members meanwhile.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use http::HeaderValue;
use mcp::envelope::RequestId;
use mcp::members::reply;
use mcp::revision::{Era, Revision};
use mcp::spoken::info;
use serde::Deserialize;
use serde_json::json;

use super::NAME;
use super::client::{Client, HeldSession};
use super::talk::Talk;
use crate::gateway::Gateway;
use crate::gateway::authorize::Permitted;
use crate::gateway::call::{CARRIED, McpCall};
use crate::gateway::route::Member;

/// How long a client waits for sessions with its members. Those that take longer are shaken hands with when they are asked.
const GREETING_WAIT: Duration = Duration::from_secs(3);

const META_SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";

/// The answer to `server/discover`: what is behind the instance changes none of it.
pub(super) fn discovered(id: &RequestId) -> Bytes {
    let modern = CARRIED.into_iter().filter(|revision| revision.era() == Era::Modern);
    let supported: Vec<&str> = modern.map(Revision::as_str).collect();
    let result = json!({
        "resultType": "complete",
        "supportedVersions": supported,
        "capabilities": { "tools": {}, "prompts": {} },
        "ttlMs": 0,
        "cacheScope": "private",
        "_meta": { META_SERVER_INFO: info(NAME) },
    });
    reply(id, &result.to_string())
}

#[derive(Deserialize)]
struct Asked {
    params: Option<Params>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Params {
    protocol_version: Option<String>,
}

/// The revision that a client gets: the one that it asks for, or the newest that is agreed on by a handshake (2025-11-25, lifecycle).
fn agreed_with(call: &McpCall) -> Revision {
    let asked: Option<Asked> = serde_json::from_slice(&call.bytes()).ok();
    let wanted = asked.and_then(|asked| asked.params?.protocol_version);
    let spoken = |revision: &Revision| CARRIED.contains(revision) && revision.era() == Era::Legacy;
    wanted.and_then(|text| Revision::parse(&text)).filter(spoken).unwrap_or(Revision::V2025_11_25)
}

impl Gateway {
    /// The answer to `initialize`, and the id of the session.
    pub(super) async fn greet(
        &self,
        permitted: &Permitted,
        members: &[Member],
        call: &McpCall,
        client: &Client,
        id: &RequestId,
    ) -> (Bytes, Option<HeaderValue>) {
        let there = members.iter().filter_map(|member| member.destination.as_ref());
        let opened = join_all(there.map(async |destination| {
            let talk = Talk::new(self, (&permitted.route, destination), call, client);
            let opened = tokio::time::timeout(GREETING_WAIT, talk.agree()).await.ok()?.ok()?;
            HeldSession::of(destination, &opened)
        }));
        let held = opened.await.into_iter().flatten().collect();
        let session = self.seal_client_session(&permitted.caller, &permitted.route, held);
        let result = json!({
            "protocolVersion": agreed_with(call).as_str(),
            "capabilities": { "tools": {}, "prompts": {} },
            "serverInfo": info(NAME),
        });
        (reply(id, &result.to_string()), session)
    }
}
