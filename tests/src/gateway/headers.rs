//! Headers that lie, stand there twice, are missing, come from a foreign page or are too many.

use harness::{Http, Scripted};
use hyper::Method;
use serde_json::{Value, json};

use super::raw::Connection;
use super::scene::{Scene, call, list, request};

const MODERN: &str = "2026-07-28";

async fn scene() -> Scene {
    Scene::of(Scripted::Tools(vec![("echo", false), ("add", false)])).await
}

/// A modern call, complete in its body.
fn modern_call(id: i64, tool: &str) -> Value {
    modern(request(id, "tools/call", &json!({ "name": tool, "arguments": {} })), MODERN)
}

fn modern(mut message: Value, revision: &str) -> Value {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": revision,
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    message["params"]["_meta"] = meta;
    message
}

/// A client with these headers beside its key.
fn with(scene: &Scene, headers: &[(&str, &str)]) -> Http {
    headers.iter().fold(scene.client(), |client, (name, value)| client.with(name, value))
}

#[tokio::test]
async fn a_modern_request_repeats_its_method_and_target_truthfully_or_is_refused() {
    let scene = scene().await;
    let (version, method, name) =
        (("mcp-protocol-version", MODERN), ("mcp-method", "tools/call"), ("mcp-name", "echo"));
    for (headers, reason, header) in [
        (&[method, name][..], "header-missing", "mcp-protocol-version"),
        (&[version, name], "header-missing", "mcp-method"),
        (&[version, method], "header-missing", "mcp-name"),
        (&[version, ("mcp-method", "tools/list"), name], "header-mismatch", "mcp-method"),
        (&[version, ("mcp-method", "Tools/Call"), name], "header-mismatch", "mcp-method"),
        (&[version, method, ("mcp-name", "add")], "header-mismatch", "mcp-name"),
        (&[version, method, ("mcp-name", "")], "header-mismatch", "mcp-name"),
        (&[version, method, ("mcp-name", "=?base64?YWRk?=")], "header-mismatch", "mcp-name"),
        (&[version, method, ("mcp-name", "=?base64?%%%?=")], "header-malformed", "mcp-name"),
        (&[("mcp-protocol-version", "2025-11-25"), method, name], "header-mismatch", "mcp-protocol-version"),
        (&[version, version, method, name], "duplicate-header", "mcp-protocol-version"),
        (&[version, method, method, name], "duplicate-header", "mcp-method"),
        (&[version, method, name, name], "duplicate-header", "mcp-name"),
        (
            &[version, method, name, ("mcp-param-a", "1"), ("mcp-param-a", "2")],
            "duplicate-header",
            "mcp-param-a",
        ),
    ] {
        let answer = with(&scene, headers).post(&scene.path(), &modern_call(5, "echo")).await;
        answer.refused_call(400, reason, &json!(5));
        let error = &answer.body()["error"];
        assert_eq!((&error["code"], &error["data"]["header"]), (&json!(-32_020), &json!(header)));
    }
    assert!(scene.upstream.seen().is_empty());
    with(&scene, &[version, method, ("mcp-name", "=?base64?ZWNobw==?=")])
        .post(&scene.path(), &modern_call(6, "echo"))
        .await
        .good();
}

#[tokio::test]
async fn a_modern_request_states_its_version_and_capabilities_in_its_body_or_is_refused() {
    let scene = scene().await;
    let client = || with(&scene, &[("mcp-protocol-version", MODERN), ("mcp-method", "tools/list")]);
    for member in ["io.modelcontextprotocol/protocolVersion", "io.modelcontextprotocol/clientCapabilities"] {
        let mut message = modern(list(5), MODERN);
        message["params"]["_meta"].as_object_mut().expect("members").remove(member);
        let answer = client().post(&scene.path(), &message).await;
        answer.refused_call(400, "meta-missing", &json!(5));
        let error = &answer.body()["error"];
        assert_eq!((&error["code"], &error["data"]["member"]), (&json!(-32_602), &json!(member)));
    }
    client().post(&scene.path(), &list(6)).await.refused_call(400, "meta-missing", &json!(6));
    assert!(scene.upstream.seen().is_empty());
}

#[tokio::test]
async fn what_the_modern_revision_took_away_is_not_found_in_its_form() {
    let scene = scene().await;
    for method in [
        "initialize",
        "ping",
        "logging/setLevel",
        "resources/subscribe",
        "resources/unsubscribe",
        "tasks/result",
    ] {
        let client = with(&scene, &[("mcp-protocol-version", MODERN), ("mcp-method", method)]);
        let answer = client.post(&scene.path(), &modern(request(5, method, &json!({})), MODERN)).await;
        answer.refused_call(404, "method-removed", &json!(5));
        assert_eq!(answer.body()["error"]["code"], json!(-32_601));
    }
    assert!(scene.upstream.seen().is_empty());
    scene.call(&request(6, "ping", &json!({}))).await.good();
}

