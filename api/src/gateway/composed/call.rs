//! `tools/call` and `prompts/get`: to the member that the name begins with, under its own name for it, and back in the words of the client's era.
//!
//! A call of a tool is sent once. It is sent again where the member says that it did nothing: its session is over, or a header that repeats an argument is
//! missing, which a client of the handshake knows nothing of (2026-07-28, tools, `x-mcp-header`).

use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use mcp::envelope::{Message, MessageKind, RequestId};
use mcp::error::code;
use mcp::forward_headers;
use mcp::headers::{MCP_PARAM_PREFIX, MCP_PROTOCOL_VERSION, MCP_SESSION_ID, RepeatedArguments};
use mcp::members::{AnswerText, Hop, answer_for, call as call_of, exposed};
use mcp::relay::{Exchange, Translated, Translation};
use mcp::revision::Era;
use mcp::spoken::Spoken;
use mcp::tools::input_schema;
use mcp::upstream::{UpstreamBody, UpstreamResponse};
use serde_json::{Map, Value};

use super::client::Client;
use super::farewell::{Refuser, logs_are_wanted};
use super::talk::Talk;
use super::{NAME, message};
use crate::gateway::Gateway;
use crate::gateway::authorize::Permitted;
use crate::gateway::breakers::Repeat;
use crate::gateway::call::McpCall;
use crate::gateway::recorded::CallRecording;
use crate::gateway::refusal::Refusal;
use crate::gateway::whole::whole_answer;

/// Pages of a member's list that are read for one schema.
const PAGES_MAX: usize = 16;

impl Gateway {
    /// Carries a call to its member.
    pub(super) async fn call_member(
        &self,
        permitted: Permitted,
        call: &McpCall,
        client: &Client,
        recording: &CallRecording,
    ) -> Result<Response, Refusal> {
        let name = message(call)?.name().unwrap_or_default();
        let (member, name) = permitted.route.member_of(name).ok_or_else(Refusal::unknown_name)?;
        // What cannot be listed cannot be called: nobody could say what a permission is about.
        exposed(member.name.as_str(), name).map_err(|_| Refusal::unknown_name())?;
        let destination = member.destination.as_ref().ok_or_else(Refusal::no_upstream)?;
        recording.say(|draft| draft.sent(destination));
        let talk = Talk::new(self, (&permitted.route, destination), call, client);
        let mut calling = Calling { talk: &talk, call, client, name, repeated: None };
        let mut spoken = talk.open().await?;
        let mut is_new = false;
        loop {
            self.must_hold(permitted.mark)?;
            let answer = calling.send(&spoken).await?;
            if talk.is_gone(&spoken, &answer) && !is_new {
                (spoken, is_new) = (talk.open_anew(&spoken).await?, true);
                continue;
            }
            let exchange = calling.exchange(self, &spoken)?;
            let answer = match calling.misses_a_header(&spoken, answer).await? {
                Missed::Header => continue,
                Missed::Nothing(answer) => {
                    mcp::relay::relay(*answer, exchange).await.map_err(Refusal::upstream)?
                }
                Missed::Refused(refused) => super::json(self.own(refused)),
            };
            let response = tidied(answer, (&spoken, client.era));
            return Ok(self.give_out(permitted, call, response, recording));
        }
    }
}

/// Headers are the gateway's own on each side. To whoever shook hands, an error is an answer like any other: a status would say something of the session.
fn tidied<B>(mut response: http::Response<B>, sides: (&Spoken, Era)) -> http::Response<B> {
    response.headers_mut().remove(MCP_PROTOCOL_VERSION);
    response.headers_mut().remove(MCP_SESSION_ID);
    if sides != (&Spoken::Modern, Era::Modern) {
        *response.status_mut() = StatusCode::OK;
    }
    response
}

/// A call on its way.
struct Calling<'a> {
    talk: &'a Talk<'a>,
    call: &'a McpCall,
    client: &'a Client,
    /// What the member calls the tool or prompt.
    name: &'a str,
    /// Headers that repeat arguments, once it is known that there are to be some.
    repeated: Option<HeaderMap>,
}

/// What a member says of headers that repeat arguments.
enum Missed {
    /// One was missing, which it has next time.
    Header,
    /// None: this is the answer.
    Nothing(Box<UpstreamResponse>),
    /// Something that the next time would not mend: this is the answer, read and translated.
    Refused(Bytes),
}

