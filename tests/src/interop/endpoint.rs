//! What a client is pointed at: the server itself, or an instance of the gateway in front of it.

use harness::{Instance, World};
use url::Url;

/// An address and the key that opens it.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) url: Url,
    pub(super) api_key: String,
    _gateway: Option<(World, Instance)>,
}

impl Endpoint {
    /// The server itself. It asks for no key; the client presents one all the same.
    pub(super) fn direct(upstream: &Url) -> Self {
        Self { url: upstream.clone(), api_key: "sk_test_direct".to_owned(), _gateway: None }
    }

    /// The same endpoint with another key.
    pub(super) fn with_key(&self, api_key: &str) -> Self {
        Self { url: self.url.clone(), api_key: api_key.to_owned(), _gateway: None }
    }
}

/// An instance of the gateway in front of `upstream` that exposes `tools` only, or all of them.
pub(super) async fn through_gateway(upstream: &Url, tools: Option<&[&str]>) -> Endpoint {
    let world = World::start().await;
    let instance = match tools {
        None => world.instance_in_front_of(upstream).await,
        Some(tools) => world.instance_in_front_of(upstream).await.exposing(tools).await,
    };
    Endpoint {
        url: instance.mcp_url(),
        api_key: instance.api_key().to_owned(),
        _gateway: Some((world, instance)),
    }
}

/// An instance of the gateway in front of several servers, registered under these names.
pub(super) async fn in_front_of_all(upstreams: &[(&str, &Url)]) -> Endpoint {
    let world = World::start().await;
    let instance = world.instance_in_front_of_all(upstreams).await;
    Endpoint {
        url: instance.mcp_url(),
        api_key: instance.api_key().to_owned(),
        _gateway: Some((world, instance)),
    }
}
