//! An upstream for tests: a raw TCP server that plays a script on each connection, well-behaved or not.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use crate::upstream::{Patience, Reach, UpstreamRequest, UpstreamUrl};

/// What the server does once it has read a request.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Write(Bytes),
    Pause(Duration),
    /// Writes the piece so many times, or until the other side is gone.
    Flood(Bytes, usize),
    /// Reads until the other side closes.
    AwaitClose,
}

/// What the server saw.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// A whole request, head and body.
    Request(String),
    /// The other side closed while [`Step::AwaitClose`] was waiting.
    Closed,
    /// How many bytes a flood got rid of.
    Flooded(usize),
}

pub(crate) struct ScriptedServer {
    address: SocketAddr,
    seen: mpsc::UnboundedReceiver<Seen>,
}

impl ScriptedServer {
    /// Plays the script for each request. The connection closes after the last step, unless it is to be kept alive.
    pub(crate) async fn start(script: Vec<Step>, keep_alive: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (report, seen) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                let (script, report) = (script.clone(), report.clone());
                tokio::spawn(async move {
                    while play(&mut connection, &script, &report).await.is_some() && keep_alive {}
                });
            }
        });
        Self { address, seen }
    }

    /// One that answers with these bytes and closes.
    pub(crate) async fn answering(answer: impl Into<Bytes>) -> Self {
        Self::start(vec![Step::Write(answer.into())], false).await
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
    }

    pub(crate) fn request(&self, body: &'static str) -> UpstreamRequest {
        UpstreamRequest {
            method: http::Method::POST,
            url: UpstreamUrl::parse(&self.url()).expect("an address"),
            headers: http::HeaderMap::new(),
            body: Bytes::from_static(body.as_bytes()),
            patience: Patience::Call,
            reach: Reach::Anywhere,
        }
    }

    /// The next thing that it saw; a test never waits longer than five seconds.
    pub(crate) async fn next(&mut self) -> Seen {
        timeout(Duration::from_secs(5), self.seen.recv()).await.expect("in time").expect("the server runs")
    }
}

/// An answer of the given type in chunked coding, left open for more.
pub(crate) fn chunked_head(content_type: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ntransfer-encoding: chunked\r\n\r\n")
}

/// One chunk.
pub(crate) fn chunk(payload: &str) -> String {
    format!("{:x}\r\n{payload}\r\n", payload.len())
}

/// The end of a chunked answer.
pub(crate) const LAST_CHUNK: &str = "0\r\n\r\n";

/// A whole answer with a length.
pub(crate) fn answer(status: &str, content_type: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

async fn play(
    connection: &mut TcpStream,
    script: &[Step],
    report: &mpsc::UnboundedSender<Seen>,
) -> Option<()> {
    let request = read_request(connection).await?;
    report.send(Seen::Request(request)).ok()?;
    for step in script {
        match step {
            Step::Write(bytes) => connection.write_all(bytes).await.ok()?,
            Step::Pause(time) => sleep(*time).await,
            Step::Flood(piece, times) => {
                let mut written = 0;
                for _ in 0..*times {
                    match connection.write(piece).await {
                        Ok(bytes) => written += bytes,
                        Err(_) => break,
                    }
                }
                report.send(Seen::Flooded(written)).ok()?;
            }
            Step::AwaitClose => {
                while connection.read(&mut [0; 64]).await.is_ok_and(|bytes| bytes > 0) {}
                report.send(Seen::Closed).ok()?;
            }
        }
    }
    Some(())
}

async fn read_request(connection: &mut TcpStream) -> Option<String> {
    let mut read = Vec::new();
    loop {
        let mut piece = [0; 4096];
        match connection.read(&mut piece).await {
            Ok(bytes) if bytes > 0 => read.extend_from_slice(&piece[..bytes]),
            Ok(_) | Err(_) => return None,
        }
        let text = String::from_utf8_lossy(&read);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
        if body.len() >= length.parse().expect("a number") {
            return Some(text.into_owned());
        }
    }
}
