//! What members are told beside calls: that a session ends, that a call is not wanted any more, and that nobody here answers what they ask.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use http::{HeaderMap, Method};
use mcp::envelope::{Message, RequestId};
use mcp::error::{RpcError, code};
use mcp::revision::Era;
use mcp::spoken::Spoken;
use mcp::upstream::{Patience, UpstreamRequest};
use serde::Deserialize;
use serde::de::IgnoredAny;
use tokio::sync::mpsc;

use super::client::Client;
use super::talk::Talk;
use crate::gateway::Gateway;
use crate::gateway::breakers::Repeat;
use crate::gateway::call::McpCall;
use crate::gateway::route::{Destination, Member, Route};
use crate::gateway::shares::Share;

/// How long members may take to hear of it.
const TELL_WAIT: Duration = Duration::from_secs(5);
/// Questions of one member that wait for their refusal; of more, none is answered.
const QUESTIONS_MAX: usize = 8;

impl Gateway {
    /// Ends the sessions with members that a client's session holds. Whether they mind is their own business.
    pub(super) async fn end_sessions(
        &self,
        route: &Route,
        members: &[Member],
        call: &McpCall,
        client: &Client,
    ) {
        self.tell(Method::DELETE, route, members, (call, client)).await;
        for member in members {
            if let Some(destination) = &member.destination {
                Talk::new(self, (route, destination), call, client).forget();
            }
        }
    }

    /// Passes a cancellation on to the members of the handshake: they know the call by the id that its client gave it. What else clients notify of is
    /// of no use to members, to which the gateway is the client.
    pub(super) async fn pass_on(&self, route: &Route, members: &[Member], call: &McpCall, client: &Client) {
        if client.era == Era::Legacy && call.rpc_method() == Some("notifications/cancelled") {
            self.tell(Method::POST, route, members, (call, client)).await;
        }
    }

    /// Tells every member that has a session.
    async fn tell(
        &self,
        verb: Method,
        route: &Route,
        members: &[Member],
        (call, client): (&McpCall, &Client),
    ) {
        let there = members.iter().filter_map(|member| member.destination.as_ref());
        let told = join_all(there.map(async |destination| {
            let talk = Talk::new(self, (route, destination), call, client);
            let Some(spoken) = talk.session().filter(|spoken| spoken.session().is_some()) else { return };
            let headers = spoken.heads(HeaderMap::new(), None, None);
            let body = if verb == Method::POST { call.bytes() } else { Bytes::new() };
            if !matches!(talk.send_with(verb.clone(), headers, body, Repeat::Never).await, Ok(Ok(_))) {
                tracing::debug!(connection.id = %destination.connection_id, "a member was not told");
            }
        }));
        let _ = tokio::time::timeout(TELL_WAIT, told).await; // best effort
    }
}

/// Refuses what a member of the handshake asks of its client in the middle of a call, so that it does not wait for an answer.
pub(super) struct Refuser {
    of: Option<Of>,
    questions: Option<mpsc::Sender<Bytes>>,
}

/// Who asks, and how it is answered.
struct Of {
    gateway: Gateway,
    destination: Destination,
    spoken: Spoken,
    share: Share,
}

impl Refuser {
    pub(super) fn new(gateway: &Gateway, destination: &Destination, spoken: &Spoken, share: &Share) -> Self {
        let of = Of {
            gateway: gateway.clone(),
            destination: destination.clone(),
            spoken: spoken.clone(),
            share: share.clone(),
        };
        Self { of: Some(of), questions: None }
    }

    /// Answers a question of the member's, by and by.
    pub(super) fn refuse(&mut self, method: Option<&str>, id: &RequestId) {
        if let Some(of) = self.of.take() {
            let (sender, questions) = mpsc::channel(QUESTIONS_MAX);
            tokio::spawn(of.answer(questions)); // ends with the call
            self.questions = Some(sender);
        }
        let answer = if method == Some("ping") {
            mcp::members::reply(id, "{}")
        } else {
            let message = "this client cannot be asked anything through a gateway to several servers";
            RpcError::new(code::METHOD_NOT_FOUND, "client-not-asked", message).body(Some(id))
        };
        if let Some(questions) = &self.questions
            && questions.try_send(answer).is_err()
        {
            tracing::debug!("a member asks more than is answered");
        }
    }
}

impl Of {
    async fn answer(self, mut questions: mpsc::Receiver<Bytes>) {
        let Self { gateway, destination, spoken, share } = self;
        while let Some(body) = questions.recv().await {
            let mut headers = spoken.heads(HeaderMap::new(), None, None);
            let Ok(leave) = gateway.0.breakers.leave(&destination) else { continue };
            if gateway.0.credentials.add(&destination, &mut headers).await.is_err() {
                continue;
            }
            let (method, url) = (Method::POST, destination.url.clone());
            let (patience, reach) = (Patience::Call, destination.reach());
            let request = UpstreamRequest { method, url, headers, body, patience, reach };
            if let Err(error) = leave.send(&gateway.0.upstream, request, &share.large, Repeat::Never).await {
                tracing::debug!(%error, "a member was not answered");
            }
        }
    }
}

#[derive(Deserialize)]
struct Asked {
    params: Option<Params>,
}

#[derive(Deserialize)]
struct Params {
    #[serde(rename = "_meta")]
    meta: Option<Meta>,
}

#[derive(Deserialize)]
struct Meta {
    #[serde(rename = "io.modelcontextprotocol/logLevel")]
    log_level: Option<IgnoredAny>,
}

/// Whether a request of 2026-07-28 wants to hear what its server logs.
pub(super) fn logs_are_wanted(message: &Message) -> bool {
    let asked: Option<Asked> = serde_json::from_slice(message.bytes()).ok();
    let meta = asked.and_then(|asked| asked.params?.meta);
    meta.is_some_and(|meta| meta.log_level.is_some())
}
