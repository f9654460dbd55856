//! Where a request may go: an address that somebody else names must not reach through us what they cannot reach themselves (server-side request
//! forgery).
//!
//! A name is resolved once, its addresses are looked at, and exactly those are connected to: nothing behind this resolves it again, so that
//! a name that leads elsewhere a moment later (DNS rebinding) leads nowhere. What may be reached is for the caller to say.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::TokioIo;
use thiserror::Error;
use tokio::net::TcpStream;
use tower_service::Service;

/// Addresses that one name may have; of more, the rest is not used.
const ADDRESSES_MAX: usize = 16;

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
type BoxError = Box<dyn std::error::Error + Send + Sync>;

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
    /// As this function says. IPv4 inside IPv6 (`::ffff:192.0.2.1`) must be open as it stands and as what it reaches.
    pub fn new(is_open: impl Fn(IpAddr) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(is_open))
    }

    /// Refuses an address that is not open.
    pub fn must_be_open(&self, address: IpAddr) -> Result<(), AddressRefused> {
        let is_open = |address| (self.0)(address);
        if is_open(address) && is_open(address.to_canonical()) {
            Ok(())
        } else {
            Err(AddressRefused(address))
        }
    }
}

impl fmt::Debug for OpenNetworks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpenNetworks")
    }
}

/// Where a name leads.
pub trait Resolve: Send + Sync {
    /// All of its addresses; their ports say nothing.
    fn resolve<'a>(&'a self, name: &'a str) -> Boxed<'a, io::Result<Vec<SocketAddr>>>;
}

/// As the machine resolves names.
#[derive(Debug, Clone, Copy)]
pub struct SystemNames;

impl Resolve for SystemNames {
    fn resolve<'a>(&'a self, name: &'a str) -> Boxed<'a, io::Result<Vec<SocketAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.collect()) })
    }
}

/// Makes connections, over TCP, to where they may go.
#[derive(Debug, Clone)]
pub struct GuardedConnector {
    tcp: HttpConnector<Guard>,
    guard: Guard,
}

impl GuardedConnector {
    /// To whatever these names have, or only to what is open. All attempts for one address of the web together take no longer than `within`, names aside.
    pub fn new(names: Arc<dyn Resolve>, open: Option<OpenNetworks>, within: Duration) -> Self {
        let guard = Guard { names, open };
        let mut tcp = HttpConnector::new_with_resolver(guard.clone());
        tcp.enforce_http(false); // https addresses come through here too
        tcp.set_nodelay(true); // small messages, answered at once
        tcp.set_connect_timeout(Some(within));
        Self { tcp, guard }
    }

    /// Asks after this time whether a silent peer is still there.
    #[must_use]
    pub fn keeping_alive(mut self, after: Duration) -> Self {
        self.tcp.set_keepalive(Some(after));
        self
    }
}

impl Service<Uri> for GuardedConnector {
    type Response = TokioIo<TcpStream>;
    type Error = BoxError;
    type Future = Boxed<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.tcp.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        // An address that stands in the URL itself is never resolved, and so is looked at here.
        if let Some(Err(refused)) = literal_address(&uri).map(|address| self.guard.must_be_open(address)) {
            return Box::pin(std::future::ready(Err(refused.into())));
        }
        let connecting = self.tcp.call(uri);
        Box::pin(async move { Ok(connecting.await?) })
    }
}

/// The address that stands in a URL in place of a name. The URL standard has written out every other spelling of one (`0x7f.1`, `2130706433`).
fn literal_address(uri: &Uri) -> Option<IpAddr> {
    let host = uri.host()?;
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host).parse().ok()
}

/// Resolves names, and refuses one of which a single address may not be reached: one that is half inside is none that anybody needs.
#[derive(Clone)]
struct Guard {
    names: Arc<dyn Resolve>,
    /// `None`: whatever the name has.
    open: Option<OpenNetworks>,
}

impl Guard {
    fn must_be_open(&self, address: IpAddr) -> Result<(), AddressRefused> {
        self.open.as_ref().map_or(Ok(()), |open| open.must_be_open(address))
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("open", &self.open).finish_non_exhaustive()
    }
}

impl Service<Name> for Guard {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = BoxError;
    type Future = Boxed<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let this = self.clone();
        Box::pin(async move {
            let addresses = this.names.resolve(name.as_str()).await?;
            addresses.iter().try_for_each(|address| this.must_be_open(address.ip()))?;
            let used: Vec<SocketAddr> = addresses.into_iter().take(ADDRESSES_MAX).collect();
            Ok(used.into_iter())
        })
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::sync::atomic::{AtomicU8, Ordering};

    use tokio::net::TcpListener;

    use super::super::UpstreamUrl;
    use super::*;

    /// A name that leads elsewhere for whoever looks again: to 127.0.0.1 first, then to 127.0.0.2.
    #[derive(Default)]
    struct Rebinding(AtomicU8);

    impl Resolve for Rebinding {
        fn resolve<'a>(&'a self, _: &'a str) -> Boxed<'a, io::Result<Vec<SocketAddr>>> {
            let asked = self.0.fetch_add(1, Ordering::SeqCst) + 1;
            Box::pin(async move { Ok(vec![SocketAddr::from(([127, 0, 0, asked], 0))]) })
        }
    }

    #[tokio::test]
    async fn attack_22_a_name_is_resolved_once_and_the_address_that_was_looked_at_is_the_one() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let uri: Uri = format!("http://rebind.example:{}/", address.port()).parse().unwrap();
        let names = Arc::new(Rebinding::default());
        let open = OpenNetworks::new(|address| address == Ipv4Addr::LOCALHOST);
        let resolve = Arc::<Rebinding>::clone(&names);
        let mut connector = GuardedConnector::new(resolve, Some(open), Duration::from_secs(5));
        let connected = connector.call(uri.clone()).await.expect("a connection");
        assert_eq!(connected.inner().peer_addr().unwrap(), address);
        assert_eq!(names.0.load(Ordering::SeqCst), 1);
        let refused = connector.call(uri).await.map(drop).expect_err("by now it leads elsewhere");
        let chain = std::iter::successors(Some(&*refused as &dyn std::error::Error), |cause| cause.source());
        assert!(chain.map(ToString::to_string).any(|cause| cause.contains("127.0.0.2")), "{refused:?}");
    }

    #[test]
    fn every_spelling_of_an_address_is_that_address() {
        for (text, address) in [
            ("http://127.0.0.1/", Some("127.0.0.1")),
            ("http://0x7f.1/", Some("127.0.0.1")),
            ("http://2130706433/", Some("127.0.0.1")),
            ("http://0177.0.0.1/", Some("127.0.0.1")),
            ("http://127\u{3002}0\u{3002}0\u{3002}1/", Some("127.0.0.1")),
            ("http://[::1]/", Some("::1")),
            ("http://[::ffff:169.254.169.254]/", Some("::ffff:169.254.169.254")),
            ("http://localhost/", None),
        ] {
            let url = UpstreamUrl::parse(text).expect("an address");
            let address = address.map(|address| address.parse().unwrap());
            assert_eq!(literal_address(url.uri()), address, "{text}");
        }
    }

    #[test]
    fn an_address_inside_another_must_be_open_in_both_spellings() {
        let mapped: IpAddr = "::ffff:192.0.2.1".parse().unwrap();
        assert!(OpenNetworks::new(|_| true).must_be_open(mapped).is_ok());
        assert!(OpenNetworks::new(|address| address.is_ipv4()).must_be_open(mapped).is_err());
        assert!(OpenNetworks::new(|address| address.is_ipv6()).must_be_open(mapped).is_err());
    }
}
