//! Where checkpoints are published, and how long an event waits for one.

use std::time::Duration;

use futures_util::StreamExt as _;
use harness::{Settings, World, cluster};
use projections::notary::file::Notes;
use projections::notary::merkle::Tree;
use projections::notary::note::Checkpoint;
use projections::notary::tile::tile_hashes;
use serde_json::json;

use super::{covering, head, key};

#[tokio::test]
async fn a_checkpoint_is_shown_sent_and_written_and_each_is_the_same() {
    let world = World::with(Settings { checkpoint_file: true, ..Settings::default() }).await;
    let nats = api::adapters::nats::connect(cluster().nats_url()).await.unwrap();
    let mut heard = nats.subscribe(format!("events-{}-checkpoint", world.database.name)).await.unwrap();
    nats.flush().await.unwrap();
    world.key_of_another_organization().await;
    let keys = [key(&world).await];
    let shown = covering(&world, head(&world.node.running.pool).await).await;
    loop {
        let message = tokio::time::timeout(Duration::from_secs(20), heard.next()).await.unwrap().unwrap();
        let sent = Checkpoint::open(std::str::from_utf8(&message.payload).unwrap(), &keys).unwrap();
        if sent.size >= shown.size {
            assert_eq!(sent, shown);
            break;
        }
    }
    let file = world.database.checkpoint_file();
    world.node.running.stop().await;
    let notes: Vec<_> =
        Notes::open(&file).unwrap().map(|note| Checkpoint::open(&note.unwrap(), &keys).unwrap()).collect();
    assert_eq!(notes.last(), Some(&shown));
    assert!(notes.is_sorted_by(|one, next| one.size < next.size), "{notes:?}");
}

#[tokio::test]
async fn the_tiles_that_anybody_may_read_give_the_root_that_was_signed() {
    let world = World::start().await;
    world.key_of_another_organization().await;
    let checkpoint = covering(&world, head(&world.node.running.pool).await).await;
    let path = format!("/.well-known/sekisho/tile/0/000.p/{}", checkpoint.size);
    let answer = world.node.http().get(&path).await;
    assert_eq!(answer.header("cache-control"), Some("public, max-age=604800, immutable"));
    let mut tree = Tree::default();
    for leaf in tile_hashes(&answer.bytes).unwrap() {
        tree.append(leaf, |_, _, _| {});
    }
    assert_eq!((tree.size(), tree.root()), (checkpoint.size, checkpoint.root));
    for other in ["0/000", "0/000.p/255", "1/000.p/1", "0/0", "x", "0/000.p/0", "9/999"] {
        world.node.http().get(&format!("/.well-known/sekisho/tile/{other}")).await.refused(404, "not-found");
    }
}

/// The unprotected window: from the commit of an event to the commit of the checkpoint that covers it. A second by design, and the work.
#[tokio::test]
async fn no_event_waits_much_longer_than_a_second_for_its_checkpoint() {
    let world = World::start().await;
    for number in 0..40 {
        let body = json!({ "slug": format!("team-{number}"), "name": "Acme" });
        world.admin().post("/v1/organizations", &body).await.good();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    covering(&world, head(&world.node.running.pool).await).await;
    let text = String::from_utf8(world.node.http().get("/metrics").await.bytes.to_vec()).unwrap();
    let value = |name: &str| -> f64 {
        let line =
            text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name} in {text}"));
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    let (count, sum) =
        (value("sekisho_notary_unprotected_seconds_count"), value("sekisho_notary_unprotected_seconds_sum"));
    let within = value("sekisho_notary_unprotected_seconds_bucket{le=\"4.096\"}");
    println!(
        "unprotected: {count} checkpoints, the oldest event of each waited {:.3} s on average",
        sum / count
    );
    assert!(count >= 2.0 && (within - count).abs() < 0.5, "{within} of {count} within 4.096 s");
    assert!(value("sekisho_notary_refuses").abs() < 0.5);
    let signed: i64 = sqlx::query_scalar("select count(*) from notary_checkpoints")
        .fetch_one(&world.node.running.pool)
        .await
        .unwrap();
    assert!(signed < 15, "{signed} checkpoints in about three seconds");
}
