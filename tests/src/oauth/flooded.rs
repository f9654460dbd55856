//! Attack 29: secrets of clients are tried out in a loop. What bcrypt takes is bounded, and nobody else waits for it.

use futures_util::future::{join, join_all};
use harness::{Scripted, Settings};

use super::scene::{Scene, ask, basic, refused};
use crate::people::Person;

const FORM: &str = "grant_type=client_credentials";

#[tokio::test]
async fn attack_29_whoever_tries_out_two_hundred_secrets_at_once_keeps_nobody_else_from_anything() {
    let settings = Settings { bcrypt_cost: 12, ..Settings::default() };
    let scene = Scene::with(Scripted::Tools(vec![("echo", false)]), settings).await;
    let token = scene.token("mcp:write").await;
    let person = Person::member(&scene.world, "Bea", "member").await;
    let guesses: Vec<String> = (0..200).map(|n| basic(&scene.client.id, &format!("cs_{n:0>43}"))).collect();
    let flood = join_all(guesses.iter().map(|guess| ask(&scene.world.node, guess, FORM)));
    let others = async {
        scene.anybody().get("/.well-known/oauth-authorization-server").await.good();
        scene.call(&token, "echo").await.good();
        person.browser(&scene.world).await; // who signs in
    };
    let (answers, ()) = join(flood, others).await;
    let mut put_off = 0;
    for answer in answers {
        if answer.status.as_u16() == 401 {
            refused(&answer, 401, "invalid_client");
            continue;
        }
        refused(&answer, 503, "temporarily_unavailable");
        assert!(answer.header("retry-after").is_some());
        put_off += 1;
    }
    assert!(put_off > 0, "the queue has an end");
    scene.ask(FORM).await.good();
}
