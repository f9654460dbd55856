//! Load: as many connections as asked for, one request after the other on each, as little of our own work as possible.
//!
//! The requests are bytes that were made before, and of the answers only what is needed to find their end is looked at: what this
//! process uses of the machine is missing to the others.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;

use crate::measured::Latencies;

/// An answer never has more: lists are small here.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// One connection and its buffer.
struct Line {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Line {
    async fn open(address: &str) -> Self {
        let stream = TcpStream::connect(address).await.expect("it takes connections");
        stream.set_nodelay(true).expect("a socket option");
        Self { stream, buffer: Vec::with_capacity(ANSWER_BYTES_MAX) }
    }

    /// One exchange; the whole answer, head and body, stays in the buffer.
    async fn exchange(&mut self, request: &[u8]) -> Duration {
        let asked = Instant::now();
        self.stream.write_all(request).await.expect("the request goes out");
        self.buffer.clear();
        while !is_whole(&self.buffer) {
            let read = self.stream.read_buf(&mut self.buffer).await.expect("the answer comes in");
            assert!(read > 0, "cut off after {}", String::from_utf8_lossy(&self.buffer));
        }
        asked.elapsed()
    }
}

/// Whether an answer ends here, by `content-length` or by its last chunk (RFC 9112, sections 6.3 and 7.1).
fn is_whole(answer: &[u8]) -> bool {
    let Some(head) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
    let (head, body) = answer.split_at(head + 4);
    assert!(head.starts_with(b"HTTP/1.1 200"), "refused: {}", String::from_utf8_lossy(answer));
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    match head
        .split("content-length: ")
        .nth(1)
        .and_then(|rest| rest.split("\r\n").next()?.parse::<usize>().ok())
    {
        Some(length) => body.len() >= length,
        None => body.ends_with(b"0\r\n\r\n"),
    }
}

/// One answer, to see that it is the right one.
pub(crate) async fn once(address: &str, request: &[u8]) -> String {
    let mut line = Line::open(address).await;
    line.exchange(request).await;
    String::from_utf8_lossy(&line.buffer).into_owned()
}

/// A closed loop: every caller asks again as soon as it is answered.
pub(crate) async fn closed(
    address: &str,
    request: &Arc<[u8]>,
    callers: usize,
    span: Duration,
) -> (Latencies, Duration) {
    let mut lines = Vec::with_capacity(callers);
    for _ in 0..callers {
        let mut line = Line::open(address).await;
        line.exchange(request).await; // connected all the way through
        lines.push(line);
    }
    let started = Instant::now();
    let running: JoinSet<Latencies> = lines
        .into_iter()
        .map(|mut line| {
            let request = Arc::clone(request);
            async move {
                let mut latencies = Latencies::default();
                while started.elapsed() < span {
                    latencies.push(line.exchange(&request).await);
                }
                latencies
            }
        })
        .collect();
    (all(running).await, started.elapsed())
}

/// Each of these requests once, by so many callers.
pub(crate) async fn each(
    address: &str,
    requests: &Arc<[Arc<[u8]>]>,
    callers: usize,
) -> (Latencies, Duration) {
    let next = Arc::new(AtomicUsize::new(0));
    let mut lines = Vec::with_capacity(callers);
    for _ in 0..callers {
        lines.push(Line::open(address).await);
    }
    let started = Instant::now();
    let running: JoinSet<Latencies> = lines
        .into_iter()
        .map(|mut line| {
            let (requests, next) = (Arc::clone(requests), Arc::clone(&next));
            async move {
                let mut latencies = Latencies::default();
                while let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
                    latencies.push(line.exchange(request).await);
                }
                latencies
            }
        })
        .collect();
    (all(running).await, started.elapsed())
}

/// An open loop: so many requests a second whatever the answers do. A request that finds every line busy waits, and its waiting counts.
pub(crate) async fn open(address: &str, request: &Arc<[u8]>, each_second: u32, span: Duration) -> Latencies {
    const LINES: usize = 64;
    let (due, dues) = mpsc::unbounded_channel::<Instant>();
    let dues = Arc::new(Mutex::new(dues));
    let mut running = JoinSet::new();
    for _ in 0..LINES {
        let mut line = Line::open(address).await;
        line.exchange(request).await;
        let (dues, request) = (Arc::clone(&dues), Arc::clone(request));
        running.spawn(async move {
            let mut latencies = Latencies::default();
            loop {
                let Some(asked) = dues.lock().await.recv().await else { return latencies };
                line.exchange(&request).await;
                latencies.push(asked.elapsed());
            }
        });
    }
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / each_second);
    let started = Instant::now();
    while started.elapsed() < span {
        ticks.tick().await;
        due.send(Instant::now()).expect("somebody takes it");
    }
    drop(due);
    all(running).await
}

async fn all(mut running: JoinSet<Latencies>) -> Latencies {
    let mut all = Latencies::default();
    while let Some(latencies) = running.join_next().await {
        all.extend(latencies.expect("a caller ends"));
    }
    all
}
