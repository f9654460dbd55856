//! The notary goes on where it stopped, however it stopped, on whichever node.

use harness::{Program, Victim, World};
use serde_json::json;

use super::{covering, head, said, verify};

#[tokio::test]
async fn after_a_kill_it_goes_on_and_the_whole_log_verifies_while_it_is_served_and_when_it_is_stopped() {
    let mut program = Program::start("notary-killed").await;
    let founding = json!({ "organization": { "slug": "acme", "name": "Acme" }, "owner": { "name": "Ann", "email": "ann@example.com" } });
    let bearer = format!("Bearer {}", program.bootstrap_token());
    let founded = program.http().with("authorization", &bearer).post("/v1/bootstrap", &founding).await.good();
    let key = founded["api_key"].as_str().unwrap().to_owned();
    for number in 0..3 {
        let body = json!({ "slug": format!("team-{number}"), "name": "Acme" });
        program.http().as_key(&key).post("/v1/organizations", &body).await.good();
        program.kill(Victim::Sekisho).await;
        program.start_again().await;
    }
    let position = program.http().as_key(&key).get("/v1/me").await;
    let position: u64 = position.header("sekisho-position").unwrap().parse().unwrap();
    let data = program.data().to_str().unwrap().to_owned();
    let whole = format!("ok    {position} events, positions 1 to {position} as they were signed");
    let patience = std::time::Instant::now() + super::DEADLINE;
    loop {
        let told = said(&verify(None, &["--data", &data]), 0);
        if told.starts_with(&whole) {
            break;
        }
        assert!(std::time::Instant::now() < patience, "{told}");
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    program.stop().await;
    assert!(said(&verify(None, &["--data", &data]), 0).starts_with(&whole));
}

#[tokio::test]
async fn another_node_goes_on_where_one_stopped() {
    let world = World::start().await;
    let other = world.another_node().await;
    covering(&world, head(&other.running.pool).await).await;
    let (database, admin) = (world.database.clone(), other.http().as_key(&world.admin_key));
    world.node.running.stop().await;
    admin.post("/v1/organizations", &json!({ "slug": "later", "name": "Later" })).await.good();
    let last = head(&other.running.pool).await;
    let patience = std::time::Instant::now() + super::DEADLINE;
    while other.running.notary.newest().is_none_or(|kept| kept.size < last) {
        assert!(std::time::Instant::now() < patience, "nobody signs");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let key = other.running.notary.key().to_string();
    let told = said(&verify(Some(&database.url), &["--public-key", &key]), 0);
    assert!(told.contains(&format!("positions 1 to {last} as they were signed")), "{told}");
}
