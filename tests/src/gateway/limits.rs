//! How often one key may call.

use harness::{Scripted, Settings};
use serde_json::json;

use super::scene::{Scene, list, until};

#[tokio::test]
async fn a_key_that_calls_too_often_is_told_when_to_come_back_and_others_are_not_held_up() {
    let scene = Scene::with(Scripted::Tools(vec![]), Settings { key_rate: 5, ..Settings::default() }).await;
    let other = scene.world.key(&["mcp:read"], None).await;
    let mut refused = None;
    for _ in 0..20 {
        let answer = scene.call(&list(1)).await;
        if answer.status != 200 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("twenty calls at once are more than five a second");
    refused.refused_call(429, "rate-limited", &json!(1));
    let wait: u64 =
        refused.header("retry-after").and_then(|wait| wait.parse().ok()).expect("seconds to wait");
    assert!((1..=2).contains(&wait), "{wait}");
    assert!(scene.upstream.seen().len() < 20, "a refused call is not carried");

    scene.call_as(&other, &list(2)).await.good();
    until("the key may call again", async || scene.call(&list(3)).await.status == 200).await;
}

#[tokio::test]
async fn guesses_at_a_keys_secret_use_up_nothing_of_its_rate() {
    let scene = Scene::with(Scripted::Tools(vec![]), Settings { key_rate: 5, ..Settings::default() }).await;
    let id = domain::value::KeyText::parse(scene.instance.api_key()).expect("a key").id();
    let guess = domain::value::KeyText::compose(domain::api_key::KeyEnvironment::Live, id, &[1; 32]);
    for _ in 0..20 {
        scene.call_as(guess.reveal(), &list(1)).await.refused_call(401, "key-unknown", &json!(1));
    }
    scene.call(&list(2)).await.good();
}
