//! What the notary keeps in Postgres: tiles, checkpoints, and the row that elects who signs.

use std::time::Duration;

use sqlx::{PgConnection, PgPool};

use super::merkle::Hash;
use super::proof::{consistency_runs, hashes_of, inclusion_runs, tiles_of};
use super::tile::{Coordinates, Tiles, tile_bytes, tile_hashes};

/// A checkpoint as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// How many events it covers.
    pub size: u64,
    /// The signed note.
    pub note: String,
}

/// What the notary keeps is not what it should be.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Postgres refuses or does not answer.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// A tile is missing, or is none.
    #[error("the notary's tile {0} of level {1} is missing or damaged")]
    Tile(u64, u8),
}

/// The notary's place, held until the transaction ends.
pub(super) struct Place {
    /// A position at which the log was found to differ from what was signed.
    pub(super) suspect: Option<u64>,
}

/// Takes the notary's place for a transaction; nothing while another node has it.
pub(super) async fn take_place(connection: &mut PgConnection) -> Result<Option<Place>, sqlx::Error> {
    let row: Option<(Option<i64>,)> = sqlx::query_as("select suspect from notary for update skip locked")
        .fetch_optional(connection)
        .await?;
    Ok(row.map(|(suspect,)| Place { suspect: suspect.map(i64::unsigned_abs) }))
}

/// Takes the notary's place for a transaction, once nobody else has it.
pub(super) async fn wait_for_place(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query("select from notary for update").execute(connection).await.map(|_| ())
}

/// Notes a position at which the log is not what was signed, or that it agrees again.
pub(super) async fn suspect(connection: &mut PgConnection, position: Option<u64>) -> Result<(), sqlx::Error> {
    let update = sqlx::query("update notary set suspect = $1").bind(position.map(number));
    update.execute(connection).await.map(|_| ())
}

/// The newest checkpoint, and how long ago it was signed by the database's clock.
pub(super) async fn newest_and_age(
    connection: &mut PgConnection,
) -> Result<Option<(Kept, Duration)>, sqlx::Error> {
    let row: Option<(i64, String, f64)> = sqlx::query_as(
        "select size, note, extract(epoch from clock_timestamp() - signed_at)::float8 from notary_checkpoints
         order by size desc limit 1",
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|(size, note, age)| {
        let age = Duration::try_from_secs_f64(age).unwrap_or_default(); // a clock that was set back: just now
        (Kept { size: size.unsigned_abs(), note }, age)
    }))
}

/// Keeps the checkpoint and the tiles that changed. Answers how long before that, by the database's clock, the given moment was.
pub(super) async fn keep(
    connection: &mut PgConnection,
    (checkpoint, root): (&Kept, &Hash),
    tiles: &[(Coordinates, Vec<Hash>)],
    first_recorded: time::OffsetDateTime,
) -> Result<Duration, sqlx::Error> {
    for (at, hashes) in tiles {
        sqlx::query(
            "insert into notary_tiles (level, tile, hashes) values ($1, $2, $3)
             on conflict (level, tile) do update set hashes = excluded.hashes",
        )
        .bind(i16::from(at.level))
        .bind(number(at.tile))
        .bind(tile_bytes(hashes))
        .execute(&mut *connection)
        .await?;
    }
    let (seconds,): (f64,) = sqlx::query_as(
        "insert into notary_checkpoints (size, root, note) values ($1, $2, $3)
         returning extract(epoch from signed_at - $4)::float8",
    )
    .bind(number(checkpoint.size))
    .bind(&root[..])
    .bind(&checkpoint.note)
    .bind(first_recorded)
    .fetch_one(connection)
    .await?;
    Ok(Duration::try_from_secs_f64(seconds).unwrap_or_default())
}

/// Writes a tile, unless it is kept as it should be. Answers how many were written.
pub(super) async fn mend_tile(
    connection: &mut PgConnection,
    at: Coordinates,
    hashes: &[Hash],
) -> Result<u64, sqlx::Error> {
    let written = sqlx::query(
        "insert into notary_tiles (level, tile, hashes) values ($1, $2, $3)
         on conflict (level, tile) do update set hashes = excluded.hashes where notary_tiles.hashes <> excluded.hashes",
    )
    .bind(i16::from(at.level))
    .bind(number(at.tile))
    .bind(tile_bytes(hashes))
    .execute(connection)
    .await?;
    Ok(written.rows_affected())
}

