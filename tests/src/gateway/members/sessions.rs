//! Sessions of clients of the handshake, which hold those of the members, and what becomes of both.

use harness::Scripted;
use hyper::Method;
use serde_json::json;

use super::super::people::Member;
use super::super::scene::{names, notification, request};
use super::{Legacy, Pair, legacy, modern};

#[tokio::test]
async fn without_its_session_a_client_of_the_handshake_is_told_to_begin() {
    let pair = Pair::of(modern(&["add"]), legacy("s-1", &["look"])).await;
    let list = request(1, "tools/list", &json!({}));
    pair.client().post(&pair.instance.path(), &list).await.refused_call(400, "session-missing", &json!(1));
    for session in ["s-1", "", "x"] {
        let client = pair.client().with("mcp-session-id", session);
        client.post(&pair.instance.path(), &list).await.refused_call(404, "session-unknown", &json!(1));
    }
}

#[tokio::test]
async fn item_51_attack_49_a_session_is_of_no_use_to_anybody_else_or_elsewhere() {
    let pair = Pair::of(modern(&["add"]), legacy("s-1", &["look"])).await;
    let session = pair.legacy().await;
    assert!(!session.session.contains("s-1"));
    let member = Member::join(&pair.world, "member").await;
    let theirs = pair.world.node.http().as_key(&member.key(&pair.world, &["mcp:write"]).await);
    let other = pair.world.instance_in_front_of_all(&[("A", &pair.wiki.url), ("B", &pair.desk.url)]).await;
    let elsewhere = pair.world.node.http().as_key(other.api_key());
    let list = request(1, "tools/list", &json!({}));
    for (client, path) in [(theirs, pair.instance.path()), (elsewhere, other.path())] {
        let answer = client.with("mcp-session-id", &session.session).post(&path, &list).await;
        answer.refused_call(404, "session-unknown", &json!(1));
    }
}

#[tokio::test]
async fn another_node_goes_on_with_the_sessions_of_the_members() {
    let pair = Pair::of(legacy("s-1", &["add"]), legacy("s-2", &["look"])).await;
    let session = pair.legacy().await;
    pair.wiki.take_seen();
    pair.desk.take_seen();
    let node = pair.world.another_node().await;
    let http = node.http().as_key(pair.instance.api_key()).with("mcp-session-id", &session.session);
    let there = Legacy { http, path: session.path.clone(), session: session.session, greeting: json!({}) };
    assert_eq!(names(&there.list().await), ["wiki__add", "desk__look"]);
    for (member, id) in [(&pair.wiki, "s-1"), (&pair.desk, "s-2")] {
        let seen = member.take_seen();
        assert_eq!(seen.len(), 1, "nobody shakes hands again");
        assert_eq!(seen[0].header("mcp-session-id"), Some(id));
    }
}

#[tokio::test]
async fn a_member_that_has_forgotten_a_session_is_shaken_hands_with_again() {
    let pair = Pair::of(modern(&["add"]), legacy("s-1", &["look"])).await;
    let session = pair.legacy().await;
    session.call("desk__look").await.good();
    pair.modern().call("desk__look").await.good();
    pair.desk.now(legacy("s-9", &["look"]));
    session.call("desk__look").await.good();
    session.call("desk__look").await.good();
    pair.modern().list().await;
    let shakes = |seen: Vec<harness::Seen>| {
        seen.iter().filter(|seen| seen.message()["method"] == "initialize").count()
    };
    assert_eq!(names(&session.list().await), ["wiki__add", "desk__look"]);
    assert_eq!(shakes(pair.desk.take_seen()), 4, "two at first, and one again for each");
}

#[tokio::test]
async fn members_are_told_that_a_session_ends_and_that_a_call_is_not_wanted_any_more() {
    let pair = Pair::of(modern(&["add"]), legacy("s-1", &["look"])).await;
    let session = pair.legacy().await;
    pair.desk.take_seen();
    pair.wiki.take_seen();
    let cancelled = notification("notifications/cancelled", &json!({ "requestId": 7 }));
    assert_eq!(session.http.post(&session.path, &cancelled).await.status, 202);
    let told = pair.desk.take_seen();
    assert_eq!((told[0].message(), told[0].header("mcp-session-id")), (cancelled, Some("s-1")));
    let other = notification("notifications/roots/list_changed", &json!({}));
    assert_eq!(session.http.post(&session.path, &other).await.status, 202);
    assert!(pair.desk.seen().is_empty() && pair.wiki.seen().is_empty());
    assert!(session.http.send(Method::DELETE, &session.path, "").await.status.is_success());
    let told = pair.desk.take_seen();
    assert_eq!((&told[0].method, told[0].header("mcp-session-id")), (&Method::DELETE, Some("s-1")));
}

#[tokio::test]
async fn attack_49_a_member_that_has_moved_is_told_nothing_of_sessions_that_were_opened_elsewhere() {
    let pair = Pair::of(legacy("s-1", &["add"]), modern(&["add"])).await;
    let session = pair.legacy().await;
    let elsewhere = harness::ScriptedUpstream::start(legacy("s-1", &["add"])).await;
    let server = json!({
        "name": "Wiki", "visibility": "organization", "transport": { "http": { "url": elsewhere.url } }, "credential_fields": [],
    });
    let path = pair.world.path(&format!("/servers/{}", pair.instance.server));
    pair.world.admin().json(Method::PUT, &path, &server).await.good();
    session.call("wiki__add").await.good();
    let seen = elsewhere.seen();
    assert_eq!(seen[0].header("mcp-session-id"), None);
    assert!(seen.iter().any(|seen| seen.message()["method"] == "initialize"), "it is greeted like anybody");
}

#[tokio::test]
async fn a_member_that_is_gone_from_its_address_ends_nobodys_session_with_the_others() {
    let pair = Pair::of(modern(&["add"]), legacy("s-1", &["look"])).await;
    let session = pair.legacy().await;
    session.call("desk__look").await.good();
    for body in ["", "gone"] {
        pair.desk.now(Scripted::Raw { status: 404, content_type: "text/plain", body: body.into() });
        session.call("desk__look").await.refused_call(502, "upstream-refused", &json!(7));
        session.call("wiki__add").await.good();
    }
}
