//! Case 11: one token, presented sixty-four times at once on three nodes.

use futures_util::future::join_all;

use super::scene::{Scene, refused, settings, text};

const AT_ONCE: usize = 64;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn item_65_attack_11_of_64_refreshes_at_once_on_three_nodes_one_wins_and_all_are_told_the_same() {
    let scene = Scene::start().await;
    let (second, third) =
        tokio::join!(scene.world.another_node_with(settings()), scene.world.another_node_with(settings()));
    let nodes = [&scene.world.node, &second, &third];
    for client in [&scene.app, &scene.desk] {
        let granted = scene.granted(client).await;
        let before = scene.tokens().await;
        for node in [&second, &third] {
            scene.keeps_up(node).await;
        }
        let asked = (0..AT_ONCE).map(|number| {
            let http = nodes[number % nodes.len()].http();
            client.refresh_at(http, &granted.token, "")
        });
        let answers = join_all(asked).await;
        let first = answers.first().expect("an answer");
        for answer in &answers {
            answer.good();
            assert_eq!(answer.bytes, first.bytes);
        }
        assert_eq!(scene.tokens().await, before + 1, "one successor");
        let next = text(&first.good(), "refresh_token");
        client.refresh_at(third.http(), &next, "").await.good();
        assert_eq!(scene.ends(&granted.grant).await, Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attack_11_reuse_outside_the_window_on_three_nodes_at_once_ends_the_grant_once() {
    let scene = Scene::start().await;
    let (second, third) =
        tokio::join!(scene.world.another_node_with(settings()), scene.world.another_node_with(settings()));
    let nodes = [&scene.world.node, &second, &third];
    let granted = scene.granted(&scene.app).await;
    let next = text(&scene.refresh(&scene.app, &granted.token, "").await.good(), "refresh_token");
    scene.seconds_pass(31).await;
    for node in [&second, &third] {
        scene.keeps_up(node).await;
    }
    // The thief with the old token and the owner with the new one, all at once.
    let is_owner = |number: usize| number % 8 == 7;
    let asked = (0..AT_ONCE).map(|number| {
        let token = if is_owner(number) { &next } else { &granted.token };
        scene.app.refresh_at(nodes[number % nodes.len()].http(), token, "")
    });
    for (number, answer) in join_all(asked).await.into_iter().enumerate() {
        assert!(answer.status.as_u16() < 500, "{}", answer.body());
        if !is_owner(number) {
            refused(&answer, 400, "invalid_grant");
        }
    }
    assert_eq!(scene.ends(&granted.grant).await, ["refresh_reused"]);
    for node in nodes {
        scene.keeps_up(node).await;
        refused(&scene.app.refresh_at(node.http(), &next, "").await, 400, "invalid_grant");
    }
    let live = "select count(*) from refresh_families where ended_at is null or told_at is null";
    assert_eq!(scene.count(live).await, 0);
}
