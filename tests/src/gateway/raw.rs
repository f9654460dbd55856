//! One TCP connection, spoken by hand: for what well-behaved clients never send.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(10);

/// A connection.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    read: BytesMut,
}

/// An answer.
#[derive(Debug)]
pub(super) struct RawAnswer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

impl Connection {
    pub(super) async fn open(address: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(address).await.expect("the node listens"), read: BytesMut::new() }
    }

    /// Sends these bytes. A peer that has closed meanwhile is not an error: its answer is still to be read.
    pub(super) async fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes).await;
    }

    /// A POST with these further header lines, each ended by CRLF.
    pub(super) async fn post(&mut self, path: &str, lines: &str, body: &str) {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\ncontent-length: {}\r\n{lines}\r\n",
            body.len()
        );
        self.send(format!("{head}{body}").as_bytes()).await;
    }

    /// The next answer, whose length must be given; `None` when the connection ended before it.
    pub(super) async fn answer(&mut self) -> Option<RawAnswer> {
        let head_bytes = loop {
            if let Some(at) = self.read.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            self.more().await?;
        };
        let head = String::from_utf8_lossy(&self.read[..head_bytes]).to_lowercase();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length = length.map_or(0, |length| length.trim().parse().expect("a length"));
        while self.read.len() < head_bytes + length {
            self.more().await?;
        }
        let answer = self.read.split_to(head_bytes + length);
        Some(RawAnswer { status, body: answer[head_bytes..].to_vec() })
    }

    async fn more(&mut self) -> Option<()> {
        let read = timeout(PATIENCE, self.stream.read_buf(&mut self.read)).await.expect("an answer in time");
        read.ok().filter(|bytes| *bytes > 0).map(drop)
    }
}
