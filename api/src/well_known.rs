//! `/.well-known/sekisho/`: the newest checkpoint, the key that signs them, and the tree in tiles (C2SP tlog-tiles). Access: open, so that
//! anybody may be a witness. They tell how many events there are, and digests of them; nothing of what happened to whom.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderValue, StatusCode, header};
use projections::notary::NotaryHandle;
use projections::notary::store::tiles;
use projections::notary::tile::{TileAddress, tile_bytes};
use sqlx::PgPool;
use tokio::sync::Semaphore;

use crate::problem::Problem;

/// Tiles that are read at once for whoever asks: nobody keeps the database from those who have a key.
const READS_MAX: usize = 2;

/// What is shown.
#[derive(Clone)]
pub(crate) struct WellKnown {
    notary: NotaryHandle,
    pool: PgPool,
    places: Arc<Semaphore>,
}

impl WellKnown {
    pub(crate) fn new(notary: NotaryHandle, pool: PgPool) -> Self {
        Self { notary, pool, places: Arc::new(Semaphore::new(READS_MAX)) }
    }
}

/// The routes.
pub(crate) fn router(well_known: WellKnown) -> Router {
    Router::new()
        .route("/.well-known/sekisho/checkpoint", get(checkpoint))
        .route("/.well-known/sekisho/checkpoint-key", get(key))
        .route("/.well-known/sekisho/tile/{*address}", get(tile))
        .with_state(well_known)
}

async fn checkpoint(State(shown): State<WellKnown>) -> Result<Response, Problem> {
    let newest =
        shown.notary.newest().ok_or_else(|| Problem::not_found("checkpoint: nothing was signed yet"))?;
    Ok(text(newest.note))
}

async fn key(State(shown): State<WellKnown>) -> Response {
    text(format!("{}\n", shown.notary.key()))
}

fn text(body: String) -> Response {
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    ([(header::CONTENT_TYPE, plain), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], body)
        .into_response()
}

async fn tile(State(shown): State<WellKnown>, Path(address): Path<String>) -> Result<Response, Problem> {
    let unknown = || Problem::not_found("tile");
    let address = TileAddress::parse(&address).ok_or_else(unknown)?;
    let Ok(_place) = shown.places.try_acquire() else {
        let detail = "too many tiles are being read; try again";
        return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-tiles", detail));
    };
    let found = tiles(&shown.pool, &[address.at]).await;
    let found = found.map_err(|error| Problem::unavailable("database-unavailable", &error))?;
    let hashes =
        found.get(&address.at).and_then(|hashes| hashes.get(..address.hashes)).ok_or_else(unknown)?;
    // A tile of one address never changes, and most are asked for again and again.
    let kept = HeaderValue::from_static("public, max-age=604800, immutable");
    let bytes = HeaderValue::from_static("application/octet-stream");
    Ok(([(header::CONTENT_TYPE, bytes), (header::CACHE_CONTROL, kept)], tile_bytes(hashes)).into_response())
}
