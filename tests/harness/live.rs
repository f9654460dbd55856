//! Server-sent events as a client reads them (WHATWG HTML, section 9.2).

use std::collections::VecDeque;

use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde_json::Value;

/// One block of a live stream.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Frame {
    /// What to resume after.
    pub id: Option<u64>,
    /// Its type, when it has one.
    pub event: Option<String>,
    /// What it says.
    pub data: Option<Value>,
}

/// The blocks of one answer.
#[derive(Debug)]
pub struct Frames {
    body: Incoming,
    unread: Vec<u8>,
    ready: VecDeque<Frame>,
}

impl Frames {
    /// Those of this body.
    pub fn of(body: Incoming) -> Self {
        Self { body, unread: Vec::new(), ready: VecDeque::new() }
    }

    /// The next one; `None` when the stream has ended in order.
    pub async fn next(&mut self) -> Result<Option<Frame>, hyper::Error> {
        loop {
            if let Some(frame) = self.ready.pop_front() {
                return Ok(Some(frame));
            }
            let Some(part) = self.body.frame().await.transpose()? else { return Ok(None) };
            let bytes = part.into_data().expect("no trailers");
            self.unread.extend_from_slice(&bytes);
            // Only whole blocks are text for sure: what is sent at once may come in pieces.
            let Some(end) = self.unread.windows(2).rposition(|two| two == b"\n\n") else { continue };
            let whole: Vec<u8> = self.unread.drain(..end + 2).collect();
            let blocks = std::str::from_utf8(&whole).expect("UTF-8").trim_end_matches('\n').split("\n\n");
            self.ready.extend(blocks.map(frame));
        }
    }
}

fn frame(block: &str) -> Frame {
    let mut frame = Frame::default();
    for line in block.lines() {
        match line.split_once(": ") {
            Some(("id", id)) => frame.id = Some(id.parse().expect("a position")),
            Some(("event", event)) => frame.event = Some(event.to_owned()),
            Some(("data", data)) => frame.data = Some(serde_json::from_str(data).expect("JSON")),
            Some(("retry" | "", _)) => {}
            other => panic!("{other:?} in {block:?}"),
        }
    }
    frame
}
