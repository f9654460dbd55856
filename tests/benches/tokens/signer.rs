//! The floor: a handler that signs a token as long as ours with a key that was parsed once, and nothing else.

use std::convert::Infallible;
use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;

/// As long as what a token of ours says.
const CLAIMS_BYTES: usize = 380;
const HEADER: &[u8] =
    br#"{"alg":"RS256","typ":"at+jwt","kid":"0000000000000000000000000000000000000000000"}"#;

/// The request, as long as one for a token.
pub(crate) fn request(address: &str) -> Arc<[u8]> {
    let body = "grant_type=client_credentials&scope=mcp:write";
    let head = format!(
        "POST /token HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    Arc::from(format!("{head}{body}").into_bytes())
}

/// Signs until it is killed.
pub(crate) async fn run() {
    let key = Arc::new(RsaKeyPair::generate(KeySize::Rsa2048).expect("a key"));
    assert!(!key.public_key().as_ref().is_empty());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    crate::process::ready(&listener);
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        drop(stream.set_nodelay(true));
        let key = Arc::clone(&key);
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(Arc::clone(&key), request));
            let server = auto::Builder::new(TokioExecutor::new());
            drop(server.serve_connection(TokioIo::new(stream), service).await);
        });
    }
}

async fn answer(
    key: Arc<RsaKeyPair>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    drop(request.into_body().collect().await);
    // On the threads for slow work, as every server must that answers others meanwhile.
    let token = tokio::task::spawn_blocking(move || token(&key)).await.expect("a token");
    let body =
        format!(r#"{{"access_token":"{token}","token_type":"Bearer","expires_in":600,"scope":"mcp:write"}}"#);
    let answer = Response::builder().header("content-type", "application/json").body(Full::from(body));
    Ok(answer.expect("an answer"))
}

fn token(key: &RsaKeyPair) -> String {
    let mut token = URL_SAFE_NO_PAD.encode(HEADER);
    token.push('.');
    URL_SAFE_NO_PAD.encode_string([b' '; CLAIMS_BYTES], &mut token);
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), token.as_bytes(), &mut signature).expect("a signature");
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(&signature, &mut token);
    token
}
