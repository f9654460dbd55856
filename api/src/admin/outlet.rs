//! The way out of a long answer. What makes it waits for its reader; a reader who takes nothing is not waited for.

use std::time::Duration;

use axum::body::{Body, Bytes};
use futures_util::stream;
use tokio::sync::mpsc;

use crate::admin::places::Place;

/// How long a reader may take none of what is ready.
const READER_WAIT: Duration = Duration::from_mins(1);
/// Parts that are ready and not taken. With the one being made and the slice being read, that is what a slow reader holds in memory.
const PARTS_READY_MAX: usize = 1;

enum Part {
    More(Bytes),
    /// The answer ends here, as it should.
    Last(Bytes),
}

/// The end of the way at which the answer is made.
pub(super) struct Outlet {
    parts: mpsc::Sender<Part>,
    _place: Place,
}

/// The answer broke off.
#[derive(Debug, thiserror::Error)]
#[error("the answer broke off")]
struct BrokenOff;

impl Outlet {
    /// A way out, and the body at its other end. When it is dropped before its last part, the body breaks off instead of ending.
    pub(super) fn open(place: Place) -> (Self, Body) {
        let (parts, ready) = mpsc::channel(PARTS_READY_MAX);
        let body = stream::unfold(Some(ready), |ready| async {
            let mut ready = ready?;
            match ready.recv().await {
                Some(Part::More(bytes)) => Some((Ok(bytes), Some(ready))),
                Some(Part::Last(bytes)) => Some((Ok(bytes), None)),
                None => Some((Err(BrokenOff), None)),
            }
        });
        (Self { parts, _place: place }, Body::from_stream(body))
    }

    /// Hands on a part; `false` when nobody takes it.
    pub(super) async fn send(&self, bytes: impl Into<Bytes>) -> bool {
        self.hand_on(Part::More(bytes.into())).await
    }

    /// Hands on the last part.
    pub(super) async fn end(self, bytes: impl Into<Bytes>) {
        self.hand_on(Part::Last(bytes.into())).await;
    }

    /// Comes when the reader has left.
    pub(super) async fn closed(&self) {
        self.parts.closed().await;
    }

    async fn hand_on(&self, part: Part) -> bool {
        let Ok(sent) = tokio::time::timeout(READER_WAIT, self.parts.send(part)).await else {
            tracing::info!("a reader of a long answer takes nothing; it is cut off");
            return false;
        };
        sent.is_ok()
    }
}
