//! The whole life of one MCP call.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Path, Request, State};
use axum::response::Response;
use domain::value::InstanceId;

use super::Gateway;
use super::authorize::authorize;
use super::call::McpCall;
use super::refusal::{Refusal, Refused};

/// Authenticate, route, authorize, forward.
pub(super) async fn relay(
    State(gateway): State<Gateway>,
    Path(instance): Path<String>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Response, Refused> {
    let view = gateway.view(); // one consistent snapshot, in memory: nobody else is asked before `forward`
    let (head, body) = request.into_parts();
    let caller = match gateway.authenticate(&view, &head.headers, peer) {
        Ok(caller) => caller,
        Err(refusal) => return Err(refusal.with_id_from(body).await),
    };
    let call = McpCall::read(head, body).await?;
    let answer = async {
        let instance = InstanceId::parse(&instance).map_err(|_| Refusal::unknown_instance())?;
        let route = gateway.route(&view, instance)?;
        let permit = authorize(&gateway, &view, &caller, route, &call).await?;
        gateway.forward(permit, &call).await
    };
    answer.await.map_err(|refusal: Refusal| refusal.to(call.id().cloned()))
}
