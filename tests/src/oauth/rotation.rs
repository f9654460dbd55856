//! Cases 19 and 20: keys that sign are replaced in order and in an emergency, and every algorithm is one that its key set says.

use std::process::Stdio;

use domain::value::SigningAlgorithm;
use harness::{Scripted, Settings, World, sekisho};
use serde_json::{Value, json};

use super::scene::{Scene, header, until};

async fn keys(world: &World, arguments: &[&str]) -> String {
    let mut command = std::process::Command::new(sekisho());
    command.env_clear().arg("keys").args(arguments).stdin(Stdio::null());
    command.env("DATABASE_URL", &world.database.url).env("SEKISHO_SIGNING_ALGORITHM", "EdDSA");
    if arguments != ["list"] {
        command.env("SEKISHO_MASTER_KEY", world.master_key());
    }
    let output =
        tokio::task::spawn_blocking(move || command.output().expect("it runs")).await.expect("it ends");
    let said = [&output.stdout[..], &output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

async fn published(scene: &Scene) -> Vec<Value> {
    let keys = scene.anybody().get("/oauth/jwks").await.good();
    keys["keys"].as_array().expect("a list").clone()
}

fn tools() -> Scripted {
    Scripted::Tools(vec![("echo", false)])
}

#[tokio::test]
async fn attack_20_in_an_emergency_another_key_signs_at_once_and_every_token_that_was_out_is_refused() {
    let scene = Scene::start().await;
    let old = scene.token("mcp:write").await;
    scene.call(&old, "echo").await.good();
    keys(&scene.world, &["rotate", "--emergency"]).await;
    until("the old key is gone", async || {
        let published = published(&scene).await;
        published.len() == 1 && published[0]["kid"] != header(&old)["kid"]
    })
    .await;
    scene.call(&old, "echo").await.refused_call(401, "token-revoked", &json!(1));
    let new = scene.token("mcp:write").await;
    assert_ne!(header(&new)["kid"], header(&old)["kid"]);
    scene.call(&new, "echo").await.good();
}

#[tokio::test]
async fn attack_20_in_order_the_next_key_is_published_before_it_signs_and_the_old_one_goes_on() {
    let scene = Scene::start().await;
    let old = scene.token("mcp:write").await;
    keys(&scene.world, &["rotate"]).await;
    until("the next key is published", async || published(&scene).await.len() == 2).await;
    let listed = keys(&scene.world, &["list"]).await;
    assert_eq!((listed.matches("active").count(), listed.matches("next").count()), (1, 1), "{listed}");
    let said = keys(&scene.world, &["rotate"]).await;
    assert!(said.contains("already"), "{said}");
    let new = scene.token("mcp:write").await;
    assert_eq!(header(&new)["kid"], header(&old)["kid"], "nobody may have fetched the next one yet");
    scene.call(&old, "echo").await.good();
}

#[tokio::test]
async fn a_node_signs_with_the_algorithm_that_it_is_set_to() {
    for algorithm in SigningAlgorithm::ALL {
        let settings = Settings { signing_algorithm: algorithm, ..Settings::default() };
        let scene = Scene::with(tools(), settings).await;
        until("there is a key", async || !published(&scene).await.is_empty()).await;
        let token = scene.token("mcp:write").await;
        assert_eq!(header(&token)["alg"], algorithm.as_str());
        assert_eq!(published(&scene).await[0]["alg"], algorithm.as_str());
        scene.call(&token, "echo").await.good();
    }
}

#[tokio::test]
async fn nodes_that_start_together_make_one_key() {
    let settings = Settings { public_url: Some("https://mcp.example.com"), ..Settings::default() };
    let scene = Scene::with(tools(), settings).await;
    let (one, other) =
        tokio::join!(scene.world.another_node_with(settings), scene.world.another_node_with(settings));
    let token = scene.token("mcp:write").await;
    for node in [&one, &other] {
        super::scene::call(node, &scene.instance, &token, "echo").await.good();
    }
    assert_eq!(published(&scene).await.len(), 1);
}
