//! The whole life of one MCP call.

use std::net::SocketAddr;

use axum::extract::rejection::PathRejection;
use axum::extract::{ConnectInfo, Extension, Path, Request, State};
use axum::response::Response;
use domain::value::InstanceId;
use projections::access::Parties;

use super::Gateway;
use super::authorize::authorize;
use super::call::McpCall;
use super::recorded::CallRecording;
use super::refusal::{Refusal, Refused};

/// Authenticate, route, authorize, forward.
pub(super) async fn relay(
    State(gateway): State<Gateway>,
    instance: Result<Path<InstanceId>, PathRejection>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Extension(recording): Extension<CallRecording>,
    request: Request,
) -> Result<Response, Refused> {
    let instance = instance.ok().map(|Path(instance)| instance); // a text that is no id names nothing
    let resource = instance.map(|instance| gateway.0.url.resource_metadata(instance));
    let answered = answer(gateway, instance, peer, &recording, request).await;
    answered.map_err(|refused| refused.telling(resource))
}

async fn answer(
    gateway: Gateway,
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
        let permit = authorize(&gateway, &grounds, caller, route, &call, recording).await?;
        gateway.forward(permit, &call, recording).await
    };
    answer.await.map_err(|refusal: Refusal| refusal.to(call.id().cloned()))
}
