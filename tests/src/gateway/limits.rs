//! How often one key may call, and how much all calls together may hold.

use std::time::Duration;

use bytes::Bytes;
use harness::{Answer, Scripted, Settings};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::raw::Connection;
use super::scene::{Scene, call, list, request, until};

const MEBIBYTE: usize = 1024 * 1024;

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

/// A node that holds eight MiB of requests and answers at most.
async fn narrow(script: Scripted) -> Scene {
    Scene::with(script, Settings { held_mebibytes: 8, ..Settings::default() }).await
}

fn is_refused_for_want_of_room(answer: &Answer) -> bool {
    if answer.status != 503 {
        return false;
    }
    answer.refused_call(503, "node-busy", &Value::Null);
    assert_eq!(answer.header("retry-after"), Some("1"));
    true
}

#[tokio::test]
async fn requests_that_together_hold_too_much_are_refused_and_small_ones_are_not() {
    let scene = narrow(Scripted::Result(json!({}))).await;
    let address = scene.world.node.running.address;
    let large = request(1, "tools/call", &json!({ "name": "x", "arguments": "x".repeat(3 * MEBIBYTE) }));
    scene.call(&large).await.good();
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\nx-api-key: {}\r\ncontent-length: {}\r\n\r\n",
        scene.path(),
        scene.instance.api_key(),
        2 * MEBIBYTE,
    );
    let mut unfinished = Vec::new();
    let refused = async {
        loop {
            let mut connection = Connection::open(address).await;
            connection.send(head.as_bytes()).await;
            connection.send(&vec![b' '; MEBIBYTE]).await;
            unfinished.push(connection);
            if is_refused_for_want_of_room(&scene.call(&large).await) {
                break;
            }
            assert!(unfinished.len() < 100, "a hundred MiB are held");
        }
    };
    timeout(Duration::from_secs(30), refused).await.expect("the node says that it is full");
    scene.call(&call(2, "x")).await.good();
    drop(unfinished);
    until("there is room again", async || !is_refused_for_want_of_room(&scene.call(&large).await)).await;
}

#[tokio::test]
async fn an_organization_that_has_filled_its_share_holds_up_no_other() {
    let settings = Settings { held_mebibytes: 64, ..Settings::default() };
    let scene = Scene::with(Scripted::Result(json!({})), settings).await;
    let address = scene.world.node.running.address;
    let large = request(1, "tools/call", &json!({ "name": "x", "arguments": "x".repeat(3 * MEBIBYTE) }));
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\nx-api-key: {}\r\ncontent-length: {}\r\n\r\n",
        scene.path(),
        scene.instance.api_key(),
        2 * MEBIBYTE,
    );
    let mut unfinished = Vec::new();
    while !is_refused_for_want_of_room(&scene.call(&large).await) {
        for _ in 0..4 {
            let mut connection = Connection::open(address).await;
            connection.send(head.as_bytes()).await;
            connection.send(&vec![b' '; MEBIBYTE]).await;
            unfinished.push(connection);
        }
        assert!(unfinished.len() < 32, "the share is smaller than all of it");
    }
    let rival = scene.anybody().as_key(&scene.world.key_of_another_organization().await);
    // Whatever the other one may do at this instance: its request is read whole, and only then refused.
    let answer = rival.post(&scene.path(), &large).await;
    assert_eq!(answer.status, 404, "{answer:?}");
    scene.call(&call(2, "x")).await.good();
}

#[tokio::test]
async fn answers_that_together_hold_too_much_end_with_an_error_and_give_back_their_room() {
    let half = Bytes::from(format!("data: {{\"x\":\"{}", "x".repeat(3 * MEBIBYTE)));
    let scene =
        narrow(Scripted::Events { pieces: vec![half.clone()], pause: Duration::ZERO, ends: false }).await;
    let mut calls = JoinSet::new();
    for number in 0..4 {
        let (client, path) = (scene.client(), scene.path());
        calls.spawn(async move { client.post(&path, &call(number, "x")).await });
    }
    let ended = timeout(Duration::from_secs(10), calls.join_next()).await.expect("one of four ends");
    let ended = ended.expect("a call").expect("an answer");
    let text = String::from_utf8(ended.bytes.to_vec()).expect("text");
    assert!(
        text.contains(r#""reason":"node-busy""#) && text.len() < 1000,
        "nothing of the event came before"
    );
    drop(calls);
    until("the upstream's streams are closed", async || scene.upstream.open_streams() == 0).await;
    let whole = [&half[..], b"\"}\n\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n\n"].concat();
    scene.upstream.now(Scripted::Events { pieces: vec![whole.into()], pause: Duration::ZERO, ends: true });
    until("an event of that size passes again", async || {
        scene.call(&call(1, "x")).await.bytes.len() > half.len()
    })
    .await;
}

#[tokio::test]
async fn a_list_over_its_own_limit_is_refused_though_another_answer_may_be_larger() {
    let scene = Scene::of(Scripted::Result(json!({}))).await;
    let answer = |bytes: usize| {
        let description = "x".repeat(bytes);
        let tools = format!(r#"{{"tools":[{{"name":"x","description":"{description}"}}]}}"#);
        Bytes::from(format!(r#"{{"jsonrpc":"2.0","id":1,"result":{tools}}}"#))
    };
    let json = |body: Bytes| Scripted::Raw { status: 200, content_type: "application/json", body };
    scene.upstream.now(json(answer(9 * MEBIBYTE)));
    let refused = scene.call(&list(1)).await;
    assert_eq!(refused.status, 502, "{} bytes came", refused.bytes.len());
    refused.refused_call(502, "upstream-answer-too-large", &json!(1));
    assert!(scene.call(&call(1, "x")).await.bytes.len() > 9 * MEBIBYTE);
    scene.upstream.now(json(answer(7 * MEBIBYTE)));
    scene.call(&list(1)).await.good();
}
