//! How often anybody may ask: token buckets for each address, each client, each organization and each person, on each surface that strangers reach.
//!
//! ```text
//!   register   address (of nobody's, by the day too)  authorize  address; person, client, organization (of whoever is signed in)
//!   token      address, client, organization        sign-in    address; guesses are counted apart, in Postgres (`people::throttle`)
//!   mcp        address, credential, organization
//! ```
//! A client, an organization or a person is counted once they have proved themselves: nobody uses up what is another's by naming them. Several nodes share what there
//! is: on each, a request costs as many tokens as there are live nodes. So all of them together give out what one would, a caller who meets one
//! node alone gets that node's part, and for the second in which a new node is not known to the others, they give out as much more as it has.
//! Memory is bounded: full buckets are forgotten every few seconds, and while there are too many others, strangers share some.

mod address;
mod bucket;
mod layer;
mod told;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::metrics::Metrics;

pub use address::{Subscriber, TrustedProxies};
pub(crate) use address::{speaks_for_another, subscriber_text};
use bucket::Bucket;
pub(crate) use layer::{Gate, limited};
pub(crate) use told::{Left, TooMany};

/// How often full buckets are forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(10);

/// Where somebody asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    /// Registration of clients.
    Register,
    /// Registration of clients that are nobody's.
    RegisterStranger,
    /// The token endpoint, and those where tokens are given back and asked about.
    Token,
    /// The authorization endpoint.
    Authorize,
    /// The sign-in.
    SignIn,
    /// The MCP endpoints.
    Mcp,
}

impl Surface {
    /// Its name in metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::RegisterStranger => "register_stranger",
            Self::Token => "token",
            Self::Authorize => "authorize",
            Self::SignIn => "sign_in",
            Self::Mcp => "mcp",
        }
    }
}

/// Who is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    /// Whoever shares an address.
    Address(Subscriber),
    /// A client that proved itself; on MCP, a key, a grant, or a client in its own name.
    Client(Uuid),
    /// The organization that it is about.
    Organization(Uuid),
    /// A person who is signed in.
    Person(Uuid),
}

impl Subject {
    /// Its name in policies and metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Address(_) => "address",
            Self::Client(_) => "client",
            Self::Organization(_) => "organization",
            Self::Person(_) => "person",
        }
    }

    const fn number(self) -> u128 {
        match self {
            Self::Address(Subscriber(number)) => number,
            Self::Client(id) | Self::Organization(id) | Self::Person(id) => id.as_u128(),
        }
    }
}

/// Requests a minute, for each of them, unless it says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// Registrations of clients from an address.
    pub register_per_address: NonZeroU32,
    /// Registrations of clients that are nobody's, a day from an address.
    pub strangers_per_address_per_day: NonZeroU32,
    /// At the token endpoint, from an address.
    pub token_per_address: NonZeroU32,
    /// Of a client.
    pub token_per_client: NonZeroU32,
    /// Of all clients of an organization.
    pub token_per_organization: NonZeroU32,
    /// Authorization requests from an address.
    pub authorize_per_address: NonZeroU32,
    /// For a client.
    pub authorize_per_client: NonZeroU32,
    /// For the instances of an organization.
    pub authorize_per_organization: NonZeroU32,
    /// Of a person who is signed in, wherever they are.
    pub authorize_per_person: NonZeroU32,
    /// At the sign-in, from an address.
    pub sign_in_per_address: NonZeroU32,
    /// MCP requests from an address.
    pub mcp_per_address: NonZeroU32,
    /// With credentials for an organization.
    pub mcp_per_organization: NonZeroU32,
}

impl Rates {
    /// The same rate for all.
    pub const fn all(rate: NonZeroU32) -> Self {
        Self {
            register_per_address: rate,
            strangers_per_address_per_day: rate,
            token_per_address: rate,
            token_per_client: rate,
            token_per_organization: rate,
            authorize_per_address: rate,
            authorize_per_client: rate,
            authorize_per_organization: rate,
            authorize_per_person: rate,
            sign_in_per_address: rate,
            mcp_per_address: rate,
            mcp_per_organization: rate,
        }
    }
}

/// MCP calls of one credential: so many a second, and so many at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CredentialRate {
    pub(crate) per_second: NonZeroU32,
    pub(crate) burst: NonZeroU32,
}

/// Every bucket of this node. Cheap to clone.
#[derive(Clone)]
pub struct Limits(Arc<Inner>);

struct Inner {
    register_address: Bucket,
    stranger_address: Bucket,
    token_address: Bucket,
    token_client: Bucket,
    token_organization: Bucket,
    authorize_address: Bucket,
    authorize_client: Bucket,
    authorize_organization: Bucket,
    authorize_person: Bucket,
    sign_in_address: Bucket,
    mcp_address: Bucket,
    mcp_credential: Bucket,
    mcp_organization: Bucket,
    trusted: TrustedProxies,
    nodes: Arc<AtomicU32>,
    metrics: Metrics,
}

