//! A consumer of the JetStream stream with a checkpoint of its own, as another system would have: it skips what it knows, and whenever the next
//! message is not the next position it asks again from its checkpoint.

use std::time::Duration;

use api::adapters::nats;
use async_nats::jetstream::consumer::{DeliverPolicy, pull::OrderedConfig};
use async_nats::jetstream::{self};
use futures_util::StreamExt as _;
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::timeout;

use super::seen::Seen;

const SILENCE: Duration = Duration::from_secs(3);
const PAUSE_BEFORE_RETRY: Duration = Duration::from_millis(100);

/// The consumer.
#[derive(Debug)]
pub(super) struct Consumer {
    address: String,
    stream: String,
    /// Its checkpoint, and what it took.
    seen: Seen,
    asked: usize,
    known: usize,
}

impl Consumer {
    /// A consumer of this stream.
    pub(super) fn new(address: String, stream: String) -> Self {
        Self { address, stream, seen: Seen::default(), asked: 0, known: 0 }
    }

    /// Reads until it has seen what the log ends with, once that is known. Answers what it saw, how often it asked, and how many messages it
    /// met again.
    pub(super) async fn consume_to(mut self, head: watch::Receiver<Option<u64>>) -> (Seen, usize, usize) {
        while head.borrow().is_none_or(|head| self.seen.last() < head) {
            let _ = self.ask(&head).await; // whatever it was, it is asked again
            tokio::time::sleep(PAUSE_BEFORE_RETRY).await;
        }
        (self.seen, self.asked, self.known)
    }

    async fn ask(&mut self, head: &watch::Receiver<Option<u64>>) -> Result<(), async_nats::Error> {
        let client = nats::connect(&self.address).await?;
        let stream = jetstream::new(client).get_stream(&self.stream).await?;
        let deliver_policy = DeliverPolicy::ByStartSequence { start_sequence: self.seen.last() + 1 };
        let config = OrderedConfig { deliver_policy, ..OrderedConfig::default() };
        let mut messages = stream.create_consumer(config).await?.messages().await?;
        self.asked += 1;
        while let Some(message) = timeout(SILENCE, messages.next()).await? {
            let message = message?;
            let sequence = message.info()?.stream_sequence;
            if sequence <= self.seen.last() {
                self.known += 1; // the stream was lost and is being filled again
                continue;
            }
            if sequence != self.seen.last() + 1 {
                return Ok(());
            }
            let event: Value = serde_json::from_slice(&message.payload)?;
            assert_eq!(event["position"].as_u64(), Some(sequence), "a message is not at its position");
            self.seen.take("the consumer", &event);
            if *head.borrow() == Some(sequence) {
                return Ok(());
            }
        }
        Ok(())
    }
}