#[tokio::test]
async fn the_tool_is_the_bodys_whatever_the_headers_say() {
    let scene = Scene::exposing(Scripted::Tools(vec![("echo", false), ("drop", false)]), &["echo"]).await;
    // An older revision need not repeat the name; a header that lies is refused, and one that agrees changes nothing.
    let lying = with(&scene, &[("mcp-name", "echo")]).post(&scene.path(), &call(1, "drop")).await;
    lying.refused_call(400, "header-mismatch", &json!(1));
    let honest = with(&scene, &[("mcp-name", "drop")]).post(&scene.path(), &call(2, "drop")).await;
    honest.refused_call(403, "tool-not-exposed", &json!(2));
    assert!(scene.upstream.seen().is_empty());
}

#[tokio::test]
async fn item_52_a_revision_that_is_not_spoken_here_is_refused_in_the_words_of_its_era() {
    let scene = scene().await;
    for revision in ["2027-01-01", "banana"] {
        let headers = [("mcp-protocol-version", revision), ("mcp-method", "tools/list")];
        let answer = with(&scene, &headers).post(&scene.path(), &modern(list(1), revision)).await;
        answer.refused_call(400, "unsupported-protocol-version", &json!(1));
        let error = answer.body()["error"].clone();
        assert_eq!((&error["code"], &error["data"]["requested"]), (&json!(-32_022), &json!(revision)));
        assert!(error["data"]["supported"].as_array().unwrap().contains(&json!(MODERN)), "{error}");
        let legacy = with(&scene, &[("mcp-protocol-version", revision)]).post(&scene.path(), &list(2)).await;
        legacy.refused_call(400, "unsupported-protocol-version", &json!(2));
        assert_eq!(legacy.body()["error"]["code"], -32_600);
    }
    let get = with(&scene, &[("mcp-protocol-version", "banana"), ("accept", "text/event-stream")])
        .get(&scene.path())
        .await;
    get.refused_call(400, "unsupported-protocol-version", &Value::Null);
    assert!(scene.upstream.seen().is_empty());
    for revision in ["2025-03-26", "2025-06-18", "2025-11-25"] {
        with(&scene, &[("mcp-protocol-version", revision)]).post(&scene.path(), &list(3)).await.good();
    }
}

#[tokio::test]
async fn item_52_attack_25_a_page_of_another_origin_is_refused_before_its_credential_is_looked_at() {
    let scene = scene().await;
    for (origin, reason) in [
        ("https://evil.example", "origin-not-allowed"),
        ("http://allowed.example", "origin-not-allowed"),
        ("https://allowed.example:8443", "origin-not-allowed"),
        ("null", "origin-malformed"),
        ("https://allowed.example/path", "origin-malformed"),
    ] {
        for client in [scene.client(), scene.anybody()] {
            let answer = client.with("origin", origin).post(&scene.path(), &list(1)).await;
            assert_eq!(
                (answer.status.as_u16(), &answer.body()["error"]["data"]["reason"]),
                (403, &json!(reason)),
                "{origin}"
            );
        }
    }
    let twice = with(&scene, &[("origin", "https://allowed.example"), ("origin", "https://allowed.example")]);
    assert_eq!(twice.post(&scene.path(), &list(1)).await.status, 403);
    assert!(scene.upstream.seen().is_empty());
}

#[tokio::test]
async fn a_page_of_an_allowed_origin_or_of_our_own_may_call() {
    let scene = scene().await;
    let own = scene.world.node.running.url.clone();
    let localhost = format!("http://localhost:{}", scene.world.node.running.address.port());
    for origin in ["https://allowed.example", "https://ALLOWED.example:443", &own, &localhost] {
        with(&scene, &[("origin", origin)]).post(&scene.path(), &list(1)).await.good();
    }
}

#[tokio::test]
async fn attack_26_headers_that_are_too_large_or_too_many_are_refused() {
    let scene = scene().await;
    let large = format!("x-large: {}\r\n", "x".repeat(100_000));
    let many = (0..200).map(|number| format!("x-{number}: 1\r\n")).collect::<Vec<_>>().concat();
    for lines in [large, many] {
        let mut connection = Connection::open(scene.world.node.running.address).await;
        connection.post(&scene.path(), &lines, "{}").await;
        assert_eq!(connection.answer().await.expect("an answer").status, 431);
    }
    let get = scene.client().send(Method::GET, "/healthz", "").await;
    assert_eq!(get.status, 200, "the node goes on");
}
