//! What neither era takes.

use serde_json::{Value, json};

use super::super::BODY_BYTES_MAX;
use super::{Demo, MEDIA};

#[tokio::test]
async fn a_page_in_a_browser_is_refused_wherever_it_comes_from() {
    for origin in ["https://example.com", "http://127.0.0.1:8080", "null"] {
        for method in ["POST", "DELETE"] {
            let headers = [&MEDIA[..], &[("origin", origin)]].concat();
            let answered = Demo::new().send(method, &headers, "{}".to_owned()).await;
            answered.refused(403, 403, &Value::Null);
        }
    }
}

#[tokio::test]
async fn other_media_types_are_refused() {
    let demo = Demo::new();
    let plain = demo.send("POST", &[("content-type", "text/plain")], "{}".to_owned()).await;
    plain.refused(415, -32600, &Value::Null);
    let html = [("content-type", "application/json"), ("accept", "text/html")];
    demo.send("POST", &html, "{}".to_owned()).await.refused(406, -32600, &Value::Null);
}

#[tokio::test]
async fn a_body_over_its_limit_is_refused_before_it_is_parsed() {
    let answered = Demo::new().send("POST", &MEDIA, " ".repeat(BODY_BYTES_MAX + 1)).await;
    answered.refused(413, 413, &Value::Null);
}

#[tokio::test]
async fn what_is_no_message_is_refused() {
    let demo = Demo::new();
    for (body, code) in [("{", -32700), ("", -32700), ("[]", -32600), ("7", -32600), ("{}", -32600)] {
        demo.send("POST", &MEDIA, body.to_owned()).await.refused(400, code, &Value::Null);
    }
}

#[tokio::test]
async fn a_call_that_names_no_tool_is_refused_under_its_id() {
    let call = json!({"jsonrpc": "2.0", "id": "a", "method": "tools/call", "params": {}});
    Demo::new().post(&[], &call).await.refused(400, -32602, &json!("a"));
}

#[tokio::test]
async fn there_is_no_stream_to_get() {
    let answered = Demo::new().send("GET", &[("accept", "text/event-stream")], String::new()).await;
    assert_eq!(answered.status.as_u16(), 405);
    assert_eq!(answered.headers["allow"], "POST,DELETE");
}
