//! To the upstream and back. Takes a permit and nothing else.

use axum::body::Body;
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method, StatusCode};
use mcp::forward_headers;
use mcp::headers::MCP_SESSION_ID;
use mcp::relay::{Exchange, RelayBody};
use mcp::upstream::{Patience, UpstreamRequest};

use super::Gateway;
use super::authenticate::AuthenticatedCaller;
use super::authorize::Permitted;
use super::breakers::Repeat;
use super::call::McpCall;
use super::grounds::show;
use super::recorded::CallRecording;
use super::refusal::Refusal;
use super::route::{Destination, Route};
use super::streams::{Admitted, Asked, JudgedBody};
use crate::trace_context::TraceContext;

impl Gateway {
    /// Forwards a permitted call. Dropping the response (the client left) closes the upstream's stream: that is the cancellation.
    pub(super) async fn forward(
        &self,
        permitted: Permitted,
        destination: Option<Box<Destination>>,
        call: &McpCall,
        recording: &CallRecording,
    ) -> Result<Response, Refusal> {
        let destination = *destination.ok_or_else(Refusal::no_upstream)?;
        let leave = self.0.breakers.leave(&destination)?; // before anything is done for an upstream that is not there
        let headers = self.upstream_headers(&permitted.caller, &permitted.route, &destination, call).await?;
        let request = UpstreamRequest {
            method: call.method.clone(),
            url: destination.url.clone(),
            headers,
            body: call.bytes(),
            patience: patience(call),
            reach: destination.reach(),
        };
        self.must_hold(permitted.mark)?;
        recording.say(|draft| draft.sent(&destination));
        let started = std::time::Instant::now();
        let (memory, repeat) = (&call.share.large, Repeat::of(call));
        let answer = self.ask(leave, &destination, request, (memory, repeat)).await?;
        self.0.metrics.upstream_answered(started.elapsed());
        let session = answer.session_id().cloned();
        let filter = permitted.shown.clone().map(|shown| shown.filter(destination.clone()));
        let exchange = match (call.id(), &call.method) {
            (Some(id), _) => Exchange::Request { id: id.clone(), list: filter },
            (None, &Method::GET) => Exchange::Listen { list: filter },
            (None, _) => Exchange::OneWay,
        };
        let one_way = matches!(exchange, Exchange::OneWay);
        let mut response = mcp::relay::relay(answer, exchange).await.map_err(Refusal::upstream)?;
        if one_way && response.status().is_success() {
            let mut response = accepted(&call.method); // what wants no answer gets none, whatever the upstream said
            show(permitted.mark, response.headers_mut());
            return Ok(response);
        }
        response.headers_mut().remove(MCP_SESSION_ID);
        let sealed =
            session.and_then(|id| self.seal_session(&permitted.caller, &permitted.route, &destination, &id));
        if let Some(sealed) = sealed {
            response.headers_mut().insert(MCP_SESSION_ID, sealed);
        }
        Ok(self.give_out(permitted, call, response, recording))
    }

    /// An answer on its way to whoever was let in: one that goes on for long is judged for as long.
    pub(super) fn give_out(
        &self,
        permitted: Permitted,
        call: &McpCall,
        mut response: http::Response<RelayBody>,
        recording: &CallRecording,
    ) -> Response {
        let Permitted { caller, organizations, route, mark, read_only, .. } = permitted;
        show(mark, response.headers_mut());
        if !is_stream(response.headers()) {
            return response.map(Body::new);
        }
        let (instance, asked) = (route.instance.id, Asked::of(call.wish(|_| read_only)));
        let when_stale = route.instance.when_stale;
        let admitted = Admitted { caller, instance, organizations, asked, when_stale, mark };
        response.map(|body| Body::new(JudgedBody::new(body, self, admitted, recording.clone())))
    }

    /// What an upstream is told beside the message: what may travel on, the trace, its own session and its own credential.
    pub(super) async fn upstream_headers(
        &self,
        caller: &AuthenticatedCaller,
        route: &Route,
        destination: &Destination,
        call: &McpCall,
    ) -> Result<HeaderMap, Refusal> {
        let mut headers = forward_headers::request(&call.method, &call.headers);
        TraceContext::current(&call.headers).child().write(&mut headers);
        if let Some(session) = call.headers.get(MCP_SESSION_ID) {
            headers.insert(MCP_SESSION_ID, self.open_session(caller, route, destination, session)?);
        }
        self.0.credentials.add(destination, &mut headers).await?;
        Ok(headers)
    }
}

/// The answer to a notification, a response or the end of a session: no body.
pub(super) fn accepted(method: &Method) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = if method == Method::POST { StatusCode::ACCEPTED } else { StatusCode::OK };
    response
}

/// Whether an answer goes on for as long as its upstream likes.
fn is_stream(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|media| media.as_bytes().starts_with(b"text/event-stream"))
}

fn patience(call: &McpCall) -> Patience {
    if call.method == Method::GET || call.rpc_method() == Some("subscriptions/listen") {
        Patience::Listen
    } else {
        Patience::Call
    }
}
