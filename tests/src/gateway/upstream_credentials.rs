//! The caller's credentials end at the gateway; the upstream gets its own, exactly as its server wants them.

use harness::{Scripted, ScriptedUpstream, World};
use hyper::Method;
use serde_json::{Value, json};

use super::scene::{Scene, call};

/// An instance in front of a server that wants one field.
struct Guarded {
    world: World,
    upstream: ScriptedUpstream,
    connection: String,
    path: String,
}

impl Guarded {
    async fn by(field: &Value) -> Self {
        let world = World::start().await;
        let upstream = ScriptedUpstream::start(Scripted::Result(json!({}))).await;
        let made = async |path: &str, body: Value| {
            let made = world.admin().post(&world.path(path), &body).await.good();
            made["id"].as_str().expect("an id").to_owned()
        };
        let server = json!({
            "name": "Guarded", "visibility": "organization",
            "transport": { "http": { "url": upstream.url } }, "credential_fields": [field],
        });
        let server = made("/servers", server).await;
        let connection = made("/connections", json!({ "server": server, "name": "Ours" })).await;
        let instance = json!({ "name": "Tools", "connections": [connection], "tools": "all", "authentication": "api_key" });
        let path = format!("/mcp/{}", made("/instances", instance).await);
        Self { world, upstream, connection, path }
    }

    async fn set(&self, fields: Value) {
        let path = self.world.path(&format!("/connections/{}/secrets", self.connection));
        self.world.admin().json(Method::PUT, &path, &json!({ "fields": fields })).await.good();
    }
}

fn bearer(required: bool) -> Value {
    json!({ "name": "token", "header": "authorization", "prefix": "Bearer ", "required": required })
}

#[tokio::test]
async fn attack_21_nothing_that_names_the_caller_reaches_the_upstream() {
    let scene = Scene::of(Scripted::Result(json!({}))).await;
    let kept_back = [
        "cookie",
        "proxy-authorization",
        "forwarded",
        "x-forwarded-for",
        "x-real-ip",
        "referer",
        "user-agent",
        "x-anything",
        "api-key",
    ];
    let client = kept_back.iter().fold(scene.client(), |client, name| client.with(name, "canary"));
    client.with("origin", "https://allowed.example").post(&scene.path(), &call(1, "x")).await.good();
    let seen = scene.upstream.seen();
    let mut names: Vec<&str> = seen[0].headers.keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["accept", "content-length", "content-type", "host", "traceparent"]);
    assert!(
        !format!("{seen:?}").contains("canary") && !format!("{seen:?}").contains(scene.instance.api_key())
    );
}

#[tokio::test]
async fn nothing_that_the_upstream_says_of_itself_reaches_the_caller() {
    let scene = Scene::of(Scripted::Session("the-upstreams-own")).await;
    let answer = scene.call(&super::scene::request(1, "initialize", &json!({}))).await;
    answer.good();
    for name in ["server", "set-cookie", "www-authenticate", "location", "access-control-allow-origin"] {
        assert!(!answer.headers.contains_key(name), "{name}");
    }
    assert!(!format!("{:?}", answer.headers).contains("the-upstreams-own"));
}

#[tokio::test]
async fn without_a_required_credential_the_upstream_is_not_called() {
    let guarded = Guarded::by(&bearer(true)).await;
    let client = guarded.world.node.http().as_key(&guarded.world.key(&["mcp:write"], None).await);
    client.post(&guarded.path, &call(1, "x")).await.refused_call(
        502,
        "upstream-credential-missing",
        &json!(1),
    );
    assert!(guarded.upstream.seen().is_empty());
}

#[tokio::test]
async fn without_an_optional_credential_the_upstream_is_called_without_it() {
    let guarded = Guarded::by(&bearer(false)).await;
    let client = guarded.world.node.http().as_key(&guarded.world.key(&["mcp:write"], None).await);
    client.post(&guarded.path, &call(1, "x")).await.good();
    assert_eq!(guarded.upstream.seen()[0].header("authorization"), None);
}

#[tokio::test]
async fn the_upstream_gets_its_credential_and_another_one_from_the_next_call_on() {
    let guarded = Guarded::by(&bearer(true)).await;
    let client = guarded.world.node.http().as_key(&guarded.world.key(&["mcp:write"], None).await);
    for secret in ["first", "second", "third with spaces = and ; signs"] {
        guarded.set(json!({ "token": secret })).await;
        client.post(&guarded.path, &call(1, "x")).await.good();
        let seen = guarded.upstream.take_seen();
        let lines: Vec<_> = seen[0].headers.get_all("authorization").iter().collect();
        assert_eq!(lines, [format!("Bearer {secret}").as_str()]);
    }
}

#[tokio::test]
async fn a_field_named_like_the_callers_own_header_carries_the_connections_value_alone() {
    let guarded = Guarded::by(&json!({ "name": "key", "header": "X-API-Key", "required": true })).await;
    guarded.set(json!({ "key": "the upstream's" })).await;
    let key = guarded.world.key(&["mcp:write"], None).await;
    guarded.world.node.http().as_key(&key).post(&guarded.path, &call(1, "x")).await.good();
    let seen = guarded.upstream.seen();
    let lines: Vec<_> = seen[0].headers.get_all("x-api-key").iter().collect();
    assert_eq!(lines, ["the upstream's"]);
}
