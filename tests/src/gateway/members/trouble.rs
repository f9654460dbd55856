//! Members that are not there, slow, or say nonsense: they are named, and cost the others nothing.

use std::time::{Duration, Instant};

use harness::{Scripted, ScriptedUpstream, World};
use hyper::Method;
use serde_json::{Value, json};

use super::super::scene::{names, patience, until};
use super::{Modern, Pair, legacy, modern, said};

const HANGS: Duration = Duration::from_mins(10);

fn missing(listed: &Value) -> &Value {
    &listed["result"]["_meta"]["sekisho/missing"]
}

#[tokio::test]
async fn a_member_that_hangs_costs_a_list_its_own_time_and_the_calls_of_others_nothing() {
    let pair = Pair::with(Scripted::Silence(HANGS), modern(&["add"]), patience(1_000)).await;
    let listed = pair.modern().list().await;
    assert_eq!(names(&listed), ["desk__add"]);
    assert_eq!(missing(&listed), &json!([{ "member": "wiki", "reason": "upstream-timeout" }]));
    assert_eq!(listed["result"]["ttlMs"], 0, "it is worth asking again");
    let called = Instant::now();
    assert_eq!(said(&pair.modern().call("desk__add").await.good()), "add");
    assert!(called.elapsed() < Duration::from_secs(30));
    let refused = pair.modern().call("wiki__add").await;
    assert_eq!(refused.body()["error"]["data"]["reason"], "upstream-timeout");
    let session = pair.legacy().await;
    assert_eq!(names(&session.list().await), ["desk__add"]);
}

#[tokio::test]
async fn members_that_are_gone_broken_or_removed_are_named_with_the_reason() {
    let nowhere = ScriptedUpstream::start(modern(&[])).await.url;
    for (script, reason) in [
        (Scripted::Raw { status: 500, content_type: "text/plain", body: "no".into() }, "upstream-bad-answer"),
        (Scripted::Raw { status: 200, content_type: "text/html", body: "<p>".into() }, "upstream-bad-answer"),
        (
            Scripted::Raw { status: 401, content_type: "text/plain", body: "no".into() },
            "upstream-unauthorized",
        ),
        (Scripted::Raw { status: 429, content_type: "text/plain", body: "no".into() }, "upstream-refused"),
    ] {
        let pair = Pair::of(script, modern(&["add"])).await;
        let listed = pair.modern().list().await;
        assert_eq!(names(&listed), ["desk__add"]);
        assert_eq!(missing(&listed), &json!([{ "member": "wiki", "reason": reason }]), "{nowhere}");
    }
    let pair = Pair::of(modern(&["add"]), modern(&["add"])).await;
    let path = pair.world.path(&format!("/servers/{}", pair.instance.server));
    pair.world.admin().json(Method::DELETE, &path, &json!({})).await.good();
    let listed = pair.modern().list().await;
    assert_eq!(names(&listed), ["desk__add"]);
    assert_eq!(missing(&listed), &json!([{ "member": "wiki", "reason": "upstream-removed" }]));
    pair.modern().call("wiki__add").await.refused_call(502, "upstream-removed", &json!("m"));
    pair.modern().call("desk__add").await.good();
}

#[tokio::test]
async fn a_member_whose_list_cannot_be_read_with_certainty_is_left_out_whole() {
    for body in [
        r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"a"}],"tools":[]}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"a"},{"no":1}]}}"#,
    ] {
        let pair = Pair::of(modern(&["add"]), modern(&["add"])).await;
        pair.modern().list().await;
        pair.wiki.now(Scripted::Raw { status: 200, content_type: "application/json", body: body.into() });
        let listed = pair.modern().list().await;
        assert_eq!(names(&listed), ["desk__add"]);
        assert_eq!(missing(&listed), &json!([{ "member": "wiki", "reason": "upstream-bad-answer" }]));
    }
}

#[tokio::test]
async fn a_member_without_tools_is_not_missing() {
    let none = |seen: &harness::Seen| {
        if seen.message()["method"] == "server/discover" {
            return Scripted::Modern(vec![]);
        }
        let error = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no such method"}}"#;
        Scripted::Raw { status: 404, content_type: "application/json", body: error.into() }
    };
    let pair = Pair::of(Scripted::By(none), modern(&["add"])).await;
    let listed = pair.modern().list().await;
    assert_eq!((names(&listed), listed["result"].get("_meta")), (vec!["desk__add".to_owned()], None));
}

/// Of ten members one hangs, one answers nonsense, one is not there, and one calls its tools otherwise each time.
#[tokio::test]
async fn seven_of_ten_go_on_as_if_nothing_were_wrong_with_the_others() {
    let world = World::with(patience(1_500)).await;
    let gone = ScriptedUpstream::start(Scripted::Redirect("http://127.0.0.1:1/".to_owned())).await;
    let hangs = ScriptedUpstream::start(Scripted::Silence(HANGS)).await;
    let breaks = ScriptedUpstream::start(Scripted::CutStream("data: {".into())).await;
    let mut good = Vec::new();
    for _ in 0..7 {
        good.push(ScriptedUpstream::start(modern(&["add"])).await);
    }
    let mut behind = vec![("Hangs", &hangs.url), ("Breaks", &breaks.url), ("Gone", &gone.url)];
    behind.extend(good.iter().map(|upstream| ("Good", &upstream.url)));
    let instance = world.instance_in_front_of_all(&behind).await;
    let client = Modern { http: world.node.http().as_key(instance.api_key()), path: instance.path() };
    let expected: Vec<String> = std::iter::once("good__add".to_owned())
        .chain((2..=7).map(|number| format!("good-{number}__add")))
        .collect();
    for round in 0..3 {
        let listed = client.list().await;
        assert_eq!(names(&listed), expected, "round {round}");
        let members: Vec<&str> = missing(&listed)
            .as_array()
            .expect("some")
            .iter()
            .filter_map(|one| one["member"].as_str())
            .collect();
        assert_eq!(members, ["hangs", "breaks", "gone"]);
        for tool in &expected {
            assert_eq!(said(&client.call(tool).await.good()), "add");
        }
    }
    for upstream in [&hangs, &breaks] {
        until("it is let go", async || upstream.open_streams() == 0).await;
    }
}

#[tokio::test]
async fn a_member_that_renames_its_tools_is_asked_by_their_new_names() {
    let pair = Pair::of(modern(&["old"]), legacy("s-1", &["look"])).await;
    assert_eq!(names(&pair.modern().list().await), ["wiki__old", "desk__look"]);
    pair.wiki.now(modern(&["new"]));
    assert_eq!(names(&pair.modern().list().await), ["wiki__new", "desk__look"]);
    assert_eq!(said(&pair.modern().call("wiki__new").await.good()), "new");
}

#[tokio::test]
async fn a_member_that_comes_back_in_another_era_is_found_out_again() {
    let pair = Pair::of(modern(&["add"]), modern(&["add"])).await;
    pair.modern().call("wiki__add").await.good();
    pair.wiki.now(legacy("s-1", &["add"]));
    let _ = pair.modern().call("wiki__add").await; // refused: it does not know such a request any more
    assert_eq!(said(&pair.modern().call("wiki__add").await.good()), "add");
    pair.wiki.now(modern(&["add"]));
    let _ = pair.modern().call("wiki__add").await; // neither session nor handshake are known there
    assert_eq!(said(&pair.modern().call("wiki__add").await.good()), "add");
}
