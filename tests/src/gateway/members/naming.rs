//! What members are called, and what goes by that.

use serde_json::{Value, json};

use super::super::scene::{call, names};
use super::{Modern, Pair, modern, said};

#[tokio::test]
async fn what_is_no_name_for_each_member_is_refused() {
    let pair = Pair::of(modern(&["add"]), modern(&["add"])).await;
    let shown = pair.shown().await;
    let [wiki, desk] =
        [&shown["connections"][0], &shown["connections"][1]].map(|id| id.as_str().expect("an id"));
    assert_eq!(shown["members"], json!({ wiki: "wiki", desk: "desk" }));
    for (members, code) in
        [(json!({ wiki: "a" }), "not-the-members"), (json!({ wiki: "a", desk: "a" }), "member-names-collide")]
    {
        pair.change("members", &json!({ "members": members })).await.refused(422, code);
    }
    for name in ["a_b", "Wiki", "", "-a", "a-name-of-a-member-that-is-too-long"] {
        let refused = pair.change("members", &json!({ "members": { wiki: name, desk: "d" } })).await;
        assert_eq!(refused.status, 400, "{name}");
    }
    pair.change("connections", &json!({ "connections": [wiki, wiki] }))
        .await
        .refused(422, "instance-connections");
    pair.change("connections", &json!({ "connections": [] })).await.refused(422, "instance-connections");
}

#[tokio::test]
async fn tools_go_by_the_new_names_at_once_and_by_the_old_ones_no_more() {
    let pair = Pair::of(modern(&["add"]), modern(&["add"])).await;
    let shown = pair.shown().await;
    let [wiki, desk] =
        [&shown["connections"][0], &shown["connections"][1]].map(|id| id.as_str().expect("an id"));
    pair.change("members", &json!({ "members": { wiki: "desk", desk: "wiki" } })).await.good();
    assert_eq!(names(&pair.modern().list().await), ["desk__add", "wiki__add"]);
    pair.wiki.take_seen();
    pair.modern().call("desk__add").await.good();
    assert_eq!(pair.wiki.seen().last().expect("a call").message()["params"]["name"], "add");
    pair.change("members", &json!({ "members": { wiki: "a", desk: "b" } })).await.good();
    let gone: Value = pair.modern().call("desk__add").await.body();
    assert_eq!(gone["error"]["data"]["reason"], "name-unknown");
}

#[tokio::test]
async fn one_connection_that_is_left_exposes_its_tools_under_their_own_names() {
    let pair = Pair::of(modern(&["add"]), modern(&["add"])).await;
    let shown = pair.shown().await;
    let wiki = shown["connections"][0].as_str().expect("an id");
    pair.change("connections", &json!({ "connections": [wiki] })).await.good();
    assert_eq!(names(&pair.modern().list().await), ["add"]);
    assert_eq!(said(&pair.modern().call("add").await.good()), "add");
    assert_eq!(pair.shown().await["members"], json!({}));
    let sole = json!({ "members": { wiki: "x" } });
    pair.change("members", &sole).await.refused(409, "one-member");
}

#[tokio::test]
async fn the_allow_list_and_the_scopes_of_keys_are_of_exposed_names() {
    let pair = Pair::of(modern(&["add", "drop"]), modern(&["add"])).await;
    let narrow = pair.world.key(&["tool:desk__add", "tool:add"], Some(&pair.instance.id)).await;
    let narrow = Modern::as_key(&pair, &narrow);
    assert_eq!(names(&narrow.list().await), ["desk__add"]);
    narrow.call("wiki__add").await.refused_call(403, "insufficient-scope", &json!("m"));
    narrow.call("desk__add").await.good();

    pair.change("tools", &json!({ "tools": ["wiki__add", "add"] })).await.good();
    assert_eq!(names(&pair.modern().list().await), ["wiki__add"]);
    for hidden in ["desk__add", "wiki__drop", "add", "wiki__nothing"] {
        let refused = pair.modern().call(hidden).await;
        let expected = if hidden == "add" { (200, "name-unknown") } else { (403, "tool-not-exposed") };
        assert_eq!(refused.status.as_u16(), expected.0, "{hidden}");
        assert_eq!(refused.body()["error"]["data"]["reason"], expected.1, "{hidden}");
    }
    assert!(pair.desk.seen().iter().filter(|seen| seen.message()["method"] == "tools/call").count() == 1);
    // What is sent as another spelling of the same name is that name.
    let escaped = call(1, "x").to_string().replace("\"x\"", "\"wiki__dr\\u006fp\"");
    let session = pair.legacy().await;
    let http = session.http.clone().with("content-type", "application/json");
    let answer = http.send(hyper::Method::POST, &pair.instance.path(), escaped).await;
    answer.refused_call(403, "tool-not-exposed", &json!(1));
}
