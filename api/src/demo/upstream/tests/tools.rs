//! What the tools say, and what they say to wrong arguments.

use serde_json::{Value, json};

use super::Demo;

async fn call(tool: &str, arguments: Value) -> Value {
    Demo::new().modern("tools/call", json!({"name": tool, "arguments": arguments})).await.result()
}

#[tokio::test]
async fn wrong_arguments_are_a_result_that_can_be_read() {
    for (tool, arguments) in [
        ("echo", json!({})),
        ("echo", json!({"text": 7})),
        ("echo", json!({"text": "x", "more": 1})),
        ("echo", json!(["x"])),
        ("echo", json!("x")),
        ("add", json!({"a": "2", "b": 40})),
        ("add", json!({"a": 1.7e308, "b": 1.7e308})),
        ("time", json!({"offset_minutes": 1440})),
        ("time", json!({"offset_minutes": 1.5})),
        ("slow", json!({})),
        ("slow", json!({"seconds": 30.1})),
        ("slow", json!({"seconds": -1})),
        ("slow", json!({"seconds": 1, "steps": 0})),
        ("slow", json!({"seconds": 1, "steps": 1001})),
    ] {
        let result = call(tool, arguments.clone()).await;
        assert_eq!(result["isError"], true, "{tool} {arguments}");
        assert!(!result["content"][0]["text"].as_str().unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_number_beyond_all_range_is_a_wrong_argument() {
    let demo = Demo::new();
    let body = super::modern_body("tools/call", json!({"name": "add", "arguments": {"a": 0, "b": 1}}));
    let body = body.to_string().replace("\"a\":0", "\"a\":1e999");
    let headers = [&super::MEDIA[..], &super::modern_headers("tools/call", "add")].concat();
    assert_eq!(demo.send("POST", &headers, body).await.result()["isError"], true);
}

#[tokio::test]
async fn echo_gives_the_text_back() {
    let text = "関所 ✓ \"quoted\" \\ \u{1} \u{2028} 𝄞";
    let result = call("echo", json!({"text": text})).await;
    assert_eq!(result["content"], json!([{"type": "text", "text": text}]));
    assert_eq!(result["isError"], false);
}

#[tokio::test]
async fn add_is_exact_for_whole_numbers_and_gives_the_sum_twice() {
    for (a, b, sum) in [
        (json!(2), json!(40), json!(42)),
        (json!(0.5), json!(-1), json!(-0.5)),
        (json!(9_007_199_254_740_993_i64), json!(0), json!(9_007_199_254_740_993_i64)),
        (json!(i64::MAX), json!(1), json!(9_223_372_036_854_775_807.0_f64)),
    ] {
        let result = call("add", json!({"a": a, "b": b})).await;
        assert_eq!(result["structuredContent"], json!({"sum": sum}));
        assert_eq!(result["content"][0]["text"], sum.to_string());
    }
}

#[tokio::test]
async fn time_is_that_of_the_clock_at_the_offset() {
    for (arguments, text) in [
        (json!({}), "2026-11-22T12:00:00Z"),
        (json!({"offset_minutes": 540}), "2026-11-22T21:00:00+09:00"),
        (json!({"offset_minutes": -1439}), "2026-11-21T12:01:00-23:59"),
    ] {
        assert_eq!(call("time", arguments).await["content"][0]["text"], text);
    }
}

#[tokio::test]
async fn a_call_needs_no_arguments_where_none_is_required() {
    let result = Demo::new().modern("tools/call", json!({"name": "time"})).await.result();
    assert_eq!(result["isError"], false);
}

#[tokio::test]
async fn only_what_holds_nothing_is_read_only() {
    let tools = Demo::new().modern("tools/list", json!({})).await.result();
    let hints = tools["tools"].as_array().unwrap().iter();
    let hints: Vec<_> = hints.map(|tool| (&tool["name"], &tool["annotations"]["readOnlyHint"])).collect();
    let expected = [("echo", true), ("time", true), ("add", true), ("slow", false)];
    assert_eq!(hints.len(), expected.len());
    for ((name, hint), (tool, read_only)) in hints.into_iter().zip(expected) {
        assert_eq!((name, hint), (&json!(tool), &json!(read_only)));
    }
}

#[tokio::test]
async fn the_prompt_greets_whom_it_is_given() {
    let params = json!({"name": "greeting", "arguments": {"name": "Ada"}});
    let result = Demo::new().modern("prompts/get", params).await.result();
    assert!(result["messages"][0]["content"]["text"].as_str().unwrap().ends_with("for Ada."));
}
