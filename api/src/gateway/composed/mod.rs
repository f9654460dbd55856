//! Instances with several connections: the gateway is the MCP server towards the client, and a client of each member, in the era that each speaks.
//!
//! ```text
//! initialize, server/discover, ping   answered here                                   (greet)
//! tools/list, prompts/list            every member is asked at once, answers merged   (list)
//! tools/call, prompts/get             goes to the member that its name begins with    (call)
//! notifications, responses, DELETE    for the members' sessions, best effort          (farewell)
//! ```
//! A member is known by its era and, if it shakes hands, by a session (`talk`): a session of a client of the handshake holds those of its members,
//! sealed (`client`), so that any node goes on with them; what was opened later, and for clients of 2026-07-28, is kept by this node (`links`).
//! Absent so far: resources, completion, logging and listening streams, and whatever a member asks of the client, which is
//! refused in its name. A cancellation by a client of the handshake reaches members of the handshake alone.

mod call;
mod client;
mod cursor;
mod farewell;
mod greet;
mod links;
mod list;
mod talk;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method};
use mcp::envelope::{Message, MessageKind};
use mcp::members::Listed;
use mcp::relay::RelayBody;
use mcp::revision::Era;

use super::Gateway;
use super::authorize::Permitted;
use super::call::McpCall;
use super::forward::accepted;
use super::grounds::show;
use super::recorded::CallRecording;
use super::refusal::Refusal;
use super::route::Member;

pub use links::Links;

/// What members are told of who asks.
const NAME: &str = "sekisho";

impl Gateway {
    /// Answers a permitted call of an instance with several members.
    pub(super) async fn compose(
        &self,
        permitted: Permitted,
        members: &[Member],
        call: &McpCall,
        recording: &CallRecording,
    ) -> Result<Response, Refusal> {
        let answered = self.composed(permitted, members, call, recording).await;
        answered.map_err(Refusal::of_a_member)
    }

    async fn composed(
        &self,
        permitted: Permitted,
        members: &[Member],
        call: &McpCall,
        recording: &CallRecording,
    ) -> Result<Response, Refusal> {
        self.must_hold(permitted.mark)?;
        let client = self.client(&permitted.caller, &permitted.route, call)?;
        let Some(message) = &call.message else {
            if call.method == Method::GET {
                return Err(Refusal::no_stream());
            }
            self.end_sessions(&permitted.route, members, call, &client).await;
            return Ok(marked(&permitted, accepted(&call.method)));
        };
        let id = match message.kind() {
            MessageKind::Request { id } => id,
            MessageKind::Notification => {
                self.pass_on(&permitted.route, members, call, &client).await;
                return Ok(marked(&permitted, accepted(&call.method)));
            }
            MessageKind::Response { .. } => return Ok(marked(&permitted, accepted(&call.method))),
        };
        match (message.method(), client.era) {
            (Some("tools/call" | "prompts/get"), _) => {
                self.call_member(permitted, call, &client, recording).await
            }
            (Some(method @ ("tools/list" | "prompts/list")), _) => {
                let listed = if method == "tools/list" { Listed::Tools } else { Listed::Prompts };
                let listed = self.list_of(listed, (&permitted, members), call, &client, id).await?;
                Ok(self.give_out(permitted, call, json(self.own(listed)), recording))
            }
            (Some("server/discover"), Era::Modern) => {
                Ok(self.give_out(permitted, call, json(self.own(greet::discovered(id))), recording))
            }
            (Some("ping"), Era::Legacy) => {
                let pong = mcp::members::reply(id, "{}");
                Ok(self.give_out(permitted, call, json(self.own(pong)), recording))
            }
            (Some("initialize"), Era::Legacy) => {
                let (greeting, session) = self.greet(&permitted, members, call, &client, id).await;
                let mut response = json(self.own(greeting));
                if let Some(session) = session {
                    response.headers_mut().insert(mcp::headers::MCP_SESSION_ID, session);
                }
                Ok(self.give_out(permitted, call, response, recording))
            }
            (_, era) => Err(Refusal::unknown_method(era)),
        }
    }

    /// A message of ours as the body of an answer: it counts, and is taken back, like any other.
    fn own(&self, message: Bytes) -> RelayBody {
        RelayBody::own(message, &self.0.upstream)
    }
}

fn json(body: RelayBody) -> http::Response<RelayBody> {
    let mut response = http::Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store")); // made for one caller
    response
}

fn marked(permitted: &Permitted, mut response: Response<Body>) -> Response {
    show(permitted.mark, response.headers_mut());
    response
}

/// The message of a call that has one.
fn message(call: &McpCall) -> Result<&Message, Refusal> {
    call.message.as_ref().ok_or_else(Refusal::broken_body)
}
