//! What this node knows of members: which era each speaks, and the sessions that it opened with those that shake hands.
//!
//! All of it may be forgotten at any moment, and costs a handshake then. Sessions are of one holder (a client's session, or a principal), at one instance,
//! through one connection, and end with the place that the server was at.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain::value::{ConnectionId, InstanceId};
use mcp::revision::Era;
use mcp::spoken::Spoken;
use mcp::upstream::UpstreamUrl;

use super::client::Holder;
use crate::gateway::route::Destination;

/// Sessions that are kept.
const SESSIONS_MAX: usize = 20_000;
/// One that nobody has used for so long is forgotten when room is wanted.
const UNUSED_MAX: Duration = Duration::from_mins(10);
/// Servers whose era is remembered.
const ERAS_MAX: usize = 10_000;
/// After this it is found out again: servers are replaced.
const ERA_HOLDS: Duration = Duration::from_mins(10);

/// Held while a handshake is under way, so that there is one at a time.
pub(super) type Slot = Arc<tokio::sync::Mutex<Option<Spoken>>>;

/// What is known of members. Cheap to clone.
#[derive(Clone, Default)]
pub struct Links(Arc<Inner>);

#[derive(Default)]
struct Inner {
    sessions: Mutex<HashMap<Place, (Slot, Instant)>>,
    eras: Mutex<HashMap<(ConnectionId, UpstreamUrl), (Era, Instant)>>,
    asked: AtomicU64,
}

/// Whose session, with whom.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) holder: Holder,
    pub(super) instance: InstanceId,
    pub(super) connection: ConnectionId,
    pub(super) generation: u32,
}

impl std::fmt::Debug for Links {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Links")
    }
}

impl Links {
    /// The place for a session, whether there is one or not.
    pub(super) fn slot(&self, place: &Place) -> Slot {
        let mut sessions = self.sessions();
        if let Some((slot, used)) = sessions.get_mut(place) {
            *used = Instant::now();
            return Arc::clone(slot);
        }
        if sessions.len() >= SESSIONS_MAX {
            sessions.retain(|_, (_, used)| used.elapsed() < UNUSED_MAX);
        }
        if sessions.len() >= SESSIONS_MAX
            && let Some(oldest) = sessions.iter().min_by_key(|(_, (_, used))| *used)
        {
            let oldest = oldest.0.clone();
            sessions.remove(&oldest);
        }
        let slot = Slot::default();
        sessions.insert(place.clone(), (Arc::clone(&slot), Instant::now()));
        slot
    }

    /// The session that is kept there, and from now on is not.
    pub(super) fn take(&self, place: &Place) -> Option<Spoken> {
        let (slot, _) = self.sessions().remove(place)?;
        slot.try_lock().ok()?.take()
    }

    /// The session that is kept there.
    pub(super) fn look(&self, place: &Place) -> Option<Spoken> {
        let slot = self.sessions().get(place).map(|(slot, _)| Arc::clone(slot))?;
        slot.try_lock().ok()?.clone()
    }

    /// The era that a server speaks, as far as is known.
    pub(super) fn era(&self, destination: &Destination) -> Option<Era> {
        let eras = self.eras();
        let (era, when) = eras.get(&(destination.connection_id, destination.url.clone()))?;
        (when.elapsed() < ERA_HOLDS).then_some(*era)
    }

    /// It speaks this one.
    pub(super) fn speaks(&self, destination: &Destination, era: Era) {
        let mut eras = self.eras();
        if eras.len() >= ERAS_MAX {
            eras.clear(); // rare, and costs one question for each server in use
        }
        eras.insert((destination.connection_id, destination.url.clone()), (era, Instant::now()));
    }

    /// It may speak another one by now.
    pub(super) fn doubt_era(&self, destination: &Destination) {
        self.eras().remove(&(destination.connection_id, destination.url.clone()));
    }

    /// The id of a request of ours: like no client's.
    pub(super) fn next_id(&self) -> String {
        format!("\"sekisho-{}\"", self.0.asked.fetch_add(1, Ordering::Relaxed))
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<Place, (Slot, Instant)>> {
        self.0.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn eras(&self) -> MutexGuard<'_, HashMap<(ConnectionId, UpstreamUrl), (Era, Instant)>> {
        self.0.eras.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