/// These tiles; those that are not there are left out.
pub async fn tiles<'c, E>(executor: E, wanted: &[Coordinates]) -> Result<Tiles, StoreError>
where
    E: sqlx::Executor<'c, Database = sqlx::Postgres>,
{
    let levels: Vec<i16> = wanted.iter().map(|at| i16::from(at.level)).collect();
    let numbers: Vec<i64> = wanted.iter().map(|at| number(at.tile)).collect();
    let rows: Vec<(i16, i64, Vec<u8>)> = sqlx::query_as(
        "select t.level, t.tile, t.hashes from unnest($1::smallint[], $2::bigint[]) as w (level, tile)
         join notary_tiles t on t.level = w.level and t.tile = w.tile",
    )
    .bind(levels)
    .bind(numbers)
    .fetch_all(executor)
    .await?;
    let tile = |(level, tile, bytes): (i16, i64, Vec<u8>)| {
        let at = Coordinates { level: u8::try_from(level).unwrap_or(u8::MAX), tile: tile.unsigned_abs() };
        let hashes = tile_hashes(&bytes).ok_or(StoreError::Tile(at.tile, at.level))?;
        Ok((at, hashes))
    };
    rows.into_iter().map(tile).collect()
}

/// The newest checkpoint, if any was signed yet.
pub async fn newest(pool: &PgPool) -> Result<Option<Kept>, sqlx::Error> {
    let row = sqlx::query_as("select size, note from notary_checkpoints order by size desc limit 1");
    Ok(row.fetch_optional(pool).await?.map(kept))
}

/// The checkpoint of this size, if one was signed.
pub async fn of_size(pool: &PgPool, size: u64) -> Result<Option<Kept>, sqlx::Error> {
    let row = sqlx::query_as("select size, note from notary_checkpoints where size = $1").bind(number(size));
    Ok(row.fetch_optional(pool).await?.map(kept))
}

/// The checkpoints after this size, by size, at most so many.
pub async fn after(pool: &PgPool, size: u64, rows_max: i64) -> Result<Vec<Kept>, sqlx::Error> {
    let rows =
        sqlx::query_as("select size, note from notary_checkpoints where size > $1 order by size limit $2");
    Ok(rows.bind(number(size)).bind(rows_max).fetch_all(pool).await?.into_iter().map(kept).collect())
}

/// The proof that the leaf at an index (from 0) stands in the tree of this size, and the leaf itself.
pub async fn inclusion(pool: &PgPool, index: u64, size: u64) -> Result<(Hash, Vec<Hash>), StoreError> {
    let leaf = (index, index + 1);
    let mut runs = inclusion_runs(index, size);
    runs.insert(0, leaf);
    let mut hashes = hashes(pool, &runs).await?;
    let proof = hashes.split_off(1.min(hashes.len()));
    match hashes.pop() {
        Some(leaf) => Ok((leaf, proof)),
        None => Err(StoreError::Tile(index, 0)),
    }
}

/// The proof that the tree of the first size is the beginning of that of the second.
pub async fn consistency(pool: &PgPool, first: u64, second: u64) -> Result<Vec<Hash>, StoreError> {
    hashes(pool, &consistency_runs(first, second)).await
}

async fn hashes(pool: &PgPool, runs: &[(u64, u64)]) -> Result<Vec<Hash>, StoreError> {
    let wanted = tiles_of(runs);
    let found = tiles(pool, &wanted).await?;
    hashes_of(runs, &found).ok_or_else(|| {
        let missing = wanted.iter().find(|at| !found.contains_key(at)).or(wanted.first());
        missing.map_or(StoreError::Tile(0, 0), |at| StoreError::Tile(at.tile, at.level))
    })
}

fn kept((size, note): (i64, String)) -> Kept {
    Kept { size: size.unsigned_abs(), note }
}

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
