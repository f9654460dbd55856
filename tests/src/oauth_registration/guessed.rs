//! Item 22, attack 39: what somebody guesses is answered alike, however much of it is right. That it also takes as long is for the comparison to see to,
//! which runs over the whole in any case; no clock of a test could tell.

use harness::Answer;
use serde_json::json;

use super::scene::{CALLBACK, Scene, basic, post_form, text};
use crate::people::browser::encoded;

/// What is right but for its end, right nowhere but for what tells its kind, and right but not all of it or not only.
fn guesses(good: &str) -> Vec<String> {
    let other = |letter: char| if letter == 'x' { 'y' } else { 'x' };
    let (head, last) = good.split_at(good.len() - 1);
    let kind = good.find('_').filter(|end| *end < 4).map_or(0, |end| end + 1); // ours begin with what they are
    let nowhere: String = good[kind..].chars().map(other).collect();
    let mut near: Vec<String> =
        [format!("{head}{}", other(last.chars().next().unwrap())), format!("{}{nowhere}", &good[..kind])]
            .into();
    near.extend([head.to_owned(), format!("{good}x")]);
    near
}

/// All that an answer tells, but for the moment and how many more may be asked for.
fn told(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    let passing = ["date", "ratelimit"];
    let headers = answer.headers.iter().filter(|(name, _)| !passing.contains(&name.as_str()));
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let mut headers: Vec<_> =
        headers.map(|(name, value)| (name.to_string(), text(value.as_bytes()))).collect();
    headers.sort();
    (answer.status.as_u16(), headers, text(&answer.bytes))
}

async fn answered_alike(what: &str, status: u16, good: &str, ask: impl AsyncFn(&str) -> Answer) {
    let guesses = guesses(good);
    let first = told(&ask(&guesses[0]).await);
    assert_eq!(first.0, status, "{what}: {}", first.2);
    for guess in &guesses {
        let answer = told(&ask(guess).await);
        assert_eq!(answer, first, "{what}");
        assert!(!answer.2.contains(guess.as_str()), "{what}: the answer repeats it");
    }
}

#[tokio::test]
async fn item_22_attack_39_a_guess_is_answered_alike_however_much_of_it_is_right() {
    let mut scene = Scene::open().await;
    let metadata = json!({ "client_name": "Site", "redirect_uris": [CALLBACK], "grant_types": ["authorization_code", "refresh_token"] });
    let made = scene.register(&metadata).await.good();
    let [client, secret, token] =
        ["client_id", "client_secret", "registration_access_token"].map(|name| text(&made, name));
    let code = scene.code(&client, CALLBACK).await;
    let http = scene.anybody();
    let as_client = async |secret: &str, form: String| {
        post_form(&http.clone().with("authorization", &basic(&client, secret)), "/oauth/token", form).await
    };
    let form = |code: &str| Scene::form(code, CALLBACK, &[]);

    answered_alike("secret", 401, &secret, async |guess| as_client(guess, form(&code)).await).await;
    let path = format!("/oauth/register/{client}");
    answered_alike("registration", 401, &token, async |guess| scene.as_itself(guess).get(&path).await).await;
    answered_alike("code", 400, &code, async |guess| as_client(&secret, form(guess)).await).await;
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let with = |verifier: &str| {
        let form = [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", CALLBACK)];
        encoded(&[&form[..], &[("code_verifier", verifier)]].concat())
    };
    answered_alike("verifier", 400, verifier, async |guess| as_client(&secret, with(guess)).await).await;
    let answer = as_client(&secret, form(&code)).await.good(); // what was guessed used nothing up
    let refresh = text(&answer, "refresh_token");
    let by = |refresh: &str| encoded(&[("grant_type", "refresh_token"), ("refresh_token", refresh)]);
    answered_alike("refresh", 400, &refresh, async |guess| as_client(&secret, by(guess)).await).await;
    as_client(&secret, by(&refresh)).await.good();
    scene.as_itself(&token).get(&path).await.good();
}
