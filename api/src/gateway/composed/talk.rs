//! One conversation with one member on behalf of one client: in its era, with its session, through the breaker, the guard on addresses and the
//! credentials that every call takes.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use mcp::client::RefusedAnswer;
use mcp::members::{AnswerText, request};
use mcp::revision::Era;
use mcp::spoken::{Spoken, agreed, opening, supports_modern};
use mcp::upstream::{
    BadAnswer, Patience, TimeLimit, UpstreamBody, UpstreamError, UpstreamRequest, UpstreamResponse,
};
use serde_json::{Map, Value, json};

use super::NAME;
use super::client::Client;
use super::links::Place;
use crate::gateway::Gateway;
use crate::gateway::breakers::Repeat;
use crate::gateway::call::McpCall;
use crate::gateway::refusal::Refusal;
use crate::gateway::route::{Destination, Route};
use crate::gateway::whole::whole_answer;
use crate::trace_context::TraceContext;

/// How long a member may take to say how it speaks, and to shake hands.
const OPEN_WAIT: Duration = Duration::from_secs(10);

/// A conversation.
pub(super) struct Talk<'a> {
    pub(super) gateway: &'a Gateway,
    pub(super) destination: &'a Destination,
    call: &'a McpCall,
    client: &'a Client,
    place: Place,
}

