//! Prompts: listed and asked for under names like those of tools.

use harness::{Scripted, Seen};
use serde_json::{Value, json};

use super::{Modern, Pair, legacy, modern};

/// A server of either era that has a prompt beside its tools.
fn with_prompt(otherwise: Scripted, seen: &Seen) -> Scripted {
    let message = seen.message();
    let listed = json!({ "prompts": [{ "name": "review", "arguments": [{ "name": "tone" }] }], "resultType": "complete", "ttlMs": 9, "cacheScope": "public" });
    match message["method"].as_str() {
        Some("prompts/list") => Scripted::Result(listed),
        Some("prompts/get") => Scripted::Result(
            json!({ "messages": [], "description": message["params"]["name"], "resultType": "complete" }),
        ),
        _ => otherwise,
    }
}

fn of_2026(seen: &Seen) -> Scripted {
    with_prompt(modern(&["add"]), seen)
}

fn of_the_handshake(seen: &Seen) -> Scripted {
    with_prompt(legacy("s-1", &["add"]), seen)
}

fn names(listed: &Value) -> Vec<&str> {
    let prompts = listed["result"]["prompts"].as_array().unwrap_or_else(|| panic!("a list: {listed}"));
    prompts.iter().map(|prompt| prompt["name"].as_str().expect("a name")).collect()
}

#[tokio::test]
async fn a_prompt_of_no_member_is_answered_and_one_that_may_not_be_read_is_refused() {
    let pair = Pair::of(Scripted::By(of_2026), modern(&["add"])).await;
    for prompt in ["review", "wik__review", ""] {
        let answer = pair.modern().ask("prompts/get", json!({ "name": prompt })).await;
        answer.refused_call(200, "name-unknown", &json!("m"));
    }
    let tool_only = pair.world.key(&["tool:wiki__add"], Some(&pair.instance.id)).await;
    let tool_only = Modern::as_key(&pair, &tool_only);
    let refused = tool_only.ask("prompts/get", json!({ "name": "wiki__review" })).await;
    refused.refused_call(403, "insufficient-scope", &json!("m"));
}

#[tokio::test]
async fn prompts_of_members_of_both_eras_are_listed_and_asked_for_by_clients_of_both() {
    let pair = Pair::of(Scripted::By(of_2026), Scripted::By(of_the_handshake)).await;
    let session = pair.legacy().await;
    let both = ["wiki__review", "desk__review"];
    assert_eq!(names(&pair.modern().ask("prompts/list", json!({})).await.good()), both);
    assert_eq!(names(&session.ask("prompts/list", json!({})).await.good()), both);
    for prompt in both {
        let params = json!({ "name": prompt, "arguments": { "tone": "kind" } });
        let got = pair.modern().ask("prompts/get", params.clone()).await.good();
        assert_eq!(
            (&got["result"]["description"], &got["result"]["resultType"]),
            (&json!("review"), &json!("complete"))
        );
        assert_eq!(session.ask("prompts/get", params).await.good()["result"]["description"], "review");
    }
    let seen = pair.wiki.take_seen().pop().expect("a request");
    assert_eq!((seen.header("mcp-name"), seen.header("mcp-method")), (Some("review"), Some("prompts/get")));
}

#[tokio::test]
async fn a_member_without_prompts_is_not_missing() {
    let pair = Pair::of(Scripted::By(of_2026), modern(&["add"])).await;
    let listed = pair.modern().ask("prompts/list", json!({})).await.good();
    assert_eq!((names(&listed), listed["result"].get("_meta")), (vec!["wiki__review"], None));
}
