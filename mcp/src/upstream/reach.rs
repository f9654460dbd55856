//! Where a request may go: an address that somebody else names must not reach through us what they cannot reach themselves (server-side request
//! forgery).
//!
//! A name is resolved once, its addresses are looked at, and exactly those are connected to: nothing behind this resolves it again, so that
//! a name that leads elsewhere a moment later (DNS rebinding) leads nowhere. What may be reached is for the caller to say.

use std::fmt;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use thiserror::Error;
use tower_service::Service;

use super::UpstreamUrl;

/// Addresses that one name may have; of more, the rest is not used.
const ADDRESSES_MAX: usize = 16;

/// Where one request may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Anywhere: whoever named the address looks after this machine.
    Anywhere,
    /// Only to the networks that are open to everybody.
    OpenNetworks,
}

/// Tells whether an address lies in a network that is open to everybody.
#[derive(Clone)]
pub struct OpenNetworks(Arc<dyn Fn(IpAddr) -> bool + Send + Sync>);

/// The address, or one of those that the name has, lies in no network that is open to everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{0} is in no network that is open to everybody")]
pub struct AddressRefused(IpAddr);

impl OpenNetworks {
    /// As this function says. IPv4 inside IPv6 (`::ffff:192.0.2.1`) is shown to it as IPv4, which it reaches.
    pub fn new(is_open: impl Fn(IpAddr) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(is_open))
    }

    /// An address that stands in the URL itself is never resolved, and so is looked at here.
    pub(super) fn must_hold(&self, url: &UpstreamUrl) -> Result<(), AddressRefused> {
        url.literal_address().map_or(Ok(()), |address| self.must_be_open(address))
    }

    fn must_be_open(&self, address: IpAddr) -> Result<(), AddressRefused> {
        let canonical = address.to_canonical();
        if (self.0)(canonical) { Ok(()) } else { Err(AddressRefused(canonical)) }
    }
}

impl fmt::Debug for OpenNetworks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpenNetworks")
    }
}

/// Resolves as the machine does, and refuses a name of which one address may not be reached: one that is half inside is none that anybody
/// needs.
#[derive(Debug, Clone)]
pub(super) struct GuardedResolver {
    system: GaiResolver,
    open: Option<OpenNetworks>,
}

impl GuardedResolver {
    /// `None`: whatever the name has.
    pub(super) fn new(open: Option<OpenNetworks>) -> Self {
        Self { system: GaiResolver::new(), open }
    }
}

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;
type ResolveError = Box<dyn std::error::Error + Send + Sync>;

impl Service<Name> for GuardedResolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = ResolveError;
    type Future = Boxed<Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(ready!(self.system.poll_ready(context)).map_err(Into::into))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let (found, open) = (self.system.call(name), self.open.clone());
        Box::pin(async move {
            let addresses: Vec<SocketAddr> = found.await?.take(ADDRESSES_MAX).collect();
            if let Some(open) = open {
                addresses.iter().try_for_each(|address| open.must_be_open(address.ip()))?;
            }
            Ok(addresses.into_iter())
        })
    }
}