impl std::fmt::Debug for Limits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Limits").finish_non_exhaustive()
    }
}

impl Limits {
    /// Full buckets. `nodes` is how many nodes there are, as it is known from moment to moment.
    pub(crate) fn new(
        rates: &Rates,
        credential: CredentialRate,
        trusted: TrustedProxies,
        nodes: Arc<AtomicU32>,
        metrics: Metrics,
    ) -> Self {
        let bucket = Bucket::per_minute;
        Self(Arc::new(Inner {
            register_address: bucket(rates.register_per_address),
            stranger_address: Bucket::per_day(rates.strangers_per_address_per_day),
            token_address: bucket(rates.token_per_address),
            token_client: bucket(rates.token_per_client),
            token_organization: bucket(rates.token_per_organization),
            authorize_address: bucket(rates.authorize_per_address),
            authorize_client: bucket(rates.authorize_per_client),
            authorize_organization: bucket(rates.authorize_per_organization),
            authorize_person: bucket(rates.authorize_per_person),
            sign_in_address: bucket(rates.sign_in_per_address),
            mcp_address: bucket(rates.mcp_per_address),
            mcp_credential: Bucket::per_second(credential.per_second, credential.burst),
            mcp_organization: bucket(rates.mcp_per_organization),
            trusted,
            nodes,
            metrics,
        }))
    }

    /// Takes one request, or tells how long to wait.
    pub(crate) fn take(&self, surface: Surface, subject: Subject) -> Result<Left, TooMany> {
        let Some(bucket) = self.bucket(surface, subject) else { return Ok(Left::uncounted()) };
        let nodes = NonZeroU32::new(self.0.nodes.load(Ordering::Relaxed)).unwrap_or(NonZeroU32::MIN);
        bucket.take(subject, nodes).inspect_err(|_| {
            self.0.metrics.rate_limited(surface.as_str(), subject.as_str());
        })
    }

    /// Counts a request that is refused for another limit than those here.
    pub(crate) fn refused(&self, surface: Surface, limit: &'static str) {
        self.0.metrics.rate_limited(surface.as_str(), limit);
    }

    fn bucket(&self, surface: Surface, subject: Subject) -> Option<&Bucket> {
        let all = &self.0;
        match (surface, subject) {
            (Surface::Register, Subject::Address(_)) => Some(&all.register_address),
            (Surface::RegisterStranger, Subject::Address(_)) => Some(&all.stranger_address),
            (Surface::Token, Subject::Address(_)) => Some(&all.token_address),
            (Surface::Token, Subject::Client(_)) => Some(&all.token_client),
            (Surface::Token, Subject::Organization(_)) => Some(&all.token_organization),
            (Surface::Authorize, Subject::Address(_)) => Some(&all.authorize_address),
            (Surface::Authorize, Subject::Client(_)) => Some(&all.authorize_client),
            (Surface::Authorize, Subject::Organization(_)) => Some(&all.authorize_organization),
            (Surface::Authorize, Subject::Person(_)) => Some(&all.authorize_person),
            (Surface::SignIn, Subject::Address(_)) => Some(&all.sign_in_address),
            (Surface::Mcp, Subject::Address(_)) => Some(&all.mcp_address),
            (Surface::Mcp, Subject::Client(_)) => Some(&all.mcp_credential),
            (Surface::Mcp, Subject::Organization(_)) => Some(&all.mcp_organization),
            // Whoever registers is no client yet, and whoever signs in is of no organization yet.
            // And there are people at the authorization endpoint alone.
            (
                Surface::Register | Surface::RegisterStranger | Surface::SignIn,
                Subject::Client(_) | Subject::Organization(_),
            )
            | (
                Surface::Register
                | Surface::RegisterStranger
                | Surface::Token
                | Surface::SignIn
                | Surface::Mcp,
                Subject::Person(_),
            ) => None,
        }
    }

    /// Who asks from this peer, with these headers.
    pub(crate) fn caller(&self, peer: std::net::IpAddr, headers: &http::HeaderMap) -> std::net::IpAddr {
        self.0.trusted.caller(peer, headers)
    }

    /// Forgets full buckets now and then, until told to stop: memory would grow with everybody who ever asked.
    pub(crate) async fn forget(self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(FORGET_EVERY) => {}
            }
            for bucket in self.all() {
                bucket.forget_full();
            }
        }
    }

    fn all(&self) -> [&Bucket; 13] {
        let all = &self.0;
        [
            &all.register_address,
            &all.stranger_address,
            &all.token_address,
            &all.token_client,
            &all.token_organization,
            &all.authorize_address,
            &all.authorize_client,
            &all.authorize_organization,
            &all.authorize_person,
            &all.sign_in_address,
            &all.mcp_address,
            &all.mcp_credential,
            &all.mcp_organization,
        ]
    }
}
