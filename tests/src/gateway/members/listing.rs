//! Lists of several members as one: in order, with what is missing and withheld, page by page.

use harness::{Scripted, Seen};
use serde_json::{Value, json};

use super::super::people::Member;
use super::super::scene::names;
use super::{Modern, Pair, modern};

const LONG: &str = "a_tool_with_a_name_that_leaves_no_room_for_the_name_of_its_member";

#[tokio::test]
async fn equal_names_are_told_apart_by_their_members_in_the_order_of_the_instance() {
    let pair = Pair::of(modern(&["zoom", "add"]), modern(&["add", "look"])).await;
    let listed = pair.modern().list().await;
    assert_eq!(names(&listed), ["wiki__zoom", "wiki__add", "desk__add", "desk__look"]);
    let result = &listed["result"];
    assert_eq!((&result["cacheScope"], &result["resultType"]), (&json!("private"), &json!("complete")));
    assert_eq!(result["ttlMs"], 60_000);
    assert_eq!(result.get("_meta"), None, "nothing is missing");
    assert_eq!(names(&pair.legacy().await.list().await), names(&listed));
}

#[tokio::test]
async fn what_has_no_name_that_every_client_takes_is_withheld_and_said_so() {
    let pair = Pair::of(modern(&["fs.read", LONG, "add", "add"]), modern(&["add"])).await;
    let listed = pair.modern().list().await;
    assert_eq!(names(&listed), ["wiki__add", "desk__add"]);
    let withheld = |tool: &str, reason: &str| json!({ "member": "wiki", "tool": tool, "reason": reason });
    let expected = [
        withheld("fs.read", "name-characters"),
        withheld(LONG, "name-too-long"),
        withheld("add", "name-twice"),
    ];
    assert_eq!(listed["result"]["_meta"]["sekisho/withheld"], json!(expected));
    pair.change("tools", &json!({ "tools": ["desk__add"] })).await.good();
    let listed = pair.modern().list().await;
    assert_eq!(listed["result"].get("_meta"), None, "what may not be called is not told of");
}

/// Two pages, by the cursor that it gave; whatever else is asked for is none of its.
fn in_pages(seen: &Seen) -> Scripted {
    let message = seen.message();
    let page = |tool: &str, next: Option<&str>| {
        let mut page = json!({ "tools": [{ "name": tool, "inputSchema": { "type": "object" } }], "resultType": "complete", "ttlMs": 5, "cacheScope": "public" });
        if let Some(next) = next {
            page["nextCursor"] = json!(next);
        }
        Scripted::Result(page)
    };
    match (message["method"].as_str(), message["params"]["cursor"].as_str()) {
        (Some("tools/list"), None) => page("first", Some("after first")),
        (Some("tools/list"), Some("after first")) => page("second", None),
        _ => Scripted::Modern(vec![]),
    }
}

#[tokio::test]
async fn later_pages_are_of_those_who_have_more() {
    let pair = Pair::of(Scripted::By(in_pages), modern(&["add"])).await;
    let first = pair.modern().list().await;
    assert_eq!(names(&first), ["wiki__first", "desk__add"]);
    assert_eq!(first["result"]["ttlMs"], 5, "as short as the shortest");
    let cursor = first["result"]["nextCursor"].as_str().expect("more").to_owned();
    pair.desk.take_seen();
    let second = pair.modern().ask("tools/list", json!({ "cursor": cursor })).await.good();
    assert_eq!(names(&second), ["wiki__second"]);
    assert_eq!(second["result"].get("nextCursor"), None);
    assert!(pair.desk.seen().is_empty(), "it has no more");
}

#[tokio::test]
async fn a_cursor_of_somebody_else_leads_nowhere() {
    let pair = Pair::of(Scripted::By(in_pages), modern(&["add"])).await;
    let first: Value = pair.modern().list().await;
    let cursor = first["result"]["nextCursor"].as_str().expect("more").to_owned();
    assert!(!cursor.contains("after"), "nobody reads what the member wrote");
    let member = Member::join(&pair.world, "member").await;
    let theirs = Modern::as_key(&pair, &member.key(&pair.world, &["mcp:write"]).await);
    let other = pair.world.instance_in_front_of_all(&[("A", &pair.wiki.url), ("B", &pair.desk.url)]).await;
    let elsewhere = Modern { http: pair.world.node.http().as_key(other.api_key()), path: other.path() };
    pair.wiki.take_seen();
    for (client, cursor) in [
        (&theirs, cursor.as_str()),
        (&elsewhere, cursor.as_str()),
        (&pair.modern(), "after first"),
        (&pair.modern(), ""),
        (&pair.modern(), &cursor[1..]),
    ] {
        let refused = client.ask("tools/list", json!({ "cursor": cursor })).await;
        refused.refused_call(200, "cursor-unknown", &json!("m"));
        assert_eq!(refused.body()["error"]["code"], -32_602);
    }
    assert!(pair.wiki.seen().is_empty());
    let node = pair.world.another_node().await;
    let there = Modern { http: node.http().as_key(pair.instance.api_key()), path: pair.instance.path() };
    let second = there.ask("tools/list", json!({ "cursor": cursor })).await.good();
    assert_eq!(names(&second), ["wiki__second"], "any node goes on");
}
