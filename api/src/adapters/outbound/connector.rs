//! A connection to exactly the address that was looked at: a name is resolved once, here, and nothing behind this resolves it again, so that a name
//! that leads elsewhere a moment later (DNS rebinding) leads nowhere.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::Uri;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower::Service;

use super::routable::is_global;
use super::{Loopback, OutboundError};

/// Addresses that one name may have; of more, the rest is not looked at.
const ADDRESSES_MAX: usize = 16;

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where a name leads.
pub(crate) trait Resolve: Send + Sync {
    /// All of its addresses.
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> Boxed<'a, io::Result<Vec<SocketAddr>>>;
}

/// As the machine resolves names.
#[derive(Debug)]
pub(super) struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> Boxed<'a, io::Result<Vec<SocketAddr>>> {
        Box::pin(
            async move { Ok(tokio::net::lookup_host((host, port)).await?.take(ADDRESSES_MAX).collect()) },
        )
    }
}

/// Connects where strangers may send us.
#[derive(Clone)]
pub(super) struct Checked {
    pub(super) resolve: Arc<dyn Resolve>,
    pub(super) loopback: Loopback,
    pub(super) within: std::time::Duration,
}

impl Checked {
    /// The addresses of a host, if every one of them may be reached: a name that is half inside is none that anybody needs.
    pub(super) async fn addresses(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, OutboundError> {
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let found = if let Ok(address) = bare.parse::<IpAddr>() {
            vec![SocketAddr::new(address, port)]
        } else {
            let found = self.resolve.resolve(bare, port).await;
            found.map_err(|error| OutboundError::Unreachable(error.to_string()))?
        };
        match found.iter().find(|address| !self.may_reach(address.ip())) {
            Some(_) => Err(OutboundError::Address),
            None if found.is_empty() => Err(OutboundError::Unreachable("the name has no address".to_owned())),
            None => Ok(found),
        }
    }

    fn may_reach(&self, address: IpAddr) -> bool {
        match self.loopback {
            Loopback::Allowed if address.is_loopback() => true,
            Loopback::Allowed | Loopback::Refused => is_global(address),
        }
    }

    async fn connected(self, uri: Uri) -> Result<TokioIo<TcpStream>, OutboundError> {
        let host = uri.host().ok_or(OutboundError::Url)?;
        let usual = if uri.scheme_str() == Some("https") { 443 } else { 80 };
        let port = uri.port_u16().unwrap_or(usual);
        let mut why = OutboundError::Unreachable("no address answers".to_owned());
        for address in self.addresses(host, port).await? {
            match TcpStream::connect(address).await {
                Ok(stream) => {
                    stream
                        .set_nodelay(true)
                        .map_err(|error| OutboundError::Unreachable(error.to_string()))?;
                    return Ok(TokioIo::new(stream));
                }
                Err(error) => why = OutboundError::Unreachable(error.to_string()),
            }
        }
        Err(why)
    }
}

impl Service<Uri> for Checked {
    type Response = TokioIo<TcpStream>;
    type Error = OutboundError;
    type Future = Boxed<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let (this, within) = (self.clone(), self.within);
        Box::pin(async move {
            let connected = tokio::time::timeout(within, this.connected(uri)).await;
            connected.unwrap_or(Err(OutboundError::TooSlow))
        })
    }
}
