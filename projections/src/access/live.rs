//! The view of this node, kept up with the log.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};
use domain::value::Position;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::AccessView;
use crate::doorbell::Doorbell;
use crate::feed::{Bus, Feed};
use crate::freshness::{Freshness, Mono};
use crate::log::LogReader;

const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(100);

/// How often a view that is catching up is shown.
const SHOW_EVERY_EVENTS: u64 = 1_000_000;

/// Stages of a view: starting (0), following, stopped for good.
const FOLLOWING: u8 = 1;
const STOPPED: u8 = 2;

/// A view that is always there and always a little newer.
#[derive(Debug, Clone, Default)]
pub struct LiveView {
    current: Arc<ArcSwap<AccessView>>,
    applied: Doorbell,
    stage: Arc<AtomicU8>,
    freshness: Freshness,
}

/// A view, and how old it can be.
#[derive(Debug, Clone)]
pub struct Held {
    /// The view.
    pub view: Arc<AccessView>,
    /// It holds everything that was committed at this moment.
    pub as_of: Mono,
}

impl LiveView {
    /// A view that decides up to a certain age.
    pub fn new(freshness: Freshness) -> Self {
        Self { freshness, ..Self::default() }
    }

    /// How old this view can be.
    pub const fn freshness(&self) -> &Freshness {
        &self.freshness
    }

    /// The view and its age, of which the age was read first: a reader that is paused in between finds a newer view, never a newer age.
    pub fn hold(&self) -> Held {
        let as_of = self.freshness.as_of();
        Held { view: self.current.load_full(), as_of }
    }

    /// Whether decisions may rest on it right now: it keeps up, and is no older than it may be.
    pub fn is_fresh(&self) -> bool {
        self.is_following() && self.freshness.holds(self.freshness.as_of())
    }

    /// The view as of now: one consistent snapshot, without a lock.
    pub fn load(&self) -> Guard<Arc<AccessView>> {
        self.current.load()
    }

    /// Waits until the view holds everything up to a position.
    pub async fn reached(&self, position: Position) {
        self.applied.reached(position).await;
    }

    /// Wakes whenever the view holds more.
    pub fn listen(&self) -> watch::Receiver<Position> {
        self.applied.listen()
    }

    /// Whether decisions may rest on it: it has caught up once and keeps up. Not while it starts, nor after it has stopped.
    pub fn is_following(&self) -> bool {
        self.stage.load(Ordering::Acquire) == FOLLOWING
    }

    /// Keeps up with the log until told to stop. An event that cannot be understood stops the view, loudly: going on without it could admit
    /// somebody whom it shuts out.
    pub async fn follow(
        &self,
        log: LogReader,
        doorbell: Doorbell,
        bus: Option<Bus>,
        stop: CancellationToken,
    ) {
        let mut view = AccessView::clone(&self.current.load());
        let Some(first_head) = first_head(&log, &stop).await else { return };
        let mut feed = Feed::after(view.position(), log, &doorbell, bus).await;
        loop {
            if view.position() >= first_head {
                self.stage.store(FOLLOWING, Ordering::Release);
            }
            let events = tokio::select! {
                () = stop.cancelled() => return,
                events = feed.next() => events,
            };
            match events {
                Ok(events) => {
                    for event in &events {
                        let taken =
                            if self.is_following() { view.apply(event) } else { view.catch_up(event) };
                        if let Err(error) = taken {
                            tracing::error!(error = %error, "the access view stops; this node is not ready until it is upgraded");
                            self.stage.store(STOPPED, Ordering::Release);
                            return;
                        }
                    }
                    // A published view is shared, so the next fold copies what it changes: while catching up, when nobody may decide by
                    // it yet, it is shown only now and then, for whoever watches the progress.
                    let shown = self.current.load().position().get();
                    if view.position() >= first_head || view.position().get() - shown >= SHOW_EVERY_EVENTS {
                        self.publish(&view);
                    }
                    if self.is_following() {
                        for event in &events {
                            self.freshness.observe(event.recorded_at);
                        }
                    }
                    doorbell.ring(view.position()); // what came over NATS is news to the other readers of this node
                }
                Err(error) => {
                    tracing::warn!(error = %error, "the access view waits for the log");
                    tokio::time::sleep(PAUSE_AFTER_ERROR).await;
                }
            }
        }
    }

    fn publish(&self, view: &AccessView) {
        let position = view.position();
        self.current.store(Arc::new(view.clone()));
        self.freshness.applied(position);
        self.applied.ring(position);
    }
}

/// How far the log reached when we began; asked until the log answers.
async fn first_head(log: &LogReader, stop: &CancellationToken) -> Option<Position> {
    loop {
        match log.head().await {
            Ok(head) => return Some(head),
            Err(error) => tracing::warn!(error = %error, "the access view waits for the log"),
        }
        tokio::select! {
            () = stop.cancelled() => return None,
            () = tokio::time::sleep(PAUSE_AFTER_ERROR) => {}
        }
    }
}
