//! Legacy sessions, without any state of ours: the id that a client gets is the upstream's id, sealed for this principal, instance and
//! connection, and for the origin that the server is at: one that has moved is told nothing of sessions that were opened elsewhere. Whoever else presents it, or presents it elsewhere, has no session (MCP 2025-11-25, session hijacking).

use http::HeaderValue;

use super::Gateway;
use super::authenticate::AuthenticatedCaller;
use super::refusal::Refusal;
use super::route::{Destination, Route};

impl Gateway {
    /// The upstream's session id for the client's, or a 404 that makes the client initialize again.
    pub(super) fn open_session(
        &self,
        caller: &AuthenticatedCaller,
        route: &Route,
        destination: &Destination,
        presented: &HeaderValue,
    ) -> Result<HeaderValue, Refusal> {
        let place = place(caller, route, destination);
        let opened = presented.to_str().ok().and_then(|text| self.0.sessions.open(&place, text));
        opened.and_then(|id| HeaderValue::from_bytes(&id).ok()).ok_or_else(Refusal::unknown_session)
    }

    /// The id that the client gets for the upstream's.
    pub(super) fn seal_session(
        &self,
        caller: &AuthenticatedCaller,
        route: &Route,
        destination: &Destination,
        upstream: &HeaderValue,
    ) -> Option<HeaderValue> {
        let sealed = self.0.sessions.seal(&place(caller, route, destination), upstream.as_bytes())?;
        HeaderValue::from_str(&sealed).ok()
    }
}

fn place(caller: &AuthenticatedCaller, route: &Route, destination: &Destination) -> String {
    let (caller, instance, connection) = (caller.principal(), route.instance.id, destination.connection_id);
    format!(
        "{caller}|{instance}|{connection}|{}|{}",
        destination.connection.server, destination.server.generation
    )
}
