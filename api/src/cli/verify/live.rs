//! A live log: the database of the options, or that of the embedded store, also while it serves.

use domain::value::Position;
use projections::notary::audit::{Ended, Flaw, FlawKind, Reading, Report, Sources};
use projections::notary::merkle::Hash;
use projections::notary::note::{Checkpoint, NoteKey};
use projections::notary::store::{self, Kept};
use projections::notary::tile::{Coordinates, TILE_HASHES_MAX, TILE_HEIGHT};
use projections::{LogError, LogReader, Recorded};
use sqlx::PgPool;
use tokio::runtime::Handle;

use super::{Verify, audited, checkpoints_of, unreadable};
use crate::adapters::embedded::{Embedded, EmbeddedConfig, Survey};
use crate::adapters::{notary_key, postgres};
use crate::config::{MasterKeySource, Place, read_master_key};

const PAGE_NOTES_MAX: i64 = 1_000;

pub(super) async fn verify(verify: &Verify) -> Reading<Report> {
    let place = verify.options.place.place().map_err(|error| unreadable("--database-url")(&error))?;
    match place {
        Place::Given(database) => verify_database(verify, &database).await,
        Place::Embedded(data) => {
            let name = data.display().to_string();
            let settings = EmbeddedConfig { data, nats: None, search: Vec::new() };
            let failed = |error: &dyn std::fmt::Display| unreadable("the embedded store")(error);
            match Embedded::survey(&settings).await.map_err(|error| failed(&error))? {
                Survey::Empty(_) => Err(unreadable(name)(&"there is no log in this folder")),
                Survey::Running { database_url, .. } => verify_database(verify, &database_url).await,
                Survey::Stopped => {
                    let embedded = Embedded::start(settings).await.map_err(|error| failed(&error))?;
                    let outcome = verify_database(verify, embedded.database_url()).await;
                    embedded.stop().await;
                    outcome
                }
            }
        }
    }
}

async fn verify_database(verify: &Verify, address: &str) -> Reading<Report> {
    let failed = |error: &dyn std::fmt::Display| unreadable("the database")(error);
    let options = postgres::options(address).map_err(|error| failed(&error))?;
    let pool = postgres::connect(options).await.map_err(|error| failed(&error))?;
    let keys = match verify.keys()? {
        Some(keys) => keys,
        None => vec![own_key(verify, &pool).await?],
    };
    let (file, log, runtime) = (verify.checkpoint.clone(), LogReader::new(pool.clone()), Handle::current());
    let outside = outside_the_order(&pool).await.map_err(|error| failed(&error))?;
    let report = audited(move || {
        let mut checkpoints: Vec<Box<dyn Iterator<Item = Reading<Checkpoint>>>> =
            vec![Box::new(kept(pool.clone(), keys.clone(), runtime.clone()))];
        if let Some(file) = file {
            checkpoints.push(Box::new(checkpoints_of(&file, keys)?));
        }
        let events = Box::new(events(log, runtime.clone()));
        Ok(Sources { events, checkpoints, stored: Some(Box::new(stored(pool, runtime))) })
    })
    .await?;
    match u64::try_from(outside) {
        Ok(0) | Err(_) => Ok(report),
        // Where they stand cannot be told by a position.
        Ok(rows) => {
            Err(Ended::Flaw(Flaw { position: 0, agreed: report.vouched, kind: FlawKind::Outside(rows) }))
        }
    }
}

/// Rows that no reader by position sees, and that an aggregate would be loaded with all the same.
async fn outside_the_order(pool: &PgPool) -> Result<i64, sqlx::Error> {
    let rows = "select count(*) - coalesce(max(global_position), 0) from events";
    sqlx::query_scalar(rows).fetch_one(pool).await
}

/// The key that the master key opens.
async fn own_key(verify: &Verify, pool: &PgPool) -> Reading<NoteKey> {
    let missing = "give --public-key, or the master key of this deployment";
    let failed = |error: &dyn std::fmt::Display| Ended::Unreadable(format!("{error}; {missing}"));
    let source = verify.options.key.source(&verify.options.place).map_err(|error| failed(&error))?;
    let master = match source {
        MasterKeySource::Given(keys) => keys,
        MasterKeySource::Generated(file) => read_master_key(&file).map_err(|error| failed(&error))?,
    };
    let signer = notary_key::existing(pool, &master).await.map_err(|error| failed(&error))?;
    Ok(signer.key().clone())
}

/// The events, page by page. Asked again after the end, it looks again: the log grows meanwhile.
fn events(log: LogReader, runtime: Handle) -> impl Iterator<Item = Reading<Result<Recorded, String>>> {
    let (mut page, mut after) = (Vec::new().into_iter(), Position::START);
    std::iter::from_fn(move || {
        loop {
            if let Some(event) = page.next() {
                let event: Result<Recorded, LogError> = event;
                let read = match event {
                    Ok(event) => {
                        after = event.position;
                        Ok(Ok(event))
                    }
                    Err(LogError::Malformed(_, what)) => {
                        Ok(Err(format!("the row there is malformed: {what}")))
                    }
                    Err(
                        error @ (LogError::Database(_) | LogError::Hole { .. } | LogError::BrokenOff { .. }),
                    ) => Err(unreadable("the log")(&error)),
                };
                return Some(read);
            }
            match runtime.block_on(log.flawed_page(after)) {
                Ok(next) if next.is_empty() => return None,
                Ok(next) => page = next.into_iter(),
                Err(error) => return Some(Err(unreadable("the log")(&error))),
            }
        }
    })
}

/// The checkpoints in the database.
fn kept(pool: PgPool, keys: Vec<NoteKey>, runtime: Handle) -> impl Iterator<Item = Reading<Checkpoint>> {
    let (mut page, mut after) = (Vec::new().into_iter(), 0);
    let next = move || {
        loop {
            if let Some(kept) = page.next() {
                let Kept { size, note } = kept;
                after = size;
                return Some(Ok((size, note)));
            }
            match runtime.block_on(store::after(&pool, after, PAGE_NOTES_MAX)) {
                Ok(next) if next.is_empty() => return None,
                Ok(next) => page = next.into_iter(),
                Err(error) => return Some(Err(unreadable("the checkpoints")(&error))),
            }
        }
    };
    std::iter::from_fn(next).map(move |kept| {
        let (size, note) = kept?;
        let wrong = unreadable(format!("the checkpoint of size {size} in the database"));
        let checkpoint = Checkpoint::open(&note, &keys).map_err(|error| wrong(&error))?;
        if checkpoint.size == size { Ok(checkpoint) } else { Err(wrong(&"its note is of another size")) }
    })
}

/// The stored leaf hashes, tile by tile; the last tile is read again when it has grown.
fn stored(pool: PgPool, runtime: Handle) -> impl Iterator<Item = Reading<Hash>> {
    let (mut index, mut tile): (u64, Vec<Hash>) = (0, Vec::new());
    std::iter::from_fn(move || {
        let offset = usize::try_from(index % TILE_HASHES_MAX as u64).unwrap_or(0);
        if offset == 0 || offset >= tile.len() {
            let at = Coordinates { level: 0, tile: index >> TILE_HEIGHT };
            tile = match runtime.block_on(store::tiles(&pool, &[at])) {
                Ok(mut tiles) => tiles.remove(&at).unwrap_or_default(),
                Err(error) => return Some(Err(unreadable("the stored hashes")(&error))),
            };
        }
        let hash = tile.get(offset)?;
        index += 1;
        Some(Ok(*hash))
    })
}
