//! What a call presents: nothing, too much, or something that is no good key. None of it reaches the upstream.

use domain::api_key::KeyEnvironment;
use domain::value::{ApiKeyId, KeyText};
use harness::{Answer, Scripted};
use hyper::{Method, header};
use serde_json::{Value, json};
use uuid::Uuid;

use super::raw::Connection;
use super::scene::{Scene, call, list};

async fn scene() -> Scene {
    Scene::of(Scripted::Tools(vec![("echo", false)])).await
}

fn challenge(answer: &Answer) -> &str {
    answer.header("www-authenticate").expect("a challenge")
}

#[tokio::test]
async fn a_call_without_a_credential_is_told_to_present_one_under_its_own_id() {
    let scene = scene().await;
    for id in [json!(7), json!("seven"), json!(1.5), json!(u64::MAX), json!("\u{95a2}\u{6240}")] {
        let answer = scene.anybody().post(&scene.path(), &list(id.clone())).await;
        answer.refused_call(401, "no-credential", &id);
        assert!(challenge(&answer).starts_with("Bearer realm=\"sekisho\""), "{}", challenge(&answer));
        assert!(
            !challenge(&answer).contains("error="),
            "nothing was presented, so nothing is wrong with it (RFC 6750, 3)"
        );
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    assert!(scene.upstream.seen().is_empty());
}

#[tokio::test]
async fn whoever_presents_nothing_learns_nothing_else_whatever_they_send() {
    let scene = scene().await;
    let client = scene.anybody();
    let unknown = format!("/mcp/{}", Uuid::new_v4());
    for path in [scene.path(), unknown, "/mcp/not-an-id".to_owned(), "/mcp/%ff".to_owned()] {
        for method in [Method::GET, Method::DELETE, Method::PUT] {
            client.send(method, &path, "").await.refused_call(401, "no-credential", &Value::Null);
        }
        for body in ["{", "[]", "null", ""] {
            client.send(Method::POST, &path, body).await.refused_call(401, "no-credential", &Value::Null);
        }
    }
    assert!(scene.upstream.seen().is_empty());
}

#[tokio::test]
async fn attack_39_a_text_that_is_no_good_key_is_refused_for_what_it_is() {
    let scene = scene().await;
    let good = scene.instance.api_key();
    let id = KeyText::parse(good).expect("a key").id();
    let composed = |id| KeyText::compose(KeyEnvironment::Live, id, &[7; 32]).reveal().to_owned();
    let mistyped = format!("{}{}", &good[..good.len() - 1], if good.ends_with('0') { '1' } else { '0' });
    let other = if &good[40..41] == "x" { "y" } else { "x" };
    let swapped = format!("{}{other}{}", &good[..40], &good[41..]);
    for (key, reason) in [
        ("letmein".to_owned(), "not-a-key"),
        (String::new(), "not-a-key"),
        (good[..79].to_owned(), "key-truncated"),
        ("sk_live_".to_owned(), "key-truncated"),
        (format!("{good}0"), "not-a-key"),
        (mistyped, "key-checksum"),
        (swapped, "key-checksum"),
        (composed(ApiKeyId::new(Uuid::new_v4())), "key-unknown"),
        (composed(id), "key-unknown"), // an id that exists under another secret answers like one that does not
    ] {
        let answer = scene.call_as(&key, &list(1)).await;
        answer.refused_call(401, reason, &json!(1));
        assert!(challenge(&answer).contains("error=\"invalid_token\""), "{key}");
        assert!(
            key.is_empty() || !String::from_utf8_lossy(&answer.bytes).contains(&key),
            "the answer repeats no credential"
        );
    }
    assert!(scene.upstream.seen().is_empty());
}

#[tokio::test]
async fn attack_46_two_credentials_in_one_request_are_refused_even_when_both_are_good() {
    let scene = scene().await;
    let key = scene.instance.api_key();
    let bearer = format!("Bearer {key}");
    for (name, value) in [
        ("x-api-key", key),
        ("x-api-key", "other"),
        ("authorization", &bearer),
        ("authorization", "Basic eDp5"),
    ] {
        let answer = scene.client().with(name, value).post(&scene.path(), &list(2)).await;
        answer.refused_call(400, "two-credentials", &json!(2));
    }
    assert!(scene.upstream.seen().is_empty());
}

#[tokio::test]
async fn an_api_key_is_taken_from_its_own_header_only() {
    let scene = scene().await;
    let key = scene.instance.api_key();
    let bearer = scene.anybody().with("authorization", &format!("Bearer {key}"));
    bearer.post(&scene.path(), &list(3)).await.refused_call(401, "authorization-not-accepted", &json!(3));
    for query in [format!("?x-api-key={key}"), format!("?api_key={key}&key={key}&access_token={key}")] {
        let path = format!("{}{query}", scene.path());
        scene.anybody().post(&path, &list(4)).await.refused_call(401, "no-credential", &json!(4));
    }
    let cookie = scene.anybody().with("cookie", &format!("x-api-key={key}"));
    cookie.post(&scene.path(), &list(5)).await.refused_call(401, "no-credential", &json!(5));
    assert!(scene.upstream.seen().is_empty());
}

#[tokio::test]
async fn item_53_attack_26_a_connection_goes_on_after_a_refused_call() {
    let scene = scene().await;
    let mut connection = Connection::open(scene.world.node.running.address).await;
    let body = call(1, "echo").to_string();
    for lines in ["", "x-api-key: letmein\r\n", ""] {
        connection.post(&scene.path(), lines, &body).await;
        let refused = connection.answer().await.expect("the connection is still open");
        assert_eq!(refused.status, 401);
    }
    connection.post(&scene.path(), &format!("x-api-key: {}\r\n", scene.instance.api_key()), &body).await;
    assert_eq!(connection.answer().await.expect("the connection is still open").status, 200);
}

#[tokio::test]
async fn item_53_the_sender_of_a_large_refused_call_still_reads_why() {
    let scene = scene().await;
    let large = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "echo", "arguments": { "text": "x".repeat(30_000_000) } } });
    for _ in 0..5 {
        let answer = scene.call_as("letmein", &large).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.body()["error"]["data"]["reason"]),
            (401, &json!("not-a-key"))
        );
        assert_eq!(answer.headers[header::CONTENT_TYPE], "application/json");
    }
}

#[tokio::test]
async fn a_good_key_passes_and_is_kept_back_from_the_upstream() {
    let scene = scene().await;
    let answer = scene.call(&call(9, "echo")).await;
    assert_eq!(answer.good()["result"]["content"][0]["text"], "echo");
    let seen = scene.upstream.seen();
    let [seen] = &seen[..] else { panic!("one call: {seen:?}") };
    assert!(!format!("{seen:?}").contains(scene.instance.api_key()));
}
