//! Where a merged list goes on: the cursors of the members that have more, sealed for one principal at one instance. No node keeps any of it.

use std::collections::BTreeMap;

use domain::value::ConnectionId;
use serde::Deserialize;

use crate::gateway::Gateway;
use crate::gateway::authenticate::AuthenticatedCaller;
use crate::gateway::call::McpCall;
use crate::gateway::refusal::Refusal;
use crate::gateway::route::{Member, Route};

/// The cursors of members, by connection, beside the server and its place: what one server said is told to no other.
pub(super) type Cursors = BTreeMap<ConnectionId, (String, String)>;

#[derive(Deserialize)]
struct Asked {
    params: Option<Params>,
}

#[derive(Deserialize)]
struct Params {
    cursor: Option<String>,
}

impl Gateway {
    /// Where the client wants a list to go on; nothing at its beginning.
    pub(super) fn cursors(
        &self,
        caller: &AuthenticatedCaller,
        route: &Route,
        call: &McpCall,
    ) -> Result<Option<Cursors>, Refusal> {
        let asked: Asked = serde_json::from_slice(&call.bytes()).map_err(|_| Refusal::unknown_cursor())?;
        let Some(cursor) = asked.params.and_then(|params| params.cursor) else { return Ok(None) };
        let opened = self.0.sessions.open(&place(caller, route, call), &cursor);
        let cursors = opened.and_then(|text| serde_json::from_slice(&text).ok());
        cursors.map(Some).ok_or_else(Refusal::unknown_cursor)
    }

    /// The cursor that the client gets; nothing where no member has more.
    pub(super) fn seal_cursors(
        &self,
        caller: &AuthenticatedCaller,
        route: &Route,
        call: &McpCall,
        cursors: &Cursors,
    ) -> Option<String> {
        if cursors.is_empty() {
            return None;
        }
        self.0.sessions.seal(&place(caller, route, call), &serde_json::to_vec(cursors).ok()?)
    }
}

/// Of whom a cursor of a member is.
pub(super) fn origin(member: &Member) -> Option<String> {
    let destination = member.destination.as_ref()?;
    Some(format!("{}/{}", destination.connection.server, destination.server.generation))
}

fn place(caller: &AuthenticatedCaller, route: &Route, call: &McpCall) -> String {
    let method = call.rpc_method().unwrap_or_default();
    format!("{}|{}|cursor|{method}", caller.principal(), route.instance.id)
}
