//! Whoever ends a family dies before the log is told: others tell it.

use super::scene::{Scene, refused, until};

const END: &str = "update refresh_families set ended_at = clock_timestamp(), end_reason = 'refresh_reused' where ended_at is null";

#[tokio::test]
async fn attack_11_an_end_that_was_not_told_is_told_at_the_next_use_or_by_the_look_at_what_is_untold() {
    let scene = Scene::start().await;
    for is_used in [true, false] {
        let client = if is_used { &scene.app } else { &scene.desk };
        let granted = scene.granted(client).await;
        sqlx::query(END).execute(&scene.world.node.running.pool).await.expect("it ends");
        if is_used {
            refused(&scene.refresh(client, &granted.token, "").await, 400, "invalid_grant");
            assert_eq!(scene.ends(&granted.grant).await, ["refresh_reused"]);
        }
        until("the log is told", async || {
            scene.count("select count(*) from refresh_families where told_at is null").await == 0
        })
        .await;
        assert_eq!(scene.ends(&granted.grant).await, ["refresh_reused"]);
    }
}
