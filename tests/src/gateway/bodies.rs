//! Bodies that are no message, and the media types around them.

use bytes::Bytes;
use harness::{Http, Scripted};
use hyper::Method;
use serde_json::{Value, json};

use super::scene::{Scene, list};

const JSON: (&str, &str) = ("content-type", "application/json");

async fn scene() -> Scene {
    Scene::of(Scripted::Result(json!({}))).await
}

fn json_client(scene: &Scene) -> Http {
    scene.client().with(JSON.0, JSON.1)
}

#[tokio::test]
async fn a_body_that_is_no_message_is_refused_for_what_it_is() {
    let scene = scene().await;
    let deep = |brackets: usize| {
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"x","params":{{"a":{}{}}}}}"#,
            "[".repeat(brackets),
            "]".repeat(brackets)
        )
    };
    let (deep, unclosed) = (deep(10_000), "[".repeat(10_000));
    for (body, reason, code) in [
        (&b""[..], "not-json", -32_700),
        (b"{", "not-json", -32_700),
        (br#"{"jsonrpc":"2.0","id":1,"method":"ping"}}"#, "not-json", -32_700),
        (br#"{"jsonrpc":"2.0","id":1,"method":"ping"} {}"#, "not-json", -32_700),
        (b"\xff\xfe{}", "not-utf8", -32_700),
        (br#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, "not-an-object", -32_600),
        (b"[]", "not-an-object", -32_600),
        (b"null", "not-an-object", -32_600),
        (b"\"text\"", "not-an-object", -32_600),
        (deep.as_bytes(), "json-too-deep", -32_600),
        (unclosed.as_bytes(), "json-too-deep", -32_600),
        (br#"{"id":1,"method":"ping"}"#, "wrong-jsonrpc-version", -32_600),
        (br#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, "wrong-jsonrpc-version", -32_600),
        (br#"{"jsonrpc":2.0,"id":1,"method":"ping"}"#, "wrong-jsonrpc-version", -32_600),
        (br#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, "wrong-type", -32_600),
        (br#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#, "wrong-type", -32_600),
        (br#"{"jsonrpc":"2.0","id":1,"method":7}"#, "wrong-type", -32_600),
        (br#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}"#, "wrong-type", -32_600),
        (br#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":3}}"#, "wrong-type", -32_600),
        // A reader that takes objects by the order of their fields would see the same messages in these arrays.
        (br#"["2.0",1,"tools/call",{"name":"a"}]"#, "not-an-object", -32_600),
        (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":["a",{}]}"#, "wrong-type", -32_600),
        (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[{"name":"a"}]}"#, "wrong-type", -32_600),
        (
            br#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":["2026-07-28"]}}"#,
            "wrong-type",
            -32_600,
        ),
        (br#"{"jsonrpc":"2.0","id":[1],"method":"ping"}"#, "wrong-type", -32_600),
        (br#"{"jsonrpc":["2.0"],"id":1,"method":"ping"}"#, "wrong-jsonrpc-version", -32_600),
        (br#"{"jsonrpc":"2.0","id":1,"method":["ping"]}"#, "wrong-type", -32_600),
        (br#"{"jsonrpc":"2.0","id":1,"result":[{}]}"#, "wrong-type", -32_600),
        (br#"{"jsonrpc":"2.0","id":1,"error":[-1,"no"]}"#, "wrong-type", -32_600),
        (br#"{"jsonrpc":"2.0","id":1}"#, "no-message-kind", -32_600),
        (br#"{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}"#, "two-message-kinds", -32_600),
        (br#"{"jsonrpc":"2.0","id":1,"result":{},"error":{}}"#, "two-message-kinds", -32_600),
        (br#"{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}"#, "duplicate-member", -32_600),
        (
            br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","name":"b"}}"#,
            "duplicate-member",
            -32_600,
        ),
        (
            br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","Name":"b"}}"#,
            "look-alike-member",
            -32_600,
        ),
        (br#"{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call"}"#, "look-alike-member", -32_600),
    ] {
        let answer =
            json_client(&scene).send(Method::POST, &scene.path(), Bytes::copy_from_slice(body)).await;
        answer.refused_call(400, reason, &id_of(body));
        assert_eq!(answer.body()["error"]["code"], code, "{reason}");
    }
    for params in [json!({}), json!({ "name": 7 }), json!({ "name": null }), json!({ "name": ["a"] })] {
        let nameless = json!({ "jsonrpc": "2.0", "id": "n", "method": "tools/call", "params": params });
        scene.call(&nameless).await.refused_call(400, "tool-name-missing", &json!("n"));
    }
    assert!(scene.upstream.seen().is_empty());
}

/// The id that a refusal can name: the only one, and of a type that ids have.
fn id_of(body: &[u8]) -> Value {
    let once = body.windows(5).filter(|window| window == b"\"id\":").count() == 1;
    if body.len() > 10_000 && body.starts_with(b"{") {
        return json!(1); // deeper than the reader of this test goes
    }
    let message: Value = serde_json::from_slice(body).unwrap_or_default();
    let id = message.get("id").filter(|id| once && (id.is_string() || id.is_number()));
    id.cloned().unwrap_or_default()
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_and_its_sender_reads_why() {
    let scene = scene().await;
    for megabytes in [5, 5, 5, 40, 40, 40] {
        let filling = "x".repeat(megabytes * 1_000_000);
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{{"a":"{filling}"}}}}"#);
        let answer = json_client(&scene).send(Method::POST, &scene.path(), body).await;
        answer.refused_call(413, "request-too-large", &Value::Null);
    }
    assert!(scene.upstream.seen().is_empty());
}

#[tokio::test]
async fn a_body_of_another_kind_than_json_is_refused() {
    let scene = scene().await;
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "text/json", ""] {
        let answer = scene
            .client()
            .with("content-type", kind)
            .send(Method::POST, &scene.path(), list(1).to_string())
            .await;
        answer.refused_call(415, "unsupported-content-type", &json!(1));
    }
    let answer = scene.client().send(Method::POST, &scene.path(), list(1).to_string()).await;
    assert_eq!(answer.status, 415, "no content type at all");
    let parameters = scene.client().with("content-type", "Application/JSON; charset=utf-8");
    parameters.send(Method::POST, &scene.path(), list(1).to_string()).await;
    assert_eq!(scene.upstream.seen().len(), 1);
}

#[tokio::test]
async fn a_client_that_takes_no_form_of_answer_is_refused() {
    let scene = scene().await;
    for accept in
        ["text/html", "image/*", "application/json;q=0, text/event-stream;q=0", "application/json;q=0"]
    {
        let answer = scene.client().with("accept", accept).post(&scene.path(), &list(1)).await;
        answer.refused_call(406, "not-acceptable", &json!(1));
    }
    for accept in ["*/*", "text/html", "application/json"] {
        let answer = scene.client().with("accept", accept).get(&scene.path()).await;
        answer.refused_call(406, "not-acceptable", &Value::Null);
    }
    assert!(scene.upstream.seen().is_empty());
}

#[tokio::test]
async fn other_verbs_than_the_three_are_refused_and_the_three_are_named() {
    let scene = scene().await;
    for method in [Method::PUT, Method::PATCH, Method::OPTIONS, Method::TRACE] {
        let answer = json_client(&scene).send(method, &scene.path(), list(4).to_string()).await;
        answer.refused_call(405, "method-not-allowed", &json!(4));
        assert_eq!(answer.header("allow"), Some("POST, GET, DELETE"));
    }
    assert!(scene.upstream.seen().is_empty());
}
