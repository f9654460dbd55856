//! Whether the log still is what was signed: looked at before each signature, and round and round in between.

use std::time::{Duration, Instant};

use domain::value::Position;
use sqlx::PgConnection;

use super::leaf::leaf_of;
use super::note::{Checkpoint, NoteError, NoteKey};
use super::store::{self, Kept, StoreError};
use super::tile::{Coordinates, Edge, TILE_HASHES_MAX, TILE_HEIGHT};
use crate::log::{LogError, rows};

/// Older events that are looked at again, and how often.
const RECHECK_EVENTS: u64 = 4 * TILE_HASHES_MAX as u64;
const RECHECK_EVERY: Duration = Duration::from_secs(1);

/// The log is not what was signed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Disagreement {
    #[error("the event at position {0} is not the one that was signed")]
    Changed(u64),
    #[error("there is no event at position {0}, and one was signed")]
    Gone(u64),
    #[error("the log has a hole at position {0}")]
    Hole(u64),
    #[error("the newest checkpoint is not ours: {0}")]
    Checkpoint(#[from] NoteError),
    #[error("the kept tiles do not give the root that was signed")]
    Root,
}

impl Disagreement {
    /// A position that was signed, and is looked at first from then on.
    pub(super) const fn suspect(&self) -> Option<u64> {
        match self {
            Self::Changed(position) | Self::Gone(position) => Some(*position),
            Self::Hole(_) | Self::Checkpoint(_) | Self::Root => None,
        }
    }
}

/// A round failed and will be tried again.
#[derive(Debug, thiserror::Error)]
pub(super) enum RoundError {
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is remembered between rounds, and can be read again from Postgres: the edge of the tree, and how far the look at older events is.
pub(super) struct Memory {
    pub(super) edge: Edge,
    rechecked: u64,
    recheck_at: Instant,
}

impl Memory {
    pub(super) fn new() -> Self {
        Self { edge: Edge::default(), rechecked: 0, recheck_at: Instant::now() }
    }

    /// Brings the edge to the newest checkpoint, and looks whether the log still is what was signed.
    pub(super) async fn agree(
        &mut self,
        connection: &mut PgConnection,
        key: &NoteKey,
        newest: Option<&Kept>,
        suspect: Option<u64>,
    ) -> Result<Option<Disagreement>, RoundError> {
        let Some(newest) = newest else {
            self.edge = Edge::default();
            return Ok(None);
        };
        let checkpoint = match Checkpoint::open(&newest.note, std::slice::from_ref(key)) {
            Ok(checkpoint) if checkpoint.size == newest.size => checkpoint,
            Ok(_) => return Ok(Some(Disagreement::Root)),
            Err(error) => return Ok(Some(error.into())),
        };
        let size = checkpoint.size;
        let known = |edge: &Edge| edge.tree().size() == size && edge.tree().root() == checkpoint.root;
        if !known(&self.edge) {
            let tiles = store::tiles(&mut *connection, &Edge::tiles_of(size)).await?;
            match Edge::of_tiles(size, &tiles).filter(known) {
                Some(edge) => self.edge = edge,
                None => return Ok(Some(Disagreement::Root)),
            }
        }
        for (after, count) in self.stretches(size, suspect) {
            if let Some(why) = compare(connection, after, count).await? {
                return Ok(Some(why));
            }
        }
        Ok(None)
    }

    /// What to look at: what is suspect, the last event that was signed, and, now and then, the next stretch of older ones.
    fn stretches(&mut self, size: u64, suspect: Option<u64>) -> Vec<(u64, u64)> {
        let one_each = [suspect.and_then(|position| position.checked_sub(1)), size.checked_sub(1)];
        let mut stretches: Vec<(u64, u64)> = one_each.into_iter().flatten().map(|after| (after, 1)).collect();
        if self.recheck_at <= Instant::now() {
            self.recheck_at = Instant::now() + RECHECK_EVERY;
            let after = if self.rechecked < size { self.rechecked } else { 0 };
            self.rechecked = size.min(after + RECHECK_EVENTS);
            stretches.push((after, self.rechecked - after));
        }
        stretches.retain(|(after, count)| *after < size && *count > 0);
        stretches
    }
}

/// Compares so many events after a position with their stored hashes, and tells the first that differs. All of them were signed.
async fn compare(
    connection: &mut PgConnection,
    after: u64,
    count: u64,
) -> Result<Option<Disagreement>, RoundError> {
    let limit = i64::try_from(count).unwrap_or(i64::MAX);
    let events = match rows(&mut *connection, Position::new(after), limit).await {
        Err(LogError::Hole { after, .. }) => return Ok(Some(Disagreement::Gone(after.get() + 1))),
        Err(LogError::Malformed(position, _)) => return Ok(Some(Disagreement::Changed(position.get()))),
        events => events?,
    };
    if (events.len() as u64) < count {
        return Ok(Some(Disagreement::Gone(after + events.len() as u64 + 1)));
    }
    let numbers = after >> TILE_HEIGHT..=(after + count - 1) >> TILE_HEIGHT;
    let wanted: Vec<Coordinates> = numbers.map(|tile| Coordinates { level: 0, tile }).collect();
    let tiles = store::tiles(connection, &wanted).await?;
    for (index, event) in (after..).zip(&events) {
        let tile = tiles.get(&Coordinates { level: 0, tile: index >> TILE_HEIGHT });
        let offset = usize::try_from(index % TILE_HASHES_MAX as u64).unwrap_or(0);
        if tile.and_then(|hashes| hashes.get(offset)) != Some(&leaf_of(event)) {
            return Ok(Some(Disagreement::Changed(event.position.get())));
        }
    }
    Ok(None)
}
