//! What a violation leaves behind: the diary of troubles, what the nodes and servers wrote, and the log.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use domain::value::Position;
use projections::{Envelope, LogReader};
use tokio::time::timeout;

use super::world::{Node, World};

/// A Postgres that does not answer is no evidence.
const LOG_WAIT: Duration = Duration::from_secs(30);

/// Where a run of this name and seed writes its diary.
pub(super) fn diary(name: &str) -> PathBuf {
    harness::folder(name).with_extension("diary")
}

/// Keeps it where cargo puts what it makes; says where.
pub(super) async fn keep(world: &World, name: &str, seed: u64) {
    let target = harness::sekisho().parent().and_then(|profile| profile.parent()).unwrap();
    let folder = target.join("chaos").join(format!("{name}-{seed}"));
    fs::create_dir_all(&folder).unwrap();
    let servers = ["postgres.log", "nats.log"].map(|log| world.store.folder().join("logs").join(log));
    let nodes = world.nodes.iter().flat_map(Node::files);
    for file in nodes.chain(servers).chain([diary(name)]) {
        let _ = fs::copy(&file, folder.join(file.file_name().unwrap())); // not each of them was ever written
    }
    let whole = timeout(LOG_WAIT, write_log(world, folder.join("events.ndjson"))).await;
    let log = if whole.is_ok_and(|written| written.is_ok()) { "with the log" } else { "without the log" };
    println!("{name}: the evidence is in {}, {log}", folder.display());
}

async fn write_log(world: &World, file: PathBuf) -> Result<(), Box<dyn std::error::Error>> {
    let pool = sqlx::PgPool::connect(&world.store.addresses().0).await?;
    let mut file = std::io::BufWriter::new(fs::File::create(file)?);
    let mut pages = LogReader::new(pool).pages(Position::START);
    loop {
        let page = pages.next().await?;
        for event in &page {
            serde_json::to_writer(&mut file, &Envelope::from(event))?;
            writeln!(file)?;
        }
        if page.is_empty() {
            return Ok(file.flush()?);
        }
    }
}
