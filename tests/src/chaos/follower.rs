//! A reader of `GET /v1/events/stream` who is cut off again and again, and resumes at any node with `Last-Event-ID`.

use std::time::Duration;

use harness::{Frames, Http};
use tokio::sync::watch;
use tokio::time::timeout;

use super::seen::Seen;
use crate::kill::dice::Dice;

/// A node says every 10 s that it is there; whoever hears less often than this looks elsewhere.
const SILENCE: Duration = Duration::from_secs(3);
const PAUSE_BEFORE_RETRY: Duration = Duration::from_millis(50);
/// After at most so many events it leaves by itself.
const EVENTS_MAX: usize = 2_000;

/// One reader.
#[derive(Debug)]
pub(super) struct Follower {
    name: String,
    nodes: Vec<Http>,
    dice: Dice,
    seen: Seen,
    connections: usize,
}

impl Follower {
    /// A reader who knows these nodes.
    pub(super) fn new(number: usize, nodes: Vec<Http>, dice: Dice) -> Self {
        let name = format!("follower {number}");
        Self { name, nodes, dice, seen: Seen::default(), connections: 0 }
    }

    /// Reads until it has seen what the log ends with, once that is known. Answers what it saw and how often it had to connect.
    pub(super) async fn follow_to(mut self, head: watch::Receiver<Option<u64>>) -> (Seen, usize) {
        while head.borrow().is_none_or(|head| self.seen.last() < head) {
            self.read_from_one_node(&head).await;
            tokio::time::sleep(PAUSE_BEFORE_RETRY).await;
        }
        (self.seen, self.connections)
    }

    async fn read_from_one_node(&mut self, head: &watch::Receiver<Option<u64>>) {
        let node = &self.nodes[self.dice.below(self.nodes.len())];
        let http = node.clone().with("last-event-id", &self.seen.last().to_string());
        let Ok(answer) = http.try_open("/v1/events/stream", SILENCE).await else { return };
        let status = answer.status().as_u16();
        if status != 200 {
            // The node is not there yet, or its log is not, or it has too many readers who left without a word.
            assert!(matches!(status, 409 | 429 | 503), "{} is told {status}", self.name);
            return;
        }
        self.connections += 1;
        let mut frames = Frames::of(answer.into_body());
        let mut stays = 1 + self.dice.below(EVENTS_MAX);
        while let Ok(Ok(Some(frame))) = timeout(SILENCE, frames.next()).await {
            if frame.event.is_some() {
                return; // it ends, and says why
            }
            if let Some(event) = frame.data {
                self.seen.take(&self.name, &event);
                assert_eq!(frame.id, Some(self.seen.last()), "{}: the id is not the position", self.name);
                stays -= 1;
            }
            if stays == 0 || *head.borrow() == Some(self.seen.last()) {
                return;
            }
        }
    }
}
