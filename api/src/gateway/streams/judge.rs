//! The judge of all open streams of a node.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use domain::instance::WhenStale;
use domain::policy::{self, Facts, Target};
use domain::value::{Position, Timestamp};
use futures_util::StreamExt as _;
use mcp::error::RpcError;
use projections::access::{AccessView, Basis};
use tokio_util::sync::CancellationToken;

use super::super::Gateway;
use super::super::recorded::CallRecording;
use super::super::refusal::Refusal;
use super::{Fate, OpenStreams, Stream};

/// How often time alone is judged: keys end, and what was known grows old.
const TICK: Duration = Duration::from_millis(100);
/// Events that come together are judged together.
const GATHER: Duration = Duration::from_millis(5);
/// A stream that cannot be judged is ended after this long: its client may find another node.
const HELD_MAX: Duration = Duration::from_secs(10);
/// How long one round may ask.
const ASKING_MAX: Duration = Duration::from_secs(1);
/// Streams for which Postgres is asked at once.
const ASKED_AT_ONCE: usize = 4;

/// How far the judge is.
#[derive(Clone, Copy)]
struct Round {
    /// Everything that was closed up to here is dealt with.
    seen: Position,
    /// When time alone was judged last.
    ticked: Instant,
    /// Whether there was anything to judge by.
    fresh: bool,
}

impl OpenStreams {
    /// Judges until told to stop.
    pub(in crate::gateway) async fn judge(self, gateway: Gateway, stop: CancellationToken) {
        let mut moved = gateway.0.deciding.listen();
        let mut last = Round { seen: Position::START, ticked: Instant::now(), fresh: true };
        loop {
            moved.borrow_and_update();
            last = self.round(&gateway, last);
            if !last.fresh {
                self.ask_for_the_held(&gateway).await;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                _ = moved.changed() => tokio::time::sleep(GATHER).await,
                () = tokio::time::sleep(TICK) => {}
            }
        }
    }

    /// Judges by the view of this node whatever the view took something from since the last round, and what has run out. What an old view has taken
    /// away is gone, too; only that nothing else is, it cannot tell.
    fn round(&self, gateway: &Gateway, last: Round) -> Round {
        let fresh = gateway.0.deciding.fresh();
        let is_fresh = fresh.is_some();
        let grounds = fresh.unwrap_or_else(|| gateway.0.deciding.stale());
        let closed = grounds.closed_at() > last.seen;
        let tick = last.ticked.elapsed() >= TICK;
        let groups = self.groups();
        if closed {
            for (organizations, group) in groups.iter() {
                let at = grounds.closed_to(organizations).get();
                let open = group.values().filter(|stream| stream.judged.load(Ordering::Acquire) < at);
                open.for_each(|stream| stream.judge_by(gateway, &grounds));
            }
        }
        if tick {
            let now = gateway.0.clock.now();
            let over = |stream: &&Arc<Stream>| stream.expires_at().is_some_and(|end| end <= now);
            let streams = groups.values().flat_map(HashMap::values);
            streams.filter(over).for_each(|stream| stream.judge_by(gateway, &grounds));
        }
        if is_fresh {
            self.0.judged_nanos.fetch_max(grounds.mark().as_of.nanos(), Ordering::AcqRel);
            if self.0.waited_for.swap(false, Ordering::AcqRel) {
                groups.values().flat_map(HashMap::values).for_each(|stream| stream.waker.wake());
            }
        }
        let ticked = if tick { Instant::now() } else { last.ticked };
        Round { seen: grounds.closed_at().max(last.seen), ticked, fresh: is_fresh }
    }

    /// Asks Postgres about streams that wait, and ends those that have waited for too long.
    async fn ask_for_the_held(&self, gateway: &Gateway) {
        let held: Vec<Arc<Stream>> = {
            let groups = self.groups();
            let all = groups.values().flat_map(HashMap::values);
            all.filter(|stream| matches!(*stream.fate(), Fate::Held { .. })).map(Arc::clone).collect()
        };
        let asking = futures_util::stream::iter(&held)
            .for_each_concurrent(ASKED_AT_ONCE, async |stream| stream.ask(gateway).await);
        // However many there are: as soon as the view is fresh again, none of them needs to be asked for.
        let _ = tokio::time::timeout(ASKING_MAX, asking).await;
        for stream in held {
            stream.end_if_held_for_too_long();
        }
    }
}

impl Stream {
    fn expires_at(&self) -> Option<Timestamp> {
        self.admitted.caller.expires_at()
    }

    /// Decides again, as it was decided when the stream was opened.
    pub(super) fn judge_by(&self, gateway: &Gateway, view: &AccessView) {
        match self.verdict(gateway, view) {
            Ok(when_stale) => {
                self.serves.store(when_stale == WhenStale::Serve, Ordering::Release);
                self.judged.store(view.position().get(), Ordering::Release);
            }
            Err(refusal) => self.end(refusal),
        }
    }

    /// What becomes of it while nothing fresh is known, if it may go on at all.
    fn verdict(&self, gateway: &Gateway, view: &AccessView) -> Result<WhenStale, RpcError> {
        let caller = self.admitted.caller.clone().in_view(view);
        let route = gateway.route(view, Some(self.admitted.instance), &CallRecording::NONE);
        let route = route.map_err(Refusal::into_error)?;
        let facts = Facts {
            caller: caller.facts(view).map_err(|denial| Refusal::denied(denial).into_error())?,
            target: Target::Instance(view.instance_facts(&route.instance)),
            maintenance: view.in_maintenance(caller.address),
            now: gateway.0.clock.now(),
        };
        policy::decide(&facts, self.admitted.asked.wish())
            .map_err(|denial| Refusal::denied(denial).into_error())?;
        if !view.leads_somewhere(&route.instance, self.admitted.asked.tool()) {
            return Err(Refusal::no_upstream().into_error());
        }
        Ok(route.instance.when_stale)
    }

    async fn ask(&self, gateway: &Gateway) {
        let parties = self.admitted.caller.parties(Some(self.admitted.instance));
        if let Ok(grounds) = gateway.0.deciding.ask(parties).await {
            self.judge_by(gateway, &grounds);
            self.judged_nanos.fetch_max(grounds.mark().as_of.nanos(), Ordering::AcqRel);
            self.waker.wake();
            gateway.0.metrics.decided_by(Basis::Postgres);
        }
    }

    fn end_if_held_for_too_long(&self) {
        let waited_too_long = matches!(*self.fate(), Fate::Held { since } if since.elapsed() >= HELD_MAX);
        if waited_too_long {
            self.end(Refusal::view_stale().into_error());
        }
    }
}
