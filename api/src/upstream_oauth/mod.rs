//! The deployment as an OAuth client of the servers behind it (MCP 2025-11-25 and 2026-07-28, authorization).
//!
//! ```text
//!   somebody who holds a connection --> begin: discovery, who we are there, state, PKCE --> the authorization server
//!        --> redeem: whose answer it is, code --> tokens, sealed beside the log --> an event puts them in force
//!   a call --> the token in memory --> renewed ahead of its end by one node alone --> of no use any more: an event says so, and calls are refused
//! ```
//! Tokens are for one connection and for the origin that its server was at; whoever else calls through another connection has others. Deliberately
//! absent: pages (`people`), who may authorize (`commands`), and any answer of an authorization server in a log or on a page but its error code.

mod addresses;
mod begin;
mod client;
mod discover;
mod document;
mod kept;
mod metadata;
mod ports;
mod redeem;
mod renew;
mod tokens;
mod use_tokens;
mod visits;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use commands::Ports;
use domain::value::{AuthorizationId, ConnectionId};
use projections::access::LiveView;
use sqlx::PgPool;

use crate::gateway::OpenSecrets;
use crate::passwords::Seal;
use crate::shutdown::Shutdown;
use crate::token::PublicUrl;

pub(crate) use document::{CLIENT_METADATA, ClientMetadata};
pub(crate) use ports::{CallAuthorization, NoAnswer};
pub(crate) use redeem::Redeemed;
pub(crate) use visits::Traveller;

use client::Nobody;
use discover::NotFound;
use kept::{Held, RowError, Rows};
use renew::Gates;
use tokens::NotGiven;
use visits::{VisitError, Visits};

/// Where authorization servers send browsers back to.
pub(crate) const CALLBACK: &str = "/connections/callback";

/// What of all this is old: ways that nobody comes back on, registrations whose time is over, and tokens that no event names (as with secrets, only
/// a directory that is not far behind knows which ones are).
pub(crate) const FORGET: [&str; 3] = [
    "delete from upstream_visits where expires_at < clock_timestamp()",
    "delete from upstream_registrations where expires_at < clock_timestamp()",
    "delete from upstream_authorizations a using connections c
    where c.id = a.connection_id and a.created_at < now() - interval '1 hour'
    and (c.standing = 'removed' or c.oauth is null or c.oauth ->> 'authorization' <> a.id::text)
    and not exists (select from events e where e.recorded_at < now() - interval '10 minutes' and e.global_position > coalesce(
        (select p.position from projection_checkpoints p where p.projection = 'directory' order by p.version desc limit 1), 0))
    and not exists (select from parked_events p where p.projection = 'directory' and p.aggregate_id = c.id::text)",
];

/// Authorizations whose tokens are remembered.
const REMEMBERED_MAX: usize = 10_000;

/// Tokens for upstreams, as this node knows them. Cheap to clone.
pub struct UpstreamOauth<P>(Arc<Inner<P>>);

impl<P> Clone for UpstreamOauth<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<P> std::fmt::Debug for UpstreamOauth<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UpstreamOauth")
    }
}

struct Inner<P> {
    parts: Parts<P>,
    remembered: Mutex<HashMap<AuthorizationId, Held>>,
    gates: Gates,
}

/// What it is put together from.
pub(crate) struct Parts<P> {
    /// The ports of the use cases.
    pub(crate) ports: Arc<P>,
    /// Where tokens, registrations and ways lie.
    pub(crate) pool: PgPool,
    /// Which server is behind a connection.
    pub(crate) view: LiveView,
    /// Requests to others.
    pub(crate) calls: Arc<dyn CallAuthorization>,
    /// The clients that connections have of their own.
    pub(crate) secrets: Arc<dyn OpenSecrets>,
    /// What everything is sealed with.
    pub(crate) seal: Arc<dyn Seal>,
    /// Where we are.
    pub(crate) url: PublicUrl,
    /// Renewals under way are waited for.
    pub(crate) tasks: Shutdown,
}

/// Why a connection is not authorized. The text is for whoever tried it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// Nobody is found who gives out tokens.
    #[error(transparent)]
    NotFound(#[from] NotFound),
    /// We are nobody there.
    #[error(transparent)]
    Nobody(#[from] Nobody),
    /// Nothing is given out.
    #[error(transparent)]
    NotGiven(#[from] NotGiven),
    /// The authorization server, or the person there, said no.
    #[error("it was not allowed there: {0}")]
    Denied(String),
    /// The answer is not from whom it is expected (RFC 9207, 2.4).
    #[error("the answer is not from the authorization server that was asked")]
    Mixed,
    /// No way of this person in this browser: too old, taken already, or somebody else's.
    #[error("nobody is on the way there in this browser, or it took too long; begin again")]
    Stale,
    /// The connection or its server is gone.
    #[error("the connection or its server was removed")]
    Gone,
    /// Something behind us does not answer.
    #[error("something behind this deployment does not answer right now; what it is stands in its log")]
    Unavailable,
}

impl Trouble {
    fn behind_us(why: &dyn std::fmt::Display) -> Self {
        tracing::error!(error = %why, "the authorization of a connection cannot be carried out");
        Self::Unavailable
    }
}

impl From<VisitError> for Trouble {
    fn from(error: VisitError) -> Self {
        Self::behind_us(&error)
    }
}

impl From<RowError> for Trouble {
    fn from(error: RowError) -> Self {
        Self::behind_us(&error)
    }
}

impl<P: Ports + 'static> UpstreamOauth<P> {
    pub(crate) fn new(parts: Parts<P>) -> Self {
        Self(Arc::new(Inner { parts, remembered: Mutex::default(), gates: Gates::default() }))
    }

    /// The page on which a connection is authorized.
    pub(crate) fn page(&self, connection: ConnectionId) -> String {
        self.0.parts.url.at(&format!("/connections/{connection}/authorize"))
    }

    fn callback(&self) -> String {
        self.0.parts.url.at(CALLBACK)
    }

    fn rows(&self) -> Rows<'_> {
        Rows { pool: &self.0.parts.pool, seal: &*self.0.parts.seal }
    }

    fn visits(&self) -> Visits<'_> {
        Visits { pool: &self.0.parts.pool, seal: &*self.0.parts.seal }
    }
}
