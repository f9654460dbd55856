//! `?wait=all`: a revocation that is answered holds on every node, or the answer says which one must have stopped to decide without it.

use std::time::{Duration, Instant};

use harness::{Answer, Program, Victim, Weather, World};
use hyper::Method;
use serde_json::json;

use super::scene::{BOUND, Key, Scene, reason, until};

async fn revoked(scene: &Scene, key: &Key) -> Answer {
    let path = scene.world.path(&format!("/api-keys/{}?wait=all", key.id));
    let answer = scene.world.admin().json(Method::DELETE, &path, &json!({})).await;
    answer.good();
    answer
}

fn told(answer: &Answer) -> Vec<String> {
    let text = answer.header("sekisho-applied-everywhere").expect("it says how far it is");
    text.split(';').map(str::to_owned).collect()
}

#[tokio::test]
async fn only_what_is_written_can_be_waited_for() {
    let scene = Scene::start().await;
    scene.world.admin().get("/v1/me?wait=all").await.refused(400, "wait-malformed");
    let path = scene.world.path("/api-keys?wait=some");
    scene
        .world
        .admin()
        .post(&path, &json!({ "name": "A", "scopes": ["mcp:write"] }))
        .await
        .refused(400, "wait-malformed");
}

#[tokio::test]
async fn what_is_answered_holds_on_every_node() {
    let scene = Scene::start().await;
    for _ in 0..5 {
        let key = scene.key().await;
        let answer = revoked(&scene, &key).await;
        let told = told(&answer);
        assert!(told[1].starts_with("nodes=2"), "{told:?}");
        if told[0] == "?1" {
            assert_eq!(reason(&scene.far_call(&key).await), "key-revoked");
        }
    }
}

#[tokio::test]
async fn a_node_that_does_not_hear_is_named_and_has_stopped_to_decide() {
    let scene = Scene::start().await;
    let (kept, key) = (scene.key().await, scene.key().await);
    scene.postgres.turn(Weather::Dark);
    scene.nats.turn(Weather::Dark);
    let begun = Instant::now();
    let told = told(&revoked(&scene, &key).await);
    assert_eq!(told[0], "?0");
    assert!(begun.elapsed() >= BOUND, "not before the bound");
    assert!(told[2].starts_with("slowest=\""), "{told:?}");
    let millis: u128 = told[3].strip_prefix("millis=").expect("how long").parse().expect("a number");
    assert!(millis >= BOUND.as_millis(), "{told:?}");
    for key in [&kept, &key] {
        assert_eq!(reason(&scene.far_call(key).await), "view-stale");
    }
    scene.postgres.heal();
    scene.nats.heal();
    until("the far node hears", async || reason(&scene.far_call(&key).await) == "key-revoked").await;
}

#[tokio::test]
async fn where_nodes_are_not_known_nothing_is_said_to_hold_everywhere() {
    let scene = Scene::start().await;
    let pool = &scene.world.node.running.pool;
    let kept: bool =
        sqlx::query_scalar("select relpersistence = 'p' from pg_class where relname = 'node_leases'")
            .fetch_one(pool)
            .await
            .unwrap();
    assert!(kept, "a node that is cut off while Postgres crashes cannot say again that it is there");
    let key = scene.key().await;
    sqlx::query("delete from node_leases").execute(pool).await.unwrap();
    let told = told(&revoked(&scene, &key).await);
    assert_ne!((told[0].as_str(), told[1].as_str()), ("?1", "nodes=0"));
}

#[tokio::test]
async fn on_a_database_that_nodes_share_a_silent_node_is_not_taken_for_dead() {
    let world = World::start().await;
    let silent = "insert into node_leases (node, applied, bound_millis, renewed_at, expires_at)
        values (gen_random_uuid(), 0, 1000, now() - interval '3 seconds', now() - interval '2 seconds')";
    sqlx::query(silent).execute(&world.node.running.pool).await.unwrap();
    let _beside = world.another_node().await;
    let body = json!({ "name": "A key", "scopes": ["mcp:write"] });
    let issued = world.admin().post(&world.path("/api-keys?wait=all"), &body).await;
    let told = told(&issued);
    assert_eq!((told[0].as_str(), told[1].as_str()), ("?0", "nodes=3"), "it may only be cut off: {told:?}");
}

#[tokio::test]
async fn the_node_of_an_embedded_store_knows_that_those_before_it_are_dead() {
    let mut program = Program::start("everywhere-killed").await;
    let founding = json!({ "organization": { "slug": "acme", "name": "Acme" }, "owner": { "name": "Ann" } });
    let bootstrap = program.http().with("authorization", &format!("Bearer {}", program.bootstrap_token()));
    let founded = bootstrap.post("/v1/bootstrap", &founding).await.good();
    program.kill(Victim::Sekisho).await;
    program.start_again().await;
    let admin = program.http().as_key(founded["api_key"].as_str().unwrap());
    let path =
        format!("/v1/organizations/{}/api-keys?wait=all", founded["organization_id"].as_str().unwrap());
    let issued = admin.post(&path, &json!({ "name": "A key", "scopes": ["mcp:write"] })).await;
    let told = told(&issued);
    assert_eq!((told[0].as_str(), told[1].as_str()), ("?1", "nodes=1"), "{told:?}");
}

#[tokio::test]
async fn a_node_that_has_stopped_is_not_waited_for() {
    let scene = Scene::start().await;
    let key = scene.key().await;
    let Scene { world, far, .. } = scene;
    assert!(far.running.stop().await);
    let path = world.path(&format!("/api-keys/{}?wait=all", key.id));
    let waited = async {
        loop {
            let answer = world.admin().json(Method::DELETE, &path, &json!({})).await;
            if told(&answer)[1] == "nodes=1" {
                return told(&answer);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let told = tokio::time::timeout(Duration::from_secs(30), waited).await.expect("its lease is given back");
    assert_eq!(told[0], "?1", "{told:?}");
}
