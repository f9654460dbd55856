//! How long after an acknowledged revocation a node still serves the key: measured from the acknowledgement to the sending of a call that is
//! served, so never more than it is. How often the revocation was met is counted, or a run in which nobody asked would look the best.

use std::time::{Duration, Instant};

use harness::Http;
use hyper::Method;
use serde_json::{Value, json};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::people::Revoked;

const ANSWER_WAIT: Duration = Duration::from_millis(500);
/// How long each key is tried at each node, even while the node does not answer.
const TRIED_FOR: Duration = Duration::from_secs(10);

/// The call that a key is tried with.
pub(super) fn call(tool: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": tool, "arguments": {} } })
}

/// What was seen of revocations.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Observed {
    /// The longest service after one.
    pub(super) longest_service: Duration,
    /// How many keys were refused in the end.
    pub(super) refused: usize,
}

impl Observed {
    /// At either of two nodes.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            longest_service: self.longest_service.max(other.longest_service),
            refused: self.refused + other.refused,
        }
    }
}

/// Tries every revoked key at one node until nobody tells of any more.
pub(super) async fn observe(url: String, instance: String, mut told: Receiver<Revoked>) -> Observed {
    let (path, call) = (format!("/mcp/{instance}"), call("grep"));
    let (mut tried, mut seen): (Vec<Revoked>, Observed) = (Vec::new(), Observed::default());
    loop {
        let heard = if tried.is_empty() { Some(told.recv().await) } else { told.try_recv().ok().map(Ok) };
        match heard {
            Some(Ok(revoked)) => tried.push(revoked),
            Some(Err(RecvError::Closed)) => return seen,
            Some(Err(RecvError::Lagged(_))) | None => {}
        }
        tried.retain(|revoked| revoked.at.elapsed() < TRIED_FOR);
        for place in (0..tried.len()).rev() {
            let Revoked { key, at } = &tried[place];
            let (http, sent) = (Http::new(&url).as_key(&key.text), Instant::now());
            let Ok(answer) = http.attempt(Method::POST, &path, &call, ANSWER_WAIT).await else { continue };
            match answer.status.as_u16() {
                200 => seen.longest_service = seen.longest_service.max(sent - *at),
                // A node that has not heard of the key at all refuses it, too, and may serve it for a moment yet.
                401 if answer.body()["error"]["data"]["reason"] == "key-revoked" => {
                    seen.refused += 1;
                    tried.swap_remove(place);
                }
                _ => {} // it refuses for another reason, and may serve again
            }
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
