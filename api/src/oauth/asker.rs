//! Whoever asks at an endpoint, as far as it is counted: by the address that the request comes from.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use http::request::Parts;

use super::Oauth;
use crate::limits::Subscriber;

impl<P: Send + Sync> FromRequestParts<Oauth<P>> for Subscriber {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, oauth: &Oauth<P>) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(peer)| peer.ip());
        Ok(Self::of(oauth.limits.caller(peer, &parts.headers)))
    }
}