impl Calling<'_> {
    async fn send(&self, spoken: &Spoken) -> Result<UpstreamResponse, Refusal> {
        let Self { talk, call, client, name, repeated } = self;
        let message = message(call)?;
        let id = message.id().map(RequestId::as_json).unwrap_or_default();
        let own = talk.gateway.0.links.next_id();
        let (hop, id) = match (spoken, client.era) {
            (Spoken::Modern, Era::Modern) | (Spoken::Opening | Spoken::Legacy { .. }, Era::Legacy) => {
                (Hop::SameEra, id)
            }
            (Spoken::Modern, Era::Legacy) => (Hop::ToModern(NAME), id),
            (Spoken::Opening | Spoken::Legacy { .. }, Era::Modern) => (Hop::ToLegacy, own.as_str()),
        };
        let body = call_of(message, id, name, hop).ok_or_else(Refusal::unknown_name)?;
        let mut headers = spoken.heads(HeaderMap::with_capacity(16), message.method(), Some(name));
        match (spoken, repeated) {
            (Spoken::Modern, Some(repeated)) => headers.extend(repeated.clone()),
            (Spoken::Modern, None) => headers.extend(repeated_by_the_client(call)),
            (Spoken::Opening | Spoken::Legacy { .. }, _) => {}
        }
        let sent = talk.send_with(Method::POST, headers, body, Repeat::of(call)).await?;
        sent.map_err(Refusal::upstream)
    }

    /// How the answer is given out.
    fn exchange(&self, gateway: &Gateway, spoken: &Spoken) -> Result<Exchange, Refusal> {
        let id = self.call.id().cloned().ok_or_else(Refusal::broken_body)?;
        let (from, to) = (spoken.revision().era(), self.client.era);
        if (from, to) == (Era::Modern, Era::Modern) {
            return Ok(Exchange::Request { id, list: None });
        }
        let silent = to == Era::Modern && !logs_are_wanted(message(self.call)?);
        let mut refuser = Refuser::new(gateway, self.talk.destination, spoken, &self.call.share);
        let answered = id.clone();
        let translation = Translation::new(move |message: &Message| match message.kind() {
            MessageKind::Response { .. } => match answer_for(&answered, message.bytes(), from, to) {
                Some(answer) => Translated::As(answer),
                None => Translated::Nothing,
            },
            MessageKind::Notification if silent && message.method() == Some("notifications/message") => {
                Translated::Nothing
            }
            MessageKind::Notification => Translated::AsItIs,
            MessageKind::Request { id } => {
                refuser.refuse(message.method(), id);
                Translated::Nothing
            }
        });
        Ok(Exchange::Translated { id, translation })
    }

    /// A client of the handshake repeats no arguments in headers. Where its member wants some, they are made from the schema, once.
    async fn misses_a_header(
        &mut self,
        spoken: &Spoken,
        answer: UpstreamResponse,
    ) -> Result<Missed, Refusal> {
        let is_json = matches!(answer.body, UpstreamBody::Json(_));
        let is_first = self.call.rpc_method() == Some("tools/call") && self.repeated.is_none();
        let may_miss = is_first && self.client.era == Era::Legacy && *spoken == Spoken::Modern;
        if !may_miss || !is_json || answer.status != StatusCode::BAD_REQUEST {
            return Ok(Missed::Nothing(Box::new(answer)));
        }
        let refused = whole_answer(answer, &self.call.share.large).await?;
        if AnswerText::of(&refused).and_then(AnswerText::code) == Some(code::HEADER_MISMATCH) {
            let repeated = self.repeated_by_the_schema().await?;
            if !repeated.is_empty() {
                self.repeated = Some(repeated);
                return Ok(Missed::Header);
            }
        }
        let id = self.call.id().ok_or_else(Refusal::broken_body)?;
        let told = answer_for(id, &refused, Era::Modern, Era::Legacy);
        told.map(Missed::Refused).ok_or_else(|| Refusal::upstream_refused(StatusCode::BAD_GATEWAY))
    }

    async fn repeated_by_the_schema(&self) -> Result<HeaderMap, Refusal> {
        let arguments = message(self.call)?.arguments().unwrap_or_default();
        let arguments: Value = serde_json::from_slice(&arguments).unwrap_or_default();
        let mut params = Map::new();
        for _ in 0..PAGES_MAX {
            let page = self.talk.ask("tools/list", params).await?;
            let (schema, next) = input_schema(&page, self.name);
            if let Some(schema) = schema.and_then(|schema| serde_json::from_str(&schema).ok()) {
                let repeated = RepeatedArguments::of_schema(&schema).unwrap_or_default();
                return Ok(repeated.headers(&arguments).into_iter().collect());
            }
            let Some(next) = next else { break };
            params = Map::from_iter([("cursor".to_owned(), next.into())]);
        }
        Ok(HeaderMap::new())
    }
}

/// The arguments that the client repeats itself: the schema that it read is the member's.
fn repeated_by_the_client(call: &McpCall) -> HeaderMap {
    let forwarded = forward_headers::request(&call.method, &call.headers);
    let repeated = forwarded.iter().filter(|(name, _)| name.as_str().starts_with(MCP_PARAM_PREFIX));
    repeated.map(|(name, value)| (name.clone(), value.clone())).collect()
}
