//! Keeps a node's knowledge fresh: hears the watermarks of others, looks by itself when it must, and tells the others what it saw.
//!
//! ```text
//!   a watermark of a smaller name within SILENCE_MAX --> listens; looks only to renew its clock map
//!   none                                             --> looks every LOOK_EVERY and tells
//! ```
//! So of any number of nodes one asks Postgres for all of them, without an election: when it falls silent others begin within `SILENCE_MAX`, and
//! all but the one with the smallest name stop again. Whether its word is late is judged by when the look was made, not by when it came.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_nats::HeaderMap;
use async_nats::connection::State;
use futures_util::StreamExt as _;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::Freshness;
use super::look::{Look, LookError, Looks};
use super::mono::Mono;
use super::watermark::Watermark;
use crate::doorbell::Doorbell;
use crate::relay::{SIGNATURE_HEADER, SignEnvelope};

/// How often the log is looked at for everybody.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// After so long without anybody's look a node looks by itself.
const SILENCE_MAX: Duration = Duration::from_millis(150);
/// How often the clock map is renewed.
const MAP_EVERY: Duration = Duration::from_secs(2);
/// An answer that takes longer proves too little to be waited for.
const LOOK_WAIT: Duration = Duration::from_secs(1);
/// After a head is known, events may take this long over NATS before Postgres is asked for them.
const EVENTS_WAIT: Duration = Duration::from_millis(25);
const SAY_AGAIN_AFTER: Duration = Duration::from_mins(1);

/// Where watermarks travel: core NATS, since one that was missed is worth nothing.
#[derive(Clone)]
pub struct Watermarks {
    /// The connection; it reconnects by itself.
    pub client: async_nats::Client,
    /// Their subject, beside those of the events.
    pub subject: String,
    /// Tells the relay's word from anybody else's.
    pub signer: Arc<dyn SignEnvelope>,
}

impl std::fmt::Debug for Watermarks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watermarks").field("subject", &self.subject).finish_non_exhaustive()
    }
}

/// Keeps one view's freshness.
#[derive(Debug)]
pub struct Watch {
    /// Of what.
    pub freshness: Freshness,
    /// Who looks.
    pub node: Uuid,
    /// Where it looks.
    pub looks: Looks,
    /// Where it tells and hears, if there is such a place.
    pub watermarks: Option<Watermarks>,
    /// Rung when the view is behind what is known.
    pub doorbell: Doorbell,
}

/// When a look of somebody with a smaller name was made last.
#[derive(Debug, Default)]
struct Herald(AtomicU64);

impl Watch {
    /// Watches until told to stop.
    pub async fn run(self, stop: CancellationToken) {
        let herald = Herald::default();
        let hearing = hear(&self.freshness, self.node, self.watermarks.as_ref(), &herald);
        let late = fetch_late_events(&self.freshness, &self.doorbell);
        let (freshness, node, watermarks, doorbell) =
            (&self.freshness, self.node, self.watermarks.as_ref(), &self.doorbell);
        let mut looks = self.looks;
        let looking = async {
            let mut says = Says::default();
            loop {
                let begun = freshness.now();
                if herald.is_silent(begun) || freshness.map_age().is_none_or(|age| age >= MAP_EVERY) {
                    match looks.look(|| freshness.now(), LOOK_WAIT).await {
                        Ok(look) => {
                            freshness.looked(&look);
                            tell(watermarks, &look, node).await;
                            if watermarks.is_none() {
                                doorbell.ring(look.head);
                            }
                            says.nothing();
                        }
                        Err(error) => says.once(&error),
                    }
                }
                tokio::time::sleep(LOOK_EVERY.saturating_sub(freshness.now().since(begun))).await;
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = hearing => {}
            () = late => {}
            () = looking => {}
        }
        looks.close().await;
    }
}

impl Herald {
    fn was_heard(&self, as_of: Mono) {
        self.0.fetch_max(as_of.nanos(), Ordering::AcqRel);
    }

    fn is_silent(&self, now: Mono) -> bool {
        now.since(Mono::from_nanos(self.0.load(Ordering::Acquire))) >= SILENCE_MAX
    }
}

/// Hears the watermarks of others.
async fn hear(freshness: &Freshness, node: Uuid, watermarks: Option<&Watermarks>, herald: &Herald) {
    let Some(watermarks) = watermarks else { return std::future::pending().await };
    loop {
        if let Ok(mut heard) = watermarks.client.subscribe(watermarks.subject.clone()).await {
            while let Some(message) = heard.next().await {
                let received = freshness.now();
                let signature = message.headers.as_ref().and_then(|headers| headers.get(SIGNATURE_HEADER));
                let genuine =
                    signature.is_some_and(|shown| watermarks.signer.verify(&message.payload, shown.as_str()));
                if !genuine {
                    tracing::warn!(subject = %message.subject, "ignoring a watermark that no relay signed");
                    continue;
                }
                let Some(watermark) = Watermark::parse(&message.payload) else { continue };
                let looked_at = freshness.heard(&watermark, received);
                if let Some(as_of) = looked_at.filter(|_| watermark.relay < node) {
                    herald.was_heard(as_of);
                }
            }
        }
        tokio::time::sleep(SILENCE_MAX).await; // the client was closed: Postgres is looked at meanwhile
    }
}

/// Tells the others. Never waits for a NATS that is away: what is told late is worth nothing.
async fn tell(watermarks: Option<&Watermarks>, look: &Look, node: Uuid) {
    let Some(Watermarks { client, subject, signer }) = watermarks else { return };
    let Some(body) = Watermark::of(look, node).to_bytes() else { return };
    if client.connection_state() != State::Connected {
        return;
    }
    let mut headers = HeaderMap::new();
    headers.insert(SIGNATURE_HEADER, signer.sign(&body));
    let telling = client.publish_with_headers(subject.clone(), headers, body);
    if !matches!(tokio::time::timeout(LOOK_EVERY, telling).await, Ok(Ok(()))) {
        tracing::debug!("a watermark could not be told");
    }
}

/// Wakes the feed when the log is known to hold more than has come.
async fn fetch_late_events(freshness: &Freshness, doorbell: &Doorbell) {
    loop {
        if let Some(head) = freshness.is_behind_for(EVENTS_WAIT) {
            doorbell.ring(head);
        }
        tokio::time::sleep(EVENTS_WAIT).await;
    }
}

/// Says what is wrong when it begins, and again while it lasts.
#[derive(Default)]
struct Says(Option<Instant>);

impl Says {
    fn once(&mut self, error: &LookError) {
        if self.0.is_none_or(|at| at.elapsed() >= SAY_AGAIN_AFTER) {
            self.0 = Some(Instant::now());
            tracing::warn!(error = %error, "the head of the log cannot be looked up; the view of this node grows old unless others look");
        }
    }

    fn nothing(&mut self) {
        self.0 = None;
    }
}