impl<'a> Talk<'a> {
    pub(super) fn new(
        gateway: &'a Gateway,
        (route, destination): (&Route, &'a Destination),
        call: &'a McpCall,
        client: &'a Client,
    ) -> Self {
        let place = Place {
            holder: client.holder,
            instance: route.instance.id,
            connection: destination.connection_id,
            generation: destination.server.generation,
        };
        Self { gateway, destination, call, client, place }
    }

    /// How it is spoken to, which is found out and agreed on where that is not known.
    pub(super) async fn open(&self) -> Result<Spoken, Refusal> {
        let opened = tokio::time::timeout(OPEN_WAIT, self.open_now()).await;
        opened.unwrap_or_else(|_| Err(Refusal::upstream(UpstreamError::Timeout(TimeLimit::FirstByte))))
    }

    async fn open_now(&self) -> Result<Spoken, Refusal> {
        let links = &self.gateway.0.links;
        let era = links.era(self.destination);
        if era == Some(Era::Modern) {
            return Ok(Spoken::Modern);
        }
        let slot = links.slot(&self.place);
        let mut session = slot.lock().await;
        if let Some(spoken) = session.as_ref() {
            return Ok(spoken.clone());
        }
        let spoken = match self.client.held_with(self.destination) {
            Some(held) => held,
            None => self.agree().await?,
        };
        keep(&mut session, &spoken);
        Ok(spoken)
    }

    /// Finds out how it is spoken to, and shakes hands where that is due. What comes of it is nobody's yet.
    pub(super) async fn agree(&self) -> Result<Spoken, Refusal> {
        let era = match self.gateway.0.links.era(self.destination) {
            Some(era) => era,
            None => self.find_out().await?,
        };
        match era {
            Era::Legacy => self.shake_hands().await,
            Era::Modern => {
                self.gateway.0.links.speaks(self.destination, Era::Modern);
                Ok(Spoken::Modern)
            }
        }
    }

    async fn find_out(&self) -> Result<Era, Refusal> {
        let method = "server/discover";
        let body = request(&Spoken::Modern, NAME, &self.gateway.0.links.next_id(), method, Map::new());
        let answer = match self.try_send(&Spoken::Modern, Some(method), body, Repeat::Once).await? {
            Ok(answer) => answer,
            Err(UpstreamError::BadAnswer(_)) => return Ok(Era::Legacy),
            Err(error) => return Err(Refusal::upstream(error)),
        };
        let status = answer.status;
        let whole = match whole_answer(answer, &self.call.share.large).await {
            Ok(whole) => whole,
            Err(refusal) if refusal.is_unreadable() => Bytes::new(),
            Err(refusal) => return Err(refusal),
        };
        match AnswerText::of(&whole) {
            Some(AnswerText::Result(result)) if status.is_success() => {
                let result: Map<String, Value> = serde_json::from_str(result).unwrap_or_default();
                Ok(if supports_modern(&result) { Era::Modern } else { Era::Legacy })
            }
            said => {
                let error = match said {
                    Some(AnswerText::Error(error)) => serde_json::from_str(error).ok(),
                    Some(AnswerText::Result(_)) | None => None::<Value>,
                };
                let refused = RefusedAnswer::new(status, &HeaderMap::new(), error.as_ref());
                if refused.is_final() { Err(Refusal::upstream_refused(status)) } else { Ok(Era::Legacy) }
            }
        }
    }

    async fn shake_hands(&self) -> Result<Spoken, Refusal> {
        let links = &self.gateway.0.links;
        let method = "initialize";
        let body = request(&Spoken::Opening, NAME, &links.next_id(), method, opening(NAME));
        let answer = self.send(&Spoken::Opening, Some(method), body, Repeat::Never).await?;
        let (status, session) = (answer.status, answer.session_id().cloned());
        let whole = whole_answer(answer, &self.call.share.large).await;
        let whole = whole.inspect_err(|_| links.doubt_era(self.destination))?;
        let result = match AnswerText::of(&whole) {
            Some(AnswerText::Result(result)) if status.is_success() => serde_json::from_str(result),
            Some(_) | None => Ok(Map::new()),
        };
        let Some(revision) = agreed(&result.unwrap_or_default()) else {
            links.doubt_era(self.destination);
            return Err(Refusal::upstream(BadAnswer::NotJsonRpc.into()));
        };
        let spoken = Spoken::Legacy { revision, session };
        let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        self.send(&spoken, None, Bytes::from(ready.to_string()), Repeat::Never).await?;
        links.speaks(self.destination, Era::Legacy);
        Ok(spoken)
    }

    /// Asks on our own account, and reads the answer to its end. A session that is gone is opened anew.
    pub(super) async fn ask(&self, method: &str, params: Map<String, Value>) -> Result<Bytes, Refusal> {
        let mut spoken = self.open().await?;
        let mut is_new = false;
        loop {
            let id = self.gateway.0.links.next_id();
            let body = request(&spoken, NAME, &id, method, params.clone());
            let answer = self.send(&spoken, Some(method), body, Repeat::Once).await?;
            if self.is_gone(&spoken, &answer) && !is_new {
                (spoken, is_new) = (self.open_anew(&spoken).await?, true);
                continue;
            }
            return whole_answer(answer, &self.call.share.large).await;
        }
    }

    /// Whether a session is over, or a server does not speak any more as it did.
    pub(super) fn is_gone(&self, spoken: &Spoken, answer: &UpstreamResponse) -> bool {
        let status = answer.status;
        let speechless = matches!(answer.body, UpstreamBody::Empty) && status.is_client_error();
        // Servers of the handshake answer 400 to whoever has no session, some of them in JSON.
        if *spoken == Spoken::Modern && (speechless || status == StatusCode::BAD_REQUEST) {
            self.gateway.0.links.doubt_era(self.destination);
        }
        spoken.session().is_some() && status == StatusCode::NOT_FOUND
    }

    /// Another session in place of one that is over, unless somebody else has opened it.
    pub(super) async fn open_anew(&self, gone: &Spoken) -> Result<Spoken, Refusal> {
        let slot = self.gateway.0.links.slot(&self.place);
        let mut session = slot.lock().await;
        if let Some(spoken) = session.as_ref().filter(|spoken| *spoken != gone) {
            return Ok(spoken.clone());
        }
        *session = None;
        let opened = tokio::time::timeout(OPEN_WAIT, self.agree()).await;
        let opened = opened
            .unwrap_or_else(|_| Err(Refusal::upstream(UpstreamError::Timeout(TimeLimit::FirstByte))))?;
        keep(&mut session, &opened);
        Ok(opened)
    }

    /// The session that there is, without opening one.
    pub(super) fn session(&self) -> Option<Spoken> {
        let kept = self.gateway.0.links.look(&self.place);
        kept.or_else(|| self.client.held_with(self.destination))
    }

    /// Forgets the session.
    pub(super) fn forget(&self) {
        self.gateway.0.links.take(&self.place);
    }

    async fn send(
        &self,
        spoken: &Spoken,
        method: Option<&str>,
        body: Bytes,
        repeat: Repeat,
    ) -> Result<UpstreamResponse, Refusal> {
        self.try_send(spoken, method, body, repeat).await?.map_err(Refusal::upstream)
    }

    async fn try_send(
        &self,
        spoken: &Spoken,
        method: Option<&str>,
        body: Bytes,
        repeat: Repeat,
    ) -> Result<Result<UpstreamResponse, UpstreamError>, Refusal> {
        let headers = spoken.heads(HeaderMap::with_capacity(16), method, None);
        self.send_with(Method::POST, headers, body, repeat).await
    }

    /// Sends with these headers, the trace, and the server's own credentials.
    pub(super) async fn send_with(
        &self,
        verb: Method,
        mut headers: HeaderMap,
        body: Bytes,
        repeat: Repeat,
    ) -> Result<Result<UpstreamResponse, UpstreamError>, Refusal> {
        let Self { gateway, destination, call, .. } = self;
        let leave = gateway.0.breakers.leave(destination)?;
        TraceContext::current(&call.headers).child().write(&mut headers);
        gateway.0.credentials.add(destination, &mut headers).await?;
        let request = UpstreamRequest {
            method: verb,
            url: destination.url.clone(),
            headers,
            body,
            patience: Patience::Call,
            reach: destination.reach(),
        };
        let started = std::time::Instant::now();
        let answer = gateway.try_ask(leave, destination, request, (&call.share.large, repeat)).await?;
        if answer.is_ok() {
            gateway.0.metrics.upstream_answered(started.elapsed());
        }
        Ok(answer)
    }
}

/// Keeps a session. A server whose requests stand alone has none.
fn keep(slot: &mut Option<Spoken>, spoken: &Spoken) {
    *slot = Some(spoken.clone()).filter(|spoken| *spoken != Spoken::Modern);
}
