//! Something in front of the gateway that presents an API key, because the suite presents none: everything else passes as it comes, in both
//! directions, piece by piece. To web pages it stands for the gateway: its own origin becomes the gateway's.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use hyper::header::{HOST, HeaderValue, ORIGIN};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;
use url::Url;

#[derive(Clone)]
struct Shim {
    client: Client<HttpConnector, Body>,
    target: Url,
    own_origin: String,
    api_key: HeaderValue,
}

/// The address under which `target` is reached with this key.
pub(super) async fn in_front_of(target: &Url, api_key: &str) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
    let address: SocketAddr = listener.local_addr().expect("a bound address");
    let shim = Shim {
        client: Client::builder(TokioExecutor::new()).build_http(),
        target: target.clone(),
        own_origin: format!("http://{address}"),
        api_key: HeaderValue::from_str(api_key).expect("a key"),
    };
    let router = axum::Router::new().fallback(pass).with_state(shim);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Url::parse(&format!("http://{address}/mcp")).expect("an address")
}

async fn pass(State(shim): State<Shim>, mut request: Request) -> Response {
    *request.uri_mut() = shim.target.as_str().parse().expect("an address");
    let headers = request.headers_mut();
    headers.remove(HOST);
    headers.insert("x-api-key", shim.api_key);
    if headers.get(ORIGIN).is_some_and(|origin| origin.as_bytes() == shim.own_origin.as_bytes()) {
        let origin = shim.target.origin().ascii_serialization();
        headers.insert(ORIGIN, HeaderValue::from_str(&origin).expect("an origin"));
    }
    shim.client.request(request).await.expect("the gateway answers").map(Body::new)
}
