//! A node that knows too little decides nothing by it: it asks Postgres for the few rows that decide, or refuses.

use harness::Weather;
use hyper::Method;
use serde_json::json;

use super::scene::{BOUND, Scene, reason, until};

#[tokio::test]
async fn a_node_that_loses_postgres_and_nats_refuses_after_the_bound_and_serves_when_they_are_back() {
    let scene = Scene::start().await;
    let key = scene.key().await;
    scene.far_call(&key).await.good();
    scene.postgres.turn(Weather::Dark);
    scene.nats.turn(Weather::Dark);
    tokio::time::sleep(BOUND * 2).await;
    let answer = scene.far_call(&key).await;
    answer.refused_call(503, "view-stale", &serde_json::Value::Null);
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert_eq!(scene.far_state().await, "stale");
    assert!(scene.far_metric("sekisho_view_staleness_seconds").await > BOUND.as_secs_f64());
    assert!(scene.far_metric("sekisho_stale_refusals_total{area=\"mcp\"}").await >= 1.0);
    let management = scene.far.http().as_key(&scene.world.admin_key).get("/v1/me").await;
    management.refused(503, "view-stale");
    scene.postgres.heal();
    scene.nats.heal();
    until("the far node is fresh again", async || scene.far_state().await == "ready").await;
    scene.far_call(&key).await.good();
}

#[tokio::test]
async fn attack_44_a_revocation_that_a_lost_node_cannot_have_heard_of_holds_there_after_the_bound() {
    let scene = Scene::start().await;
    let key = scene.key().await;
    scene.postgres.turn(Weather::Reset);
    scene.nats.turn(Weather::Reset);
    scene.revoke(&key).await;
    tokio::time::sleep(BOUND).await;
    for _ in 0..10 {
        assert_eq!(reason(&scene.far_call(&key).await), "view-stale");
    }
    assert!(scene.upstream.seen().is_empty(), "nothing was forwarded");
    scene.postgres.heal();
    until("Postgres alone is enough", async || reason(&scene.far_call(&key).await) == "key-revoked").await;
}

#[tokio::test]
async fn without_nats_a_node_stays_fresh_by_its_own_looks() {
    let scene = Scene::start().await;
    scene.stays_fresh_without(&scene.nats).await;
}

#[tokio::test]
async fn a_view_that_cannot_follow_the_log_is_not_needed_to_decide() {
    let scene = Scene::start().await;
    let (kept, lost) = (scene.key().await, scene.key().await);
    scene.nats.turn(Weather::Dark);
    scene.revoke(&lost).await;
    until("the revocation arrives", async || reason(&scene.far_call(&lost).await) == "key-revoked").await;
    // A hole in the log: no reader goes past it, but the rows about a key are found all the same.
    let hole = "insert into events (global_position, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata, occurred_at, recorded_at)
        select max(global_position) + 2, 'user', 'nobody', 1, 'registered', '1', '{}', '{}', now(), now() from events";
    sqlx::query(hole).execute(&scene.world.node.running.pool).await.unwrap();
    until("the view is stale", async || scene.far_state().await == "stale").await;
    let answer = scene.far_call(&kept).await;
    answer.good();
    assert_eq!(answer.header("sekisho-decision-basis"), Some("postgres"));
    assert_eq!(reason(&scene.far_call(&lost).await), "key-revoked");
    let degraded = scene.far_metric("sekisho_degraded_decisions_total{basis=\"postgres\"}").await;
    assert!(degraded >= 1.0, "{degraded}");
    let management = scene.far.http().as_key(&scene.world.admin_key).get("/v1/me").await;
    management.good();
    assert_eq!(management.header("sekisho-decision-basis"), Some("postgres"));
    let unknown = scene.far.http().as_key("sk_live_nonsense").post(&scene.instance.path(), &json!({})).await;
    assert_eq!(unknown.status, 401);
}

#[tokio::test]
async fn an_instance_that_serves_when_a_node_is_stale_goes_on_and_is_marked() {
    let scene = Scene::start().await;
    let key = scene.key().await;
    let path = scene.world.path(&format!("/instances/{}/when-stale", scene.instance.id));
    let wrong = scene.world.admin().json(Method::PUT, &path, &json!({ "when_stale": "never" })).await;
    assert!(wrong.status.is_client_error(), "{}", wrong.status);
    scene.world.admin().json(Method::PUT, &path, &json!({ "when_stale": "serve" })).await.good();
    let shown = scene.world.path(&format!("/instances/{}", scene.instance.id));
    assert_eq!(scene.world.admin().get(&shown).await.good()["when_stale"], "serve");
    until("the far node knows", async || {
        let view = scene.far.running.view.load();
        view.position() >= scene.world.node.running.view.load().position()
    })
    .await;
    scene.postgres.turn(Weather::Dark);
    scene.nats.turn(Weather::Dark);
    until("the view is stale", async || scene.far_state().await == "stale").await;
    let answer = scene.far_call(&key).await;
    answer.good();
    assert_eq!(answer.header("sekisho-decision-basis"), Some("stale_view"));
    assert!(scene.far_metric("sekisho_degraded_decisions_total{basis=\"stale_view\"}").await >= 1.0);
    let nobody = scene
        .far
        .http()
        .post(&scene.instance.path(), &json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" }))
        .await;
    assert_eq!(reason(&nobody), "no-credential", "it serves no more than before");
    let management = scene.far.http().as_key(&scene.world.admin_key).get("/v1/me").await;
    management.refused(503, "view-stale");
}

#[tokio::test]
async fn a_postgres_that_is_too_slow_is_as_good_as_none() {
    let scene = Scene::start().await;
    let key = scene.key().await;
    scene.nats.turn(Weather::Dark);
    scene.postgres.turn(Weather::Slow(BOUND * 2));
    until("the view is stale", async || scene.far_state().await == "stale").await;
    assert_eq!(reason(&scene.far_call(&key).await), "view-stale");
    scene.postgres.heal();
    until("the far node is fresh again", async || scene.far_state().await == "ready").await;
    scene.far_call(&key).await.good();
}
