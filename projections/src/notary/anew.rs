//! The tiles anew from the log: for when what the notary keeps was damaged and the log was not.
//!
//! Proofs are made from tiles, so new ones are kept only where every checkpoint that was signed agrees with the log as it is: whoever changed an
//! event must not get tiles that go with it. The notary's place is held meanwhile: nothing is signed, nothing else waits.

use domain::value::Position;
use sqlx::{Connection as _, PgPool};

use super::leaf::leaf_of;
use super::note::{Checkpoint, NoteError, NoteKey};
use super::store::{self, Kept};
use super::tile::{Edge, TILE_HASHES_MAX, Tiles};
use crate::log::{LogError, rows};
use crate::rebuild::{Progress, Stage};

const EVENTS_A_PAGE: i64 = 2_000;
const NOTES_A_PAGE: i64 = 1_000;

/// The tiles were not built anew; those that were kept are as they were.
#[derive(Debug, thiserror::Error)]
pub enum AnewError {
    /// Postgres refuses or does not answer.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Nothing was signed yet.
    #[error("nothing was signed yet, so there are no tiles to build anew")]
    NothingSigned,
    /// A checkpoint is not by this key.
    #[error("the checkpoint of size {0} is not ours: {1}")]
    Checkpoint(u64, NoteError),
    /// The log is another one.
    #[error(
        "the first {0} events are not those that were signed: the log itself was changed, and `sekisho verify` tells where"
    )]
    Disagrees(u64),
}

/// What it came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Anew {
    /// How many events the tiles cover.
    pub events: u64,
    /// How many tiles were missing, or others.
    pub mended: u64,
}

/// Builds the tiles of everything that was signed, and writes those that are not as they should be.
pub async fn tiles_anew(
    pool: &PgPool,
    key: &NoteKey,
    mut progress: impl FnMut(Progress) + Send,
) -> Result<Anew, AnewError> {
    let mut connection = pool.acquire().await?;
    let mut transaction = connection.begin().await?;
    store::wait_for_place(&mut transaction).await?;
    let newest = store::newest_and_age(&mut transaction).await?;
    let size = newest.ok_or(AnewError::NothingSigned)?.0.size;
    let mut notes = Notes { key, pool, read: Vec::new().into_iter(), after: 0 };
    let mut due = notes.next().await?;
    let (mut edge, mut open, mut mended) = (Edge::default(), Tiles::new(), 0);
    while edge.tree().size() < size {
        let signed = Position::new(edge.tree().size());
        let left = i64::try_from(size - signed.get()).unwrap_or(i64::MAX);
        let page = rows(&mut *transaction, signed, left.min(EVENTS_A_PAGE)).await?;
        if page.is_empty() {
            return Err(AnewError::Disagrees(size));
        }
        for event in &page {
            edge.append(leaf_of(event));
            let tree = edge.tree();
            while let Some(checkpoint) = due.take_if(|checkpoint| checkpoint.size == tree.size()) {
                if checkpoint.root != tree.root() {
                    return Err(AnewError::Disagrees(checkpoint.size));
                }
                due = notes.next().await?;
            }
        }
        // A tile that still grows is written at the end, once.
        open.extend(edge.take_changed());
        for (at, hashes) in open.extract_if(|_, hashes| hashes.len() == TILE_HASHES_MAX) {
            mended += store::mend_tile(&mut transaction, at, &hashes).await?;
        }
        let (position, head) = (Position::new(edge.tree().size()), Position::new(size));
        progress(Progress { stage: Stage::Folding, position, head, rows: 0 });
    }
    for (at, hashes) in open {
        mended += store::mend_tile(&mut transaction, at, &hashes).await?;
    }
    transaction.commit().await?;
    Ok(Anew { events: size, mended })
}

/// Every checkpoint, by size.
struct Notes<'a> {
    key: &'a NoteKey,
    pool: &'a PgPool,
    read: std::vec::IntoIter<Kept>,
    after: u64,
}

impl Notes<'_> {
    async fn next(&mut self) -> Result<Option<Checkpoint>, AnewError> {
        if self.read.as_slice().is_empty() {
            self.read = store::after(self.pool, self.after, NOTES_A_PAGE).await?.into_iter();
        }
        let Some(kept) = self.read.next() else { return Ok(None) };
        self.after = kept.size;
        let opened = Checkpoint::open(&kept.note, std::slice::from_ref(self.key));
        opened.map(Some).map_err(|error| AnewError::Checkpoint(kept.size, error))
    }
}
