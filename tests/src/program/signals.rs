//! Stopping: the first signal drains, the second one does not wait.

use std::time::Duration;

use harness::{Http, folder, signal};
use http_body_util::BodyExt as _;
use serde_json::json;

use super::{Demo, call};

#[tokio::test]
async fn a_call_under_way_is_finished_before_the_program_ends() {
    let mut demo = Demo::start(&folder("drain"), |_| {});
    let slow = demo.mcp().with("mcp-name", "slow").with("content-type", "application/json");
    let body = call("slow", &json!({ "seconds": 3, "steps": 3 })).to_string();
    let response = slow.open(hyper::Method::POST, "", body).await;
    signal("TERM", demo.child.id());
    let text = response.into_body().collect().await.expect("the whole answer").to_bytes();
    assert!(String::from_utf8_lossy(&text).contains("\"result\""), "{text:?}");
    assert_eq!(demo.child.wait().unwrap().code(), Some(0));
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let mut demo = Demo::start(&folder("abort"), |_| {});
    let slow = demo.mcp().with("mcp-name", "slow").with("content-type", "application/json");
    let body = call("slow", &json!({ "seconds": 30, "steps": 30 })).to_string();
    let response = slow.open(hyper::Method::POST, "", body).await;
    signal("TERM", demo.child.id());
    tokio::time::sleep(Duration::from_millis(300)).await; // the second signal must find the first one taken
    signal("TERM", demo.child.id());
    let ended = tokio::task::spawn_blocking(move || demo.child.wait().unwrap().code());
    let code = tokio::time::timeout(Duration::from_secs(20), ended)
        .await
        .expect("long before the call ends")
        .unwrap();
    assert_eq!(code, Some(3));
    drop(response);
}

#[tokio::test]
async fn an_announced_stop_goes_on_serving_as_not_ready_until_it_begins() {
    let demo = Demo::start(&folder("announced"), |command| {
        command.args(["--drain-delay-seconds", "3"]);
    });
    let url = demo.word("url").to_owned();
    signal("TERM", demo.child.id());
    let told = tokio::time::timeout(Duration::from_secs(2), async {
        loop {
            let answer = Http::new(&url).get("/readyz").await;
            if answer.status.as_u16() == 503 {
                return answer.body()["state"].clone();
            }
        }
    });
    assert_eq!(told.await.expect("it is announced at once"), "draining");
    demo.mcp().with("mcp-name", "echo").post("", &call("echo", &json!({ "text": "still" }))).await.good();
    let mut demo = demo;
    assert_eq!(demo.child.wait().unwrap().code(), Some(0));
}
