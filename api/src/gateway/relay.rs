//! The whole life of one MCP call.

use std::net::SocketAddr;

use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use domain::value::InstanceId;
use projections::access::Parties;

use super::Gateway;
use super::authorize::authorize;
use super::call::McpCall;
use super::recorded::CallRecording;
use super::refusal::{Refusal, Refused};
use super::route::Behind;

impl Gateway {
    /// Authenticate, route, authorize, forward; and a record of it. An instance is asked for by the text of its address; one that is no id names nothing.
    pub(crate) async fn relay(&self, instance: &str, peer: SocketAddr, request: Request) -> Response {
        let instance = instance.parse::<InstanceId>().ok();
        let recording = CallRecording::begin(self, request.method());
        let answered = answer(self, instance, peer, &recording, request).await;
        let response =
            answered.unwrap_or_else(|refused| refused.telling(&self.0.url, instance).into_response());
        recording.of(response)
    }
}

async fn answer(
    gateway: &Gateway,
    instance: Option<InstanceId>,
    peer: SocketAddr,
    recording: &CallRecording,
    request: Request,
) -> Result<Response, Refused> {
    let (head, body) = request.into_parts();
    if let Err(refusal) = gateway.count_address(peer, &head.headers) {
        return Err(refusal.with_id_from(body, &gateway.0.bodies.refused).await);
    }
    let shown = gateway.shown(&head.headers, head.uri.query());
    let parties =
        shown.as_ref().map_or(Parties { instance, ..Parties::default() }, |shown| shown.parties(instance));
    // One consistent snapshot, in memory: nobody else is asked before `forward`, unless it is older than decisions may be.
    let grounds = gateway.grounds(parties).await?;
    recording.rests_on(&grounds);
    let caller = match gateway.authenticate(&grounds, instance, &head.headers, peer, shown, recording) {
        Ok(caller) => caller,
        Err(refusal) => return Err(refusal.with_id_from(body, &gateway.0.bodies.refused).await),
    };
    let share = gateway.0.bodies.share(caller.organization);
    let call = McpCall::read(head, body, share).await?;
    recording.message(&call);
    let answer = async {
        recording.must_have_room(&grounds, &caller, instance, &call).await?;
        let grounds = gateway.grounds(caller.parties(instance)).await?; // a body may take its time: what holds now decides
        recording.rests_on(&grounds);
        let caller = caller.in_view(&grounds);
        let route = gateway.route(&grounds, instance, recording)?;
        let permit = authorize(gateway, &grounds, caller, route, &call, recording).await?;
        match permit.route.behind.clone() {
            Behind::One(destination) => gateway.forward(permit, destination, &call, recording).await,
            Behind::Several(members) => gateway.compose(permit, &members, &call, recording).await,
        }
    };
    answer.await.map_err(|refusal: Refusal| refusal.to(call.id().cloned()))
}
