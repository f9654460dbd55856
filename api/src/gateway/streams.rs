//! Answers that go on: who was let in is judged again for as long as they do, and nothing more goes out once they are not.
//!
//! ```text
//!   open --the view took something away, or time passed--> judged again --denied--> ended: an error where an answer is due, else a comment
//!    |  ^                                                         `------permitted--> open
//!    |  `--judged by something fresh again
//!    `--nothing fresh to judge by--> held: not a byte passes --for too long--> ended
//! ```
//! One judge for all streams of the node. It looks at a stream only when the log took something away from its organizations (or from everybody), so
//! that thousands of open streams cost nothing while others write; what passes meanwhile passes by the age of the judge's last round. A stream of an
//! instance that serves when the node is stale is never held: its record is marked, and what the node does hear of ends it all the same.

mod judge;
mod judged;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use domain::instance::WhenStale;
use domain::policy::Wish;
use domain::value::{InstanceId, OrganizationId};
use futures_util::task::AtomicWaker;
use mcp::error::RpcError;
use projections::access::{Deciding, Mark};
use projections::freshness::Mono;

use super::Gateway;
use super::authenticate::AuthenticatedCaller;

pub(super) use judged::JudgedBody;

/// The streams that are open on this node.
#[derive(Clone)]
pub struct OpenStreams(Arc<Inner>);

struct Inner {
    deciding: Deciding,
    groups: Mutex<Groups>,
    next: AtomicU64,
    /// Every open stream was judged by what was known at this moment.
    judged_nanos: AtomicU64,
    /// Some stream waits for the next round that has something fresh to judge by.
    waited_for: AtomicBool,
}

/// By whom the log can take something from: the organizations of caller and instance.
type Groups = HashMap<Vec<OrganizationId>, HashMap<u64, Arc<Stream>>>;

impl std::fmt::Debug for OpenStreams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenStreams").finish_non_exhaustive()
    }
}

/// What a stream was asked for by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asked {
    Connect,
    Read,
    Call { tool: String, read_only: bool },
    Extend,
}

/// Who was let in to what.
#[derive(Debug)]
pub(super) struct Admitted {
    pub(super) caller: AuthenticatedCaller,
    pub(super) instance: InstanceId,
    pub(super) organizations: Vec<OrganizationId>,
    pub(super) asked: Asked,
    /// Whether it goes on when nothing fresh is known.
    pub(super) when_stale: WhenStale,
    /// What that rested on.
    pub(super) mark: Mark,
}

/// One open stream.
#[derive(Debug)]
struct Stream {
    admitted: Admitted,
    /// Judged by a view of at least this position.
    judged: AtomicU64,
    /// Judged by itself by what was known at this moment.
    judged_nanos: AtomicU64,
    /// Whether its instance serves when nothing fresh is known.
    serves: AtomicBool,
    fate: Mutex<Fate>,
    waker: AtomicWaker,
}

/// What may pass of a stream right now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Passage {
    /// Everything: it was judged by something that is fresh.
    Free,
    /// Everything, and it is marked: its instance goes on with what this node knew last.
    Marked,
    /// Nothing.
    Closed,
}

#[derive(Debug)]
enum Fate {
    Open,
    Held { since: Instant },
    Ending(RpcError),
    Ended,
}

impl Asked {
    /// What a wish was, to be kept.
    pub(super) fn of(wish: Wish<'_>) -> Self {
        match wish {
            Wish::Connect => Self::Connect,
            Wish::Read => Self::Read,
            Wish::Call { tool, read_only } => Self::Call { tool: tool.to_owned(), read_only },
            Wish::Extend | Wish::Manage(_) => Self::Extend, // nothing here manages
        }
    }

    /// The tool that is called, if one is.
    pub(super) fn tool(&self) -> Option<&str> {
        match self {
            Self::Call { tool, .. } => Some(tool),
            Self::Connect | Self::Read | Self::Extend => None,
        }
    }

    pub(super) fn wish(&self) -> Wish<'_> {
        match self {
            Self::Connect => Wish::Connect,
            Self::Read => Wish::Read,
            Self::Call { tool, read_only } => Wish::Call { tool, read_only: *read_only },
            Self::Extend => Wish::Extend,
        }
    }
}

impl OpenStreams {
    /// None yet.
    pub fn new(deciding: Deciding) -> Self {
        Self(Arc::new(Inner {
            deciding,
            groups: Mutex::default(),
            next: AtomicU64::new(0),
            judged_nanos: AtomicU64::new(0),
            waited_for: AtomicBool::new(false),
        }))
    }

    /// What may pass of this stream now.
    fn passage(&self, stream: &Stream) -> Passage {
        let nanos = |of: &AtomicU64| Mono::from_nanos(of.load(Ordering::Acquire));
        let as_of = nanos(&self.0.judged_nanos).max(nanos(&stream.judged_nanos));
        if self.0.deciding.freshness().holds(as_of) {
            Passage::Free
        } else if stream.serves.load(Ordering::Acquire) {
            Passage::Marked
        } else {
            Passage::Closed
        }
    }

    /// Holds a stream until the next round that has something fresh to judge by, whether or not the one before it had.
    fn hold(&self, fate: &mut Fate, since: Instant) {
        *fate = Fate::Held { since };
        self.0.waited_for.store(true, Ordering::Release);
    }

    fn open(&self, gateway: &Gateway, admitted: Admitted) -> (u64, Arc<Stream>) {
        let number = self.0.next.fetch_add(1, Ordering::Relaxed);
        let stream = Arc::new(Stream {
            judged: AtomicU64::new(admitted.mark.position.get()),
            judged_nanos: AtomicU64::new(admitted.mark.as_of.nanos()),
            serves: AtomicBool::new(admitted.when_stale == WhenStale::Serve),
            fate: Mutex::new(Fate::Open),
            waker: AtomicWaker::new(),
            admitted,
        });
        let mut groups = self.groups();
        groups.entry(stream.admitted.organizations.clone()).or_default().insert(number, Arc::clone(&stream));
        drop(groups);
        // A round that passed between the decision and this moment did not see it. The view is no older than that of any such round, fresh or not.
        let grounds = self.0.deciding.stale();
        if grounds.closed_to(&stream.admitted.organizations) > stream.admitted.mark.position {
            stream.judge_by(gateway, &grounds);
        }
        (number, stream)
    }

    fn close(&self, number: u64, stream: &Stream) {
        let mut groups = self.groups();
        if let Some(group) = groups.get_mut(&stream.admitted.organizations) {
            group.remove(&number);
            if group.is_empty() {
                groups.remove(&stream.admitted.organizations);
            }
        }
    }

    fn groups(&self) -> MutexGuard<'_, Groups> {
        self.0.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stream {
    fn fate(&self) -> MutexGuard<'_, Fate> {
        self.fate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends it for this reason, unless it has one already.
    fn end(&self, error: RpcError) {
        let mut fate = self.fate();
        if matches!(*fate, Fate::Open | Fate::Held { .. }) {
            *fate = Fate::Ending(error);
            drop(fate);
            self.waker.wake();
        }
    }
}
