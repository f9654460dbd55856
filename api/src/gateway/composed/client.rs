//! Who asks: a client of 2026-07-28, whose requests stand alone, or one of the handshake, in a session.
//!
//! The id of a session is what was agreed on with the client and with the members, sealed for this principal at this instance. Nothing of it is kept
//! here: any node goes on with it, and nobody else has any use for it (MCP 2025-11-25, session hijacking).

use aws_lc_rs::digest;
use domain::value::{ConnectionId, ServerId};
use http::HeaderValue;
use mcp::headers::MCP_SESSION_ID;
use mcp::revision::{Era, Revision};
use mcp::spoken::Spoken;
use serde::{Deserialize, Serialize};

use crate::gateway::Gateway;
use crate::gateway::authenticate::AuthenticatedCaller;
use crate::gateway::call::McpCall;
use crate::gateway::refusal::Refusal;
use crate::gateway::route::{Destination, Route};

/// What a sealed session may hold: it travels in a header, which proxies bound. Members that find no room are shaken hands with when they are asked.
const SESSION_BYTES_MAX: usize = 4 * 1024;

/// Whom sessions with members belong to: a session of a client, or a principal whose requests stand alone.
pub(super) type Holder = [u8; 32];

/// Somebody who asks.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) era: Era,
    pub(super) holder: Holder,
    /// What was agreed on with members when the session began.
    pub(super) held: Vec<HeldSession>,
}

/// A session with one member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct HeldSession {
    #[serde(rename = "c")]
    connection: ConnectionId,
    #[serde(rename = "s")]
    server: ServerId,
    /// Where it was: one that has moved is told nothing of sessions that were opened elsewhere.
    #[serde(rename = "g")]
    generation: u32,
    #[serde(rename = "v")]
    revision: String,
    #[serde(rename = "i")]
    id: Option<String>,
}

impl HeldSession {
    /// What is to be sealed of this. Nothing of a server whose requests stand alone, or whose id is no text.
    pub(super) fn of(destination: &Destination, spoken: &Spoken) -> Option<Self> {
        let Spoken::Legacy { revision, session } = spoken else { return None };
        let id = match session {
            Some(session) => Some(session.to_str().ok()?.to_owned()),
            None => None,
        };
        Some(Self {
            connection: destination.connection_id,
            server: destination.connection.server,
            generation: destination.server.generation,
            revision: revision.as_str().to_owned(),
            id,
        })
    }

    fn is_with(&self, destination: &Destination) -> bool {
        let there = (destination.connection_id, destination.connection.server, destination.server.generation);
        (self.connection, self.server, self.generation) == there
    }

    fn spoken(&self) -> Option<Spoken> {
        let revision = Revision::parse(&self.revision)?;
        let session = match &self.id {
            Some(id) => Some(HeaderValue::from_str(id).ok()?),
            None => None,
        };
        Some(Spoken::Legacy { revision, session })
    }
}

impl Client {
    /// What was agreed on with a member when the session began.
    pub(super) fn held_with(&self, destination: &Destination) -> Option<Spoken> {
        self.held.iter().find(|held| held.is_with(destination))?.spoken()
    }
}

impl Gateway {
    /// Who asks. A session that is not theirs is none.
    pub(super) fn client(
        &self,
        caller: &AuthenticatedCaller,
        route: &Route,
        call: &McpCall,
    ) -> Result<Client, Refusal> {
        let (place, nothing) = (place(caller, route), Vec::new());
        let stands_alone = call.is_of_modern_era();
        if stands_alone || call.rpc_method() == Some("initialize") {
            let era = if stands_alone { Era::Modern } else { Era::Legacy };
            return Ok(Client { era, holder: holder(&place), held: nothing });
        }
        let session = call.headers.get(MCP_SESSION_ID).ok_or_else(Refusal::session_missing)?;
        let text = session.to_str().map_err(|_| Refusal::unknown_session())?;
        let opened = self.0.sessions.open(&place, text).ok_or_else(Refusal::unknown_session)?;
        let held = serde_json::from_slice(&opened).map_err(|_| Refusal::unknown_session())?;
        Ok(Client { era: Era::Legacy, holder: holder(text), held })
    }

    /// The id of a session that begins.
    pub(super) fn seal_client_session(
        &self,
        caller: &AuthenticatedCaller,
        route: &Route,
        mut held: Vec<HeldSession>,
    ) -> Option<HeaderValue> {
        let mut text = serde_json::to_vec(&held).ok()?;
        while text.len() > SESSION_BYTES_MAX && held.pop().is_some() {
            text = serde_json::to_vec(&held).ok()?;
        }
        let sealed = self.0.sessions.seal(&place(caller, route), &text)?;
        HeaderValue::from_str(&sealed).ok()
    }
}

fn place(caller: &AuthenticatedCaller, route: &Route) -> String {
    format!("{}|{}|members", caller.principal(), route.instance.id)
}

fn holder(text: &str) -> Holder {
    let mut holder = [0; 32];
    let digest = digest::digest(&digest::SHA256, text.as_bytes());
    holder.iter_mut().zip(digest.as_ref()).for_each(|(to, from)| *to = *from);
    holder
}
