//! Tamper evidence: what is signed and published, what is proven, and that nothing is done to a log or an export of it unnoticed.

mod export;
mod live;
mod mended;
mod proofs;
mod published;
mod refused;
mod rests;
mod roles;
mod survived;

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use domain::value::Position;
use harness::{Database, World};
use projections::notary::note::{Checkpoint, NoteKey};
use projections::{Envelope, LogReader};
use serde_json::json;
use sqlx::{Executor as _, PgPool};

const DEADLINE: Duration = Duration::from_secs(30);

/// The public key that a node shows.
async fn key(world: &World) -> NoteKey {
    let answer = world.node.http().get("/.well-known/sekisho/checkpoint-key").await;
    NoteKey::parse(String::from_utf8_lossy(&answer.bytes).trim()).unwrap()
}

/// The newest checkpoint that a node shows, once it covers so many events.
async fn covering(world: &World, size: u64) -> Checkpoint {
    let (key, patience) = (key(world).await, Instant::now() + DEADLINE);
    loop {
        let answer = world.node.http().get("/.well-known/sekisho/checkpoint").await;
        if answer.status.is_success() {
            let note = String::from_utf8(answer.bytes.to_vec()).unwrap();
            let checkpoint = Checkpoint::open(&note, std::slice::from_ref(&key)).unwrap();
            if checkpoint.size >= size {
                return checkpoint;
            }
        }
        assert!(Instant::now() < patience, "no checkpoint covers {size} events");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until there is a checkpoint.
pub(crate) async fn something_is_signed(world: &World) {
    covering(world, 1).await;
}

/// The last position of a log.
async fn head(pool: &PgPool) -> u64 {
    LogReader::new(pool.clone()).head().await.unwrap().get()
}

/// A world with some history, all of it signed, in three checkpoints or more; its node has stopped.
async fn signed_world() -> (PgPool, Database, NoteKey) {
    let world = World::with(harness::Settings { checkpoint_file: true, ..Default::default() }).await;
    for number in 0..3 {
        for one in ["one", "other"] {
            let body = json!({ "slug": format!("{one}-{number}"), "name": "Acme" });
            world.admin().post("/v1/organizations", &body).await.good();
        }
        covering(&world, head(&world.node.running.pool).await).await;
    }
    let (database, key) = (world.database.clone(), key(&world).await);
    world.node.running.stop().await;
    let pool = PgPool::connect(&database.url).await.unwrap();
    (pool, database, key)
}

/// Does to a log what nobody may, as somebody who owns the database can.
async fn tamper(pool: &PgPool, statement: &str) {
    pool.execute(
        format!(
            "alter table events disable trigger user; {statement}; alter table events enable trigger user"
        )
        .as_str(),
    )
    .await
    .unwrap();
}

/// Writes an export: one envelope a line.
async fn exported(pool: &PgPool, database: &Database) -> PathBuf {
    let mut pages = LogReader::new(pool.clone()).pages(Position::START);
    let mut lines = Vec::new();
    loop {
        let page = pages.next().await.unwrap();
        if page.is_empty() {
            break;
        }
        for event in &page {
            lines.extend(serde_json::to_vec(&Envelope::from(event)).unwrap());
            lines.push(b'\n');
        }
    }
    let file = database.checkpoint_file().with_extension("ndjson");
    std::fs::write(&file, lines).unwrap();
    file
}

/// Runs `sekisho verify` with nothing of this environment but the given database.
fn verify(database: Option<&str>, arguments: &[&str]) -> Output {
    let mut command = Command::new(harness::sekisho());
    command.env_clear().arg("verify").args(arguments).stdin(Stdio::null());
    if let Some(address) = database {
        command.env("DATABASE_URL", address);
    }
    command.output().expect("the program runs")
}

/// What it said, and that it ended with this code.
#[track_caller]
fn said(output: &Output, code: i32) -> String {
    let text = [&output.stdout[..], &output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert_eq!(output.status.code(), Some(code), "{text}");
    text
}
