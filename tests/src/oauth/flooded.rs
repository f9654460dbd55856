//! Attack 29: secrets of clients are tried out in a loop. What bcrypt takes is bounded, and nobody else waits for it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::{join, join_all};
use harness::{Scripted, Settings};

use super::scene::{Scene, ask, basic, refused};
use crate::people::Person;

const FORM: &str = "grant_type=client_credentials";
/// Who was told to come back comes back far too soon.
const PAUSE: Duration = Duration::from_millis(100);

#[tokio::test]
async fn attack_29_whoever_tries_out_two_hundred_secrets_at_once_keeps_nobody_else_from_anything() {
    let settings = Settings { bcrypt_cost: 12, ..Settings::default() };
    let scene = Scene::with(Scripted::Tools(vec![("echo", false)]), settings).await;
    let token = scene.token("mcp:write").await;
    let person = Person::member(&scene.world, "Bea", "member").await;
    let guesses: Vec<String> = (0..200).map(|n| basic(&scene.client.id, &format!("cs_{n:0>43}"))).collect();
    let is_over = AtomicBool::new(false);
    // It goes on for as long as the others take, however fast or slow this machine is: it is never they who wait for its end.
    let try_out = async |guess: &String| {
        let mut answers = vec![ask(&scene.world.node, guess, FORM).await];
        while !is_over.load(Ordering::SeqCst) {
            tokio::time::sleep(PAUSE).await;
            answers.push(ask(&scene.world.node, guess, FORM).await);
        }
        answers
    };
    let flood = join_all(guesses.iter().map(try_out));
    let others = async {
        for _ in 0..20 {
            scene.ask(FORM).await.good(); // the client itself, whose secrets are tried out
        }
        scene.anybody().get("/.well-known/oauth-authorization-server").await.good();
        scene.call(&token, "echo").await.good();
        person.browser(&scene.world).await; // who signs in
        is_over.store(true, Ordering::SeqCst);
    };
    let (answers, ()) = join(flood, others).await;
    let (mut checked, mut put_off) = (0, 0);
    for answer in answers.into_iter().flatten() {
        if answer.status.as_u16() == 401 {
            refused(&answer, 401, "invalid_client");
            checked += 1;
            continue;
        }
        let status = if answer.status == 429 { 429 } else { 503 };
        refused(&answer, status, "temporarily_unavailable");
        assert!(answer.header("retry-after").is_some());
        put_off += usize::from(status == 503);
    }
    assert!(checked > 0 && put_off > 0, "some are checked, and the queue has an end");
    scene.ask(FORM).await.good();
}
