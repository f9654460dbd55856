//! The bounded queue between calls and whoever stores their records. Nobody waits here, except a call to an instance that is set to wait.
//!
//! Room is counted until a record is stored, not until it is taken out, so the bound holds for everything that is in memory. A part of it is kept for
//! instances whose calls must not go on without a record: others' records are dropped, and counted, before those instances' calls are refused.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use time::OffsetDateTime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use super::entry::{Call, Drops};

/// Records in memory at once.
const QUEUE_RECORDS_MAX: usize = 32_768;
/// Of those, for calls that must not go on without a record.
const QUEUE_RECORDS_KEPT: usize = QUEUE_RECORDS_MAX / 4;
/// Sealed arguments in memory at once.
const QUEUE_ARGUMENT_BYTES_MAX: usize = 32 * 1024 * 1024;
/// How long a call that must not go on without a record waits for room.
pub const ROOM_WAIT: Duration = Duration::from_secs(1);

/// How much a queue holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueLimits {
    /// Records at once.
    pub records_max: usize,
    /// Of those, kept for calls that must not go on without one.
    pub records_kept: usize,
    /// Bytes of sealed arguments at once.
    pub argument_bytes_max: usize,
}

impl Default for QueueLimits {
    fn default() -> Self {
        Self {
            records_max: QUEUE_RECORDS_MAX,
            records_kept: QUEUE_RECORDS_KEPT,
            argument_bytes_max: QUEUE_ARGUMENT_BYTES_MAX,
        }
    }
}

/// Where records are put.
#[derive(Debug, Clone)]
pub struct CallQueue(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    node: Uuid,
    limits: QueueLimits,
    sender: UnboundedSender<Queued>,
    records: Arc<Semaphore>,
    argument_bytes: Arc<Semaphore>,
    dropped: Mutex<HashMap<(Uuid, Option<Uuid>), Tally>>,
    dropped_total: AtomicU64,
    under_way: AtomicUsize,
}

/// Room for one record. Given back when the record is stored, or when there is none after all.
#[derive(Debug)]
pub struct Room(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

/// Room for the sealed arguments of one call.
#[derive(Debug)]
pub struct ArgumentRoom(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

/// A call that goes on: its record, if it leaves one, is still to come.
#[derive(Debug)]
pub struct UnderWay(Arc<Shared>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A record in the queue, with the room that it takes.
#[derive(Debug)]
pub(super) struct Queued {
    call: Call,
    rooms: Rooms,
}

/// The room that a record takes until it is stored.
pub(super) type Rooms = (Room, Option<ArgumentRoom>);

impl Queued {
    pub(super) fn into_parts(self) -> (Call, Rooms) {
        (self.call, self.rooms)
    }
}

#[derive(Debug, Clone, Copy)]
struct Tally {
    from_at: OffsetDateTime,
    until_at: OffsetDateTime,
    dropped: i64,
}

/// The end of the queue at which records are taken out.
#[derive(Debug)]
pub(super) struct Outlet {
    pub(super) receiver: UnboundedReceiver<Queued>,
    queue: CallQueue,
}

impl CallQueue {
    /// A queue of a run of a node.
    pub(super) fn new(node: Uuid, limits: QueueLimits) -> (Self, Outlet) {
        let (sender, receiver) = unbounded_channel();
        let queue = Self(Arc::new(Shared {
            node,
            limits,
            sender,
            records: Arc::new(Semaphore::new(limits.records_max)),
            argument_bytes: Arc::new(Semaphore::new(limits.argument_bytes_max)),
            dropped: Mutex::default(),
            dropped_total: AtomicU64::new(0),
            under_way: AtomicUsize::new(0),
        }));
        (queue.clone(), Outlet { receiver, queue })
    }

    /// The run of a node that these records are of.
    pub fn node(&self) -> Uuid {
        self.0.node
    }

    /// A call begins. While it goes on, the run has not ended.
    pub fn begin(&self) -> UnderWay {
        self.0.under_way.fetch_add(1, Ordering::AcqRel);
        UnderWay(Arc::clone(&self.0))
    }

    /// Calls that go on.
    pub(super) fn under_way(&self) -> usize {
        self.0.under_way.load(Ordering::Acquire)
    }

    /// Room for the record of a call that must not go on without one; `None` when there is none for some time.
    pub async fn room(&self) -> Option<Room> {
        let permit = tokio::time::timeout(ROOM_WAIT, Arc::clone(&self.0.records).acquire_owned()).await;
        permit.ok()?.ok().map(Room)
    }

    /// Room for sealed arguments, if there is some now.
    pub fn argument_room(&self, bytes: usize) -> Option<ArgumentRoom> {
        let bytes = u32::try_from(bytes).ok()?;
        Arc::clone(&self.0.argument_bytes).try_acquire_many_owned(bytes).ok().map(ArgumentRoom)
    }

    /// Puts a record where room was taken for it, or where there is some; drops and counts it when there is none.
    pub fn put(
        &self,
        call: Call,
        room: Option<Room>,
        argument_room: Option<ArgumentRoom>,
        now: OffsetDateTime,
    ) {
        let Some(room) = room.or_else(|| self.spare_room()) else { return self.drop_one(&call, now) };
        let queued = Queued { call, rooms: (room, argument_room) };
        if let Err(closed) = self.0.sender.send(queued) {
            self.drop_one(&closed.0.call, now); // the node is ending
        }
    }

    /// Records in memory.
    pub fn held(&self) -> usize {
        self.0.limits.records_max.saturating_sub(self.0.records.available_permits())
    }

    /// Records dropped since the start.
    pub fn dropped(&self) -> u64 {
        self.0.dropped_total.load(Ordering::Relaxed)
    }

    fn spare_room(&self) -> Option<Room> {
        if self.0.records.available_permits() <= self.0.limits.records_kept {
            return None;
        }
        Arc::clone(&self.0.records).try_acquire_owned().ok().map(Room)
    }

    fn drop_one(&self, call: &Call, now: OffsetDateTime) {
        self.0.dropped_total.fetch_add(1, Ordering::Relaxed);
        // What is not their own is counted together: callers may make up as many names as they like.
        let organization = call.record.organization_id;
        let own = call.record.instance_organization_id == Some(organization);
        let whose = (organization, call.record.instance_id.filter(|_| own));
        let mut dropped = self.0.dropped.lock().unwrap_or_else(PoisonError::into_inner);
        let tally =
            dropped.entry(whose).or_insert(Tally { from_at: call.record.at, until_at: now, dropped: 0 });
        tally.from_at = tally.from_at.min(call.record.at);
        tally.until_at = tally.until_at.max(now);
        tally.dropped += 1;
    }
}

impl Outlet {
    /// What was dropped since this was asked last, to be numbered.
    pub(super) fn take_drops(&self) -> Vec<Drops> {
        let mut dropped = self.queue.0.dropped.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = std::mem::take(&mut *dropped);
        drop(dropped);
        let told = taken.into_iter().map(|((organization_id, instance_id), tally)| Drops {
            node_id: self.queue.0.node,
            number: 0,
            organization_id,
            instance_id,
            from_at: tally.from_at,
            until_at: tally.until_at,
            dropped: tally.dropped,
        });
        told.collect()
    }

    /// The other end.
    pub(super) fn queue(&self) -> CallQueue {
        self.queue.clone()
    }

    /// How full the queue is.
    pub(super) fn held(&self) -> usize {
        self.queue.held()
    }

    /// Records dropped since the start.
    pub(super) fn dropped(&self) -> u64 {
        self.queue.dropped()
    }
}
