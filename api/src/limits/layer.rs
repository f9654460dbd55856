//! The layer in front of a route: whoever asks too often from one address is told so before anything is read. Each area says it in its own words.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::MethodRouter;
use http::HeaderMap;

use super::{Limits, Subject, Subscriber, Surface, TooMany};

/// What stands in front of a route.
#[derive(Clone)]
pub(crate) struct Gate {
    pub(crate) limits: Limits,
    pub(crate) surface: Surface,
    /// The refusal of a request with these headers.
    pub(crate) refuse: fn(&HeaderMap, TooMany) -> Response,
}

/// A route behind a gate.
pub(crate) fn limited<S: Clone + Send + Sync + 'static>(
    handler: MethodRouter<S>,
    gate: Gate,
) -> MethodRouter<S> {
    handler.layer(middleware::from_fn_with_state(gate, by_address))
}

async fn by_address(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(peer)| peer.ip());
    let caller = gate.limits.caller(peer, request.headers());
    match gate.limits.take(gate.surface, Subject::Address(Subscriber::of(caller))) {
        Ok(left) => {
            let mut response = next.run(request).await;
            left.tell(response.headers_mut());
            response
        }
        Err(too_many) => (gate.refuse)(request.headers(), too_many),
    }
}
