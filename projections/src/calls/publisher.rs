//! Takes records out of the queue, numbers them, and hands them on: to the stream, or straight to Postgres when NATS is away.
//!
//! ```text
//!   batch --> number --> stream, acknowledged? --yes--> done
//!                ^            | no
//!                |            v
//!              pause <--no-- stored?  --yes--> done
//! ```
//! A record may go both ways, when an acknowledgement is lost: it is stored once. Until one of them takes the batch it stays here, the queue fills,
//! and its bound decides what becomes of new ones.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use domain::value::Clock;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::entry::Entry;
use super::queue::{CallQueue, Outlet, QueueLimits, Queued};
use super::store::CallStore;
use super::stream::{CallStream, StreamWriter};

/// Records handed on at once.
const BATCH_RECORDS_MAX: usize = 1_000;
/// How long records gather: one message for many of them costs a fraction of one for each. A node that dies loses as much more.
const GATHER_WAIT: Duration = Duration::from_millis(20);
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(200);
/// How often a run says how far it is, and looks for drops to tell of.
const SAY_EVERY: Duration = Duration::from_secs(1);
/// What a run says is how far it was so many times ago: what it numbered just now may be on its way.
const SAYS_LATE: usize = 5;
/// How long calls that are cut off may take to leave their records when the node ends.
const LAST_CALLS_WAIT: Duration = Duration::from_secs(1);
const LAST_CALLS_LOOK: Duration = Duration::from_millis(5);
/// How long the queue may take to empty when the node ends.
const DRAIN_WAIT: Duration = Duration::from_secs(5);

/// Hears what becomes of records.
pub trait ObserveCalls: Send + Sync {
    /// So many records were handed on, by this way: `nats` or `postgres`.
    fn handed_on(&self, way: &'static str, records: usize);
    /// How many are in memory, and how many were dropped since the start.
    fn queue(&self, held: usize, dropped: u64);
    /// So many records came out of the stream and were stored; so many are in it.
    fn projected(&self, records: usize, waiting: u64);
}

/// What records are recorded with.
#[derive(Clone)]
pub struct Recording {
    /// The run of this node.
    pub node: Uuid,
    /// Where records end.
    pub store: CallStore,
    /// The stream on the way, if there is NATS.
    pub stream: Option<CallStream>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Counts.
    pub observe: Arc<dyn ObserveCalls>,
}

impl std::fmt::Debug for Recording {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recording")
            .field("node", &self.node)
            .field("stream", &self.stream)
            .finish_non_exhaustive()
    }
}

/// The task behind the queue.
#[derive(Debug)]
pub struct Publisher {
    recording: Recording,
    outlet: Outlet,
    writer: Option<StreamWriter>,
    numbered: Arc<AtomicI64>,
}

impl Publisher {
    /// A queue, and the task behind it.
    pub fn new(recording: Recording, limits: QueueLimits) -> (CallQueue, Self) {
        let (queue, outlet) = CallQueue::new(recording.node, limits);
        let writer = recording.stream.clone().map(StreamWriter::new);
        (queue, Self { recording, outlet, writer, numbered: Arc::default() })
    }

    /// Works until told to stop and the queue is empty.
    pub async fn run(mut self, stop: CancellationToken) {
        let reports = CancellationToken::new();
        let reporting = report(self.recording.clone(), Arc::clone(&self.numbered), reports.clone());
        let reporting = tokio::spawn(reporting);
        let drained = self.work(&stop).await;
        reports.cancel();
        let _ = reporting.await; // had it panicked, this run would be taken for a silent one
        if drained {
            let ended = say(&self.recording, self.numbered.load(Ordering::Relaxed), true);
            if !matches!(tokio::time::timeout(DRAIN_WAIT, ended).await, Ok(Ok(()))) {
                tracing::warn!("Postgres was not told that this node has recorded all of its calls");
            }
        }
    }

    /// Hands on what comes, until the queue is closed and empty; `false` when records were lost, so that this run must not be taken for one
    /// that ended in order.
    async fn work(&mut self, stop: &CancellationToken) -> bool {
        let mut taken: Vec<Queued> = Vec::with_capacity(BATCH_RECORDS_MAX);
        let mut closed: Option<usize> = None;
        let calls_end = calls_end(self.outlet.queue(), stop);
        tokio::pin!(calls_end);
        loop {
            let coming = self.outlet.receiver.recv_many(&mut taken, BATCH_RECORDS_MAX);
            let came = tokio::select! {
                came = tokio::time::timeout(SAY_EVERY, coming) => came,
                going_on = &mut calls_end, if closed.is_none() => {
                    closed = Some(going_on);
                    self.outlet.receiver.close();
                    continue;
                }
            };
            if closed.is_none() && !taken.is_empty() {
                self.gather(&mut taken, stop).await;
            }
            let (calls, rooms): (Vec<_>, Vec<_>) = taken.drain(..).map(Queued::into_parts).unzip();
            let drops = self.outlet.take_drops().into_iter().map(Entry::Drops);
            let entries: Vec<Entry> =
                calls.into_iter().map(Entry::Call).chain(drops).map(|entry| self.number(entry)).collect();
            if !entries.is_empty() && !self.hand_on(entries, stop).await {
                let records = self.outlet.held();
                tracing::error!(records, "call records are lost: neither NATS nor Postgres took them");
                return false;
            }
            drop(rooms);
            self.recording.observe.queue(self.outlet.held(), self.outlet.dropped());
            if matches!(came, Ok(0)) {
                let calls = closed.unwrap_or_default();
                if calls > 0 {
                    tracing::error!(calls, "calls go on while this node ends: their records are lost");
                }
                return calls == 0;
            }
        }
    }

