//! What is carried is carried byte for byte, in both directions.

use bytes::Bytes;
use harness::Scripted;
use hyper::Method;

use super::scene::Scene;

/// Unknown members, odd numbers, odd order, odd escapes, odd white space: all of it JSON, none of it what a typed model would write back.
const ODD_RESULT: &str = concat!(
    "{ \"result\" : {\"z\":1,\"a\":{\"n\":[1.0e5,1E400,-0,0.10,123456789012345678901234567890]},",
    "\"content\":[{\"text\":\"\\u00e9\\ud83d\\ude00\\/\u{95a2}\",\"type\":\"text\",\"x-new\":null}],\"empty\":{ }},\n",
    "\t\"id\":1.0, \"jsonrpc\":\"2.0\" , \"later\":[]}"
);

const ODD_REQUEST: &str = concat!(
    " {\"params\":{\"arguments\":{\"n\":1.0e5,\"big\":1E400,\"s\":\"\\u00e9\\/\"},\"name\":\"\\u0065cho\",\"_meta\":{\"progressToken\":1.50}},",
    "\r\n\"x-vendor\":{\"b\":1,\"a\":2}, \"id\":1.0,\"method\":\"tools/call\",\"jsonrpc\":\"2.0\"}\n"
);

#[tokio::test]
async fn an_answer_comes_back_byte_for_byte() {
    let script = Scripted::Raw {
        status: 200,
        content_type: "application/json; charset=utf-8",
        body: Bytes::from(ODD_RESULT),
    };
    let scene = Scene::of(script).await;
    let answer = scene
        .client()
        .with("content-type", "application/json")
        .send(Method::POST, &scene.path(), ODD_REQUEST)
        .await;
    assert_eq!(answer.bytes, ODD_RESULT);
    assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
}

#[tokio::test]
async fn a_request_reaches_the_upstream_byte_for_byte() {
    let script =
        Scripted::Raw { status: 200, content_type: "application/json", body: Bytes::from(ODD_RESULT) };
    let scene = Scene::of(script).await;
    scene
        .client()
        .with("content-type", "application/json")
        .send(Method::POST, &scene.path(), ODD_REQUEST)
        .await;
    assert_eq!(scene.upstream.seen()[0].body, ODD_REQUEST);
}

#[tokio::test]
async fn an_event_stream_comes_back_byte_for_byte() {
    let stream = format!(
        ": hello\r\nretry: 500\r\nid: a1\r\ndata:\r\n\r\nevent: message\rdata:  x\rdata: y\r\rfoo: bar\ndata: {ODD_LINE}\n\n"
    );
    let pieces = stream.as_bytes().chunks(7).map(Bytes::copy_from_slice).collect();
    let scene = Scene::of(Scripted::Events { pieces, pause: std::time::Duration::ZERO, ends: true }).await;
    let answer = scene
        .client()
        .with("content-type", "application/json")
        .send(Method::POST, &scene.path(), ODD_REQUEST)
        .await;
    assert_eq!(answer.bytes, stream);
    assert_eq!(answer.header("x-accel-buffering"), Some("no"));
}

const ODD_LINE: &str = r#"{"result":{"n":1E400},"id":1,"jsonrpc":"2.0"}"#;

#[tokio::test]
async fn a_large_answer_arrives_whole() {
    let body = format!(
        r#"{{"jsonrpc":"2.0","id":1,"result":{{"text":"{}"}}}}"#,
        "\u{95a2}\u{6240}".repeat(1_000_000)
    );
    let script =
        Scripted::Raw { status: 200, content_type: "application/json", body: Bytes::from(body.clone()) };
    let scene = Scene::of(script).await;
    let answer = scene
        .client()
        .with("content-type", "application/json")
        .send(Method::POST, &scene.path(), ODD_REQUEST)
        .await;
    assert!(answer.bytes == body, "{} of {} bytes", answer.bytes.len(), body.len());
}

#[tokio::test]
async fn refusals_of_the_upstream_keep_their_status_and_words() {
    let scene = Scene::of(Scripted::Session("s")).await;
    for (status, body) in [
        (400, r#"{"jsonrpc":"2.0","id":1.0,"error":{"code":-32602,"message":"no","data":{"x":1.0e1}}}"#),
        (404, r#"{"jsonrpc":"2.0","id":1.0,"error":{"code":-32601,"message":"no"}}"#),
        (429, r#"{"jsonrpc":"2.0","id":1.0,"error":{"code":-32000,"message":"slow down"}}"#),
        (500, r#"{"jsonrpc":"2.0","id":1.0,"error":{"code":-32603,"message":"oops"}}"#),
    ] {
        scene.upstream.now(Scripted::Raw {
            status,
            content_type: "application/json",
            body: Bytes::from(body),
        });
        let answer = scene
            .client()
            .with("content-type", "application/json")
            .send(Method::POST, &scene.path(), ODD_REQUEST)
            .await;
        assert_eq!((answer.status.as_u16(), &answer.bytes[..]), (status, body.as_bytes()));
    }
}
