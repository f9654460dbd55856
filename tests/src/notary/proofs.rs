//! Proofs over the API, checked with nothing but the checkpoint: an organization proves its own events, and of others it sees a digest.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use harness::World;
use projections::notary::leaf::{leaf_of, recorded_of_line};
use projections::notary::merkle::{Hash, includes, is_consistent, leaf_hash};
use projections::notary::note::Checkpoint;
use serde_json::{Value, json};

use super::{covering, head, key};

fn hash(text: &Value) -> Hash {
    STANDARD.decode(text.as_str().unwrap()).unwrap().try_into().unwrap()
}

fn hashes(list: &Value) -> Vec<Hash> {
    list.as_array().unwrap().iter().map(hash).collect()
}

/// The value of a member as it stands in the text: what is signed is bytes.
fn raw(text: &str, member: &str) -> String {
    let all: std::collections::HashMap<String, Box<serde_json::value::RawValue>> =
        serde_json::from_str(text).unwrap();
    all[member].get().to_owned()
}

#[tokio::test]
async fn every_position_is_proven_and_only_ones_own_events_are_shown() {
    let world = World::start().await;
    world.key_of_another_organization().await;
    let auditor = world.node.http().as_key(&world.key(&["audit:read"], None).await);
    let size = head(&world.node.running.pool).await;
    let checkpoint = covering(&world, size).await;
    let (mut own, mut foreign) = (0, 0);
    for position in 1..=size {
        let path = format!("/v1/log/inclusion?position={position}&size={}", checkpoint.size);
        let answer = auditor.get(&path).await;
        let proof = answer.good();
        let signed = Checkpoint::open(proof["checkpoint"].as_str().unwrap(), &[key(&world).await]).unwrap();
        assert_eq!(signed, checkpoint);
        let leaf = hash(&proof["leaf_hash"]);
        assert!(
            includes(&leaf, position - 1, signed.size, &hashes(&proof["proof"]), &signed.root),
            "{proof}"
        );
        if proof["leaf"].is_null() {
            assert!(proof["event"].is_null(), "{proof}");
            foreign += 1;
            continue;
        }
        assert_eq!(leaf_hash(&STANDARD.decode(proof["leaf"].as_str().unwrap()).unwrap()), leaf);
        let event =
            recorded_of_line(raw(&String::from_utf8_lossy(&answer.bytes), "event").as_bytes()).unwrap();
        assert_eq!(leaf_of(&event), leaf);
        assert_eq!(event.organization().unwrap().to_string(), world.organization);
        own += 1;
    }
    assert!(own > 0 && foreign > 0, "{own} own and {foreign} foreign events");
}

#[tokio::test]
async fn any_two_checkpoints_are_proven_consistent() {
    let world = World::start().await;
    let auditor = world.node.http().as_key(&world.key(&["audit:read"], None).await);
    let first = covering(&world, 1).await;
    world.key_of_another_organization().await;
    let second = covering(&world, head(&world.node.running.pool).await).await;
    let proof =
        auditor.get(&format!("/v1/log/consistency?from={}&to={}", first.size, second.size)).await.good();
    assert!(
        is_consistent((first.size, &first.root), (second.size, &second.root), &hashes(&proof["proof"])),
        "{proof}"
    );
    let newest = auditor.get("/v1/log/checkpoint").await.good();
    assert_eq!(newest["key"], json!(key(&world).await.to_string()));
    assert!(newest["size"].as_u64().unwrap() >= second.size);
}

#[tokio::test]
async fn what_was_not_signed_is_not_proven() {
    let world = World::start().await;
    let auditor = world.node.http().as_key(&world.key(&["audit:read"], None).await);
    let size = covering(&world, head(&world.node.running.pool).await).await.size;
    for path in [
        "position=0".to_owned(),
        format!("position={}&size={size}", size + 1),
        format!("position=1&size={}", size + 999),
    ] {
        auditor.get(&format!("/v1/log/inclusion?{path}")).await.refused(404, "not-found");
    }
    for path in ["inclusion", "inclusion?position=x", "consistency?to=1"] {
        auditor.get(&format!("/v1/log/{path}")).await.refused(400, "bad-query");
    }
    auditor.get(&format!("/v1/log/consistency?from={}", size + 999)).await.refused(404, "not-found");
}