    /// Takes along what comes within a moment, up to a whole batch.
    async fn gather(&mut self, taken: &mut Vec<Queued>, stop: &CancellationToken) {
        if taken.len() < BATCH_RECORDS_MAX {
            tokio::select! {
                () = tokio::time::sleep(GATHER_WAIT) => {}
                () = stop.cancelled() => {}
            }
        }
        while taken.len() < BATCH_RECORDS_MAX
            && let Ok(queued) = self.outlet.receiver.try_recv()
        {
            taken.push(queued);
        }
    }

    fn number(&self, mut entry: Entry) -> Entry {
        let number = self.numbered.fetch_add(1, Ordering::Relaxed) + 1;
        match &mut entry {
            Entry::Call(call) => call.record.number = number,
            Entry::Drops(drops) => drops.number = number,
        }
        entry
    }

    /// Until one of the two takes them, or the end of the node waits no longer: then `false`.
    async fn hand_on(&mut self, mut entries: Vec<Entry>, stop: &CancellationToken) -> bool {
        let Recording { store, clock, observe, .. } = self.recording.clone();
        let mut said = false;
        loop {
            if let Some(writer) = &mut self.writer {
                let count = entries.len();
                entries = writer.write(entries).await;
                observe.handed_on("nats", count - entries.len());
                if entries.is_empty() {
                    return true;
                }
            }
            let stored = tokio::select! {
                stored = store.store(&entries, clock.now().get()) => stored,
                () = patience_is_over(stop) => return false,
            };
            match stored {
                Ok(()) => {
                    observe.handed_on("postgres", entries.len());
                    return true;
                }
                Err(error) if said => tracing::debug!(error = %error, "call records still wait"),
                Err(error) => {
                    said = true;
                    tracing::warn!(error = %error, "call records wait: neither NATS nor Postgres takes them");
                }
            }
            if let Some(writer) = &mut self.writer {
                writer.is_needed();
            }
            observe.queue(self.outlet.held(), self.outlet.dropped());
            tokio::select! {
                () = tokio::time::sleep(PAUSE_AFTER_ERROR) => {}
                () = patience_is_over(stop) => return false,
            }
        }
    }
}

/// Comes after the stop, when no call goes on any more or none is waited for any longer; answers how many still do.
async fn calls_end(queue: CallQueue, stop: &CancellationToken) -> usize {
    stop.cancelled().await;
    let patience = tokio::time::Instant::now() + LAST_CALLS_WAIT;
    while queue.under_way() > 0 && tokio::time::Instant::now() < patience {
        tokio::time::sleep(LAST_CALLS_LOOK).await;
    }
    queue.under_way()
}

/// Comes some time after the stop.
async fn patience_is_over(stop: &CancellationToken) {
    stop.cancelled().await;
    tokio::time::sleep(DRAIN_WAIT).await;
}

/// Says now and then how far this run has numbered, as of a moment ago.
async fn report(recording: Recording, numbered: Arc<AtomicI64>, stop: CancellationToken) {
    let mut earlier = VecDeque::from([0_i64]);
    loop {
        let so_far = earlier.front().copied().unwrap_or_default();
        tokio::select! {
            () = stop.cancelled() => return,
            said = say(&recording, so_far, false) => {
                if let Err(error) = said {
                    tracing::debug!(error = %error, "Postgres does not hear how far the call records are");
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(SAY_EVERY) => {}
        }
        earlier.push_back(numbered.load(Ordering::Relaxed));
        if earlier.len() > SAYS_LATE {
            earlier.pop_front();
        }
    }
}

async fn say(recording: &Recording, numbered: i64, ended: bool) -> Result<(), sqlx::Error> {
    let now = recording.clock.now().get();
    sqlx::query(
        "insert into call_nodes (node_id, started_at, seen_at, ended_at, numbered)
         values ($1, $2, $2, case when $4 then $2 end, $3)
         on conflict (node_id) do update set seen_at = greatest(excluded.seen_at, call_nodes.seen_at),
            ended_at = excluded.ended_at, numbered = greatest(excluded.numbered, call_nodes.numbered)",
    )
    .bind(recording.node)
    .bind(now)
    .bind(numbered)
    .bind(ended)
    .execute(recording.store.pool())
    .await
    .map(|_| ())
}
