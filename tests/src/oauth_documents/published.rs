//! A server on which somebody publishes what describes a client, or something else.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// A connection, sealed or not.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// What is answered, byte for byte, and how often somebody came.
#[derive(Clone)]
pub(crate) struct Published {
    /// The address of the document: the `client_id`.
    pub(crate) url: String,
    answer: Arc<Mutex<Vec<u8>>>,
    came: Arc<AtomicUsize>,
    serving: Arc<Mutex<Option<tokio::task::JoinHandle<()>>>>,
}

impl Published {
    /// With the description of a public client.
    pub(crate) async fn start(redirect_uri: &str) -> Self {
        Self::behind(redirect_uri, None).await
    }

    /// The same, over https where there is something to prove who it is with.
    pub(crate) async fn behind(redirect_uri: &str, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}/client.json", listener.local_addr().expect("an address"));
        let published = Self { url, answer: Arc::default(), came: Arc::default(), serving: Arc::default() };
        published.says(&published.described("Desk", &[redirect_uri]));
        let serving = published.clone();
        let task = tokio::spawn(async move {
            let mut open: Vec<Box<dyn Stream>> = Vec::new();
            while let Ok((stream, _)) = listener.accept().await {
                let mut stream: Box<dyn Stream> = match &tls {
                    None => Box::new(stream),
                    Some(tls) => match tls.accept(stream).await {
                        Ok(stream) => Box::new(stream),
                        Err(_) => continue, // whoever came does not trust us
                    },
                };
                serving.came.fetch_add(1, Ordering::SeqCst);
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let answer = serving.answer.lock().expect("the answer").clone();
                let _ = stream.write_all(&answer).await;
                let _ = stream.flush().await;
                open.push(stream); // whoever waits for more waits for long
            }
        });
        *published.serving.lock().expect("the task") = Some(task);
        published
    }

    /// A description of the client at this address.
    pub(crate) fn described(&self, name: &str, redirect_uris: &[&str]) -> Value {
        json!({
            "client_id": self.url,
            "client_name": name,
            "redirect_uris": redirect_uris,
            "grant_types": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_method": "none",
        })
    }

    /// From now on it says this.
    pub(crate) fn says(&self, document: &Value) {
        self.answers("200 OK", "content-type: application/json\r\n", document.to_string().as_bytes());
    }

    /// From now on it answers this.
    pub(crate) fn answers(&self, status: &str, headers: &str, body: &[u8]) {
        let head = format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n", body.len());
        *self.answer.lock().expect("the answer") = [head.as_bytes(), body].concat();
    }

    /// Nobody answers there any more.
    pub(crate) async fn stop(&self) {
        let task = self.serving.lock().expect("the task").take().expect("it is there");
        task.abort();
        let _ = task.await; // with it, the port
    }

    /// How often somebody came.
    pub(crate) fn came(&self) -> usize {
        self.came.load(Ordering::SeqCst)
    }
}
