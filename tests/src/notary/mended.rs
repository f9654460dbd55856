//! What the notary keeps can be made anew from the log, and only from the log that was signed.

use std::process::{Command, Output, Stdio};

use harness::World;
use serde_json::json;
use sqlx::Executor as _;

use super::{covering, head, said, tamper, verify};

/// `sekisho rebuild notary` on the world's database.
async fn mend(world: &World) -> Output {
    let mut command = Command::new(harness::sekisho());
    command.args(["rebuild", "notary"]).env_clear().env("DATABASE_URL", &world.database.url);
    command.env("SEKISHO_MASTER_KEY", world.master_key()).stdin(Stdio::null());
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

async fn happen(world: &World, slug: &str) {
    world.admin().post("/v1/organizations", &json!({ "slug": slug, "name": "Acme" })).await.good();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_was_changed_gets_no_tiles_that_go_with_it() {
    let world = World::start().await;
    let pool = world.node.running.pool.clone();
    happen(&world, "one").await;
    covering(&world, head(&pool).await).await;
    tamper(&pool, "update events set payload = (replace(payload::text, 'Acme', 'Emca'))::json").await;
    pool.execute("delete from notary_tiles").await.unwrap();
    let told = said(&mend(&world).await, 1);
    assert!(
        told.contains("are not those that were signed") && told.contains("the tiles are as they were"),
        "{told}"
    );
    let tiles: i64 = sqlx::query_scalar("select count(*) from notary_tiles").fetch_one(&pool).await.unwrap();
    assert_eq!(tiles, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_and_damaged_tiles_are_mended_and_the_notary_signs_on() {
    let world = World::start().await;
    let pool = world.node.running.pool.clone();
    // More than one tile, so that there is a level above the leaves.
    for number in 0..90 {
        happen(&world, &format!("team-{number}")).await;
    }
    let signed = head(&pool).await;
    covering(&world, signed).await;
    assert!(signed > 256, "{signed}");
    let told = said(&mend(&world).await, 0);
    assert!(told.contains("0 tiles were missing"), "{told}");

    pool.execute(
        "delete from notary_tiles where level = 1;
         update notary_tiles set hashes = substr(hashes, 1, 32) || hashes where level = 0 and tile = 1",
    )
    .await
    .unwrap();
    let told = said(&mend(&world).await, 0);
    assert!(told.contains("2 tiles were missing"), "{told}");
    happen(&world, "later").await;
    let last = head(&pool).await;
    covering(&world, last).await;
    let key = super::key(&world).await.to_string();
    let told = said(&verify(Some(&world.database.url), &["--public-key", &key]), 0);
    assert!(told.contains("as they were signed"), "{told}");
}
