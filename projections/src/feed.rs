//! The feed: every event after a position, once, in order, as soon as it can be known.
//!
//! Three sources wake it: this process's own doorbell, the messages of the relay on NATS, and the clock. A message that carries exactly
//! the next position is taken as it is (its signature says that the relay sent it); anything else (a hole, an old one, a silence) is settled
//! by asking Postgres. So NATS being slow, down, wiped or put back from a backup makes the feed slower, never wrong. It needs no consumer state in
//! NATS: what a reader has applied is the reader's to know.

use std::sync::Arc;
use std::time::Duration;

use domain::value::Position;
use futures_util::StreamExt as _;
use tokio::sync::watch;

use crate::doorbell::Doorbell;
use crate::log::{LogError, LogReader, Pages};
use crate::recorded::{Envelope, Foldable, Recorded};
use crate::relay::{SIGNATURE_HEADER, SignEnvelope};

/// How long a feed that hears nothing waits before it looks at the log by itself.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Where messages of the relay come from.
#[derive(Clone)]
pub struct Bus {
    /// The connection; it reconnects by itself.
    pub client: async_nats::Client,
    /// Subjects of this log, such as `events.>`.
    pub subjects: String,
    /// Tells the relay's messages from anybody else's.
    pub signer: Arc<dyn SignEnvelope>,
}

impl std::fmt::Debug for Bus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bus").field("subjects", &self.subjects).finish_non_exhaustive()
    }
}

/// Every event after a position.
#[derive(Debug)]
pub struct Feed {
    pages: Pages,
    doorbell: watch::Receiver<Position>,
    bus: Option<(Bus, async_nats::Subscriber)>,
    /// No page was read yet, so there may be some right now.
    fresh: bool,
}

impl Feed {
    /// Everything after `after`. Subscribing fails only when the client is closed; the feed then lives on Postgres alone.
    pub async fn after(after: Position, log: LogReader, doorbell: &Doorbell, bus: Option<Bus>) -> Self {
        let bus = match bus {
            None => None,
            Some(bus) => match bus.client.subscribe(bus.subjects.clone()).await {
                Ok(subscriber) => Some((bus, subscriber)),
                Err(error) => {
                    tracing::warn!(error = %error, "no subscription on NATS; reading the log from Postgres");
                    None
                }
            },
        };
        Self { pages: log.pages(after), doorbell: doorbell.listen(), bus, fresh: true }
    }

    /// The next events: at least one, dense, in order. Waits until there are some. After an error, ask again. A Postgres that does not answer
    /// holds up nothing that comes over NATS.
    pub async fn next(&mut self) -> Result<Vec<Foldable>, LogError> {
        let rung = *self.doorbell.borrow_and_update();
        let mut looks = rung > self.pages.last() || self.fresh || self.pages.is_reading_ahead();
        loop {
            let heard = tokio::select! {
                page = self.pages.next(), if looks => {
                    let page = page?;
                    self.fresh = false;
                    if !page.is_empty() {
                        return Ok(page);
                    }
                    looks = self.pages.is_reading_ahead();
                    continue;
                }
                heard = next_message(&mut self.bus) => heard,
                changed = self.doorbell.changed() => match changed {
                    Ok(()) => {
                        looks |= *self.doorbell.borrow_and_update() > self.pages.last();
                        continue;
                    }
                    Err(_) => std::future::pending().await, // the process is ending
                },
                () = tokio::time::sleep(LOOK_EVERY), if !looks => None,
            };
            match heard {
                Some(event) if event.position == self.pages.last().next() => {
                    self.pages.skip_to(event.position);
                    return Ok(vec![event]);
                }
                Some(event) if event.position <= self.pages.last() => {}
                Some(_) | None => looks = true,
            }
        }
    }
}

/// The next genuine message; never, when there is no bus. `None` when the subscription ended.
async fn next_message(bus: &mut Option<(Bus, async_nats::Subscriber)>) -> Option<Foldable> {
    let Some((source, subscriber)) = bus else { return std::future::pending().await };
    while let Some(message) = subscriber.next().await {
        let signature = message.headers.as_ref().and_then(|headers| headers.get(SIGNATURE_HEADER));
        let genuine = signature.is_some_and(|shown| source.signer.verify(&message.payload, shown.as_str()));
        if !genuine {
            tracing::warn!(subject = %message.subject, "ignoring a message that the relay did not sign");
            continue;
        }
        match serde_json::from_slice::<Envelope>(&message.payload) {
            Ok(envelope) => return Some(Recorded::from(envelope).into_foldable()),
            Err(error) => tracing::warn!(error = %error, "ignoring a message that is no envelope"),
        }
    }
    *bus = None;
    None
}
