//! A server that moves to another origin takes no secrets with it, and the directory says so.

use std::time::Duration;

use domain::connection::{ConnectionEvent, ConnectionOwner};
use domain::server::{ServerEvent, Transport, Visibility};
use domain::value::{FieldName, UpstreamUrl};
use harness::{Scripted, ScriptedUpstream, World};
use hyper::Method;
use projections::directory::connections;
use serde_json::{Value, json};

use super::everything::{ACME, BENS, CLOCK, SHARED, WIKI};
use super::folded;
use super::history::{History, display};

fn at(url: &str) -> Transport {
    Transport::Http { url: UpstreamUrl::parse(url).unwrap() }
}

fn updated(url: &str) -> ServerEvent {
    ServerEvent::Updated {
        name: display("Wiki"),
        transport: at(url),
        credential_fields: vec![],
        visibility: Visibility::Organization,
    }
}

fn secrets(version: u32) -> ConnectionEvent {
    ConnectionEvent::SecretsSet { version, fields: [FieldName::parse("token").unwrap()].into() }
}

/// Two connections with secrets, the first one to the wiki.
fn connected() -> History {
    let mut history = History::default();
    for (server, connection) in [(WIKI, SHARED), (CLOCK, BENS)] {
        let (organization, name, transport) =
            (Some(ACME), display("Server"), at("https://mcp.example.com/mcp"));
        let (credential_fields, visibility) = (vec![], Visibility::Organization);
        let registered =
            ServerEvent::Registered { organization, name, transport, credential_fields, visibility };
        let (organization, owner, name) = (ACME, ConnectionOwner::Organization, display("Ours"));
        let created = ConnectionEvent::Created { organization, owner, server, name };
        history.tell(server, registered).tell(connection, created).tell(connection, secrets(1));
    }
    history
}

#[tokio::test]
async fn secrets_that_were_set_before_a_move_are_not_shown_as_set() {
    let (pool, _database) = harness::database().await;
    let mut history = connected();
    history.tell(WIKI, updated("https://mcp.example.com/v2")); // the same origin
    history.tell(WIKI, updated("https://elsewhere.example.com/v2"));
    folded(&pool, &history).await;
    let moved = connections::by_id(&pool, ACME, SHARED).await.unwrap().unwrap();
    assert_eq!((moved.secrets_version, moved.secret_fields), (None, vec![]));
    assert_eq!(moved.updated_position.unsigned_abs(), history.head().get());
    let other = connections::by_id(&pool, ACME, BENS).await.unwrap().unwrap();
    assert_eq!((other.secrets_version, other.secret_fields), (Some(1), vec!["token".to_owned()]));
}

#[tokio::test]
async fn secrets_are_shown_after_a_change_at_the_same_origin_and_when_they_are_set_after_a_move() {
    let (pool, _database) = harness::database().await;
    let mut history = connected();
    history.tell(CLOCK, updated("https://mcp.example.com/v2"));
    history.tell(WIKI, updated("https://elsewhere.example.com/mcp")).tell(SHARED, secrets(2));
    folded(&pool, &history).await;
    for (connection, version) in [(SHARED, 2), (BENS, 1)] {
        let row = connections::by_id(&pool, ACME, connection).await.unwrap().unwrap();
        assert_eq!((row.secrets_version, row.secret_fields), (Some(version), vec!["token".to_owned()]));
    }
}

/// A server that wants a token, and a connection to it.
struct Scene {
    world: World,
    server: String,
    connection: String,
}

impl Scene {
    async fn at(url: &str) -> Self {
        let world = World::start().await;
        let made = async |path: &str, body: Value| {
            let made = world.admin().post(&world.path(path), &body).await.good();
            made["id"].as_str().unwrap().to_owned()
        };
        let server = made("/servers", Self::server(url)).await;
        let connection = made("/connections", json!({ "server": server, "name": "Ours" })).await;
        Self { world, server, connection }
    }

    fn server(url: &str) -> Value {
        let field = json!({ "name": "token", "header": "authorization", "required": true });
        json!({
            "name": "Wiki", "visibility": "organization",
            "transport": { "http": { "url": url } }, "credential_fields": [field],
        })
    }

    async fn moves_to(&self, url: &str) {
        let path = self.world.path(&format!("/servers/{}", self.server));
        self.world.admin().json(Method::PUT, &path, &Self::server(url)).await.good();
    }

    async fn set(&self, server_url: Option<&str>) -> harness::Answer {
        let path = self.world.path(&format!("/connections/{}/secrets", self.connection));
        let body = json!({ "fields": { "token": "s3cret" }, "server_url": server_url });
        self.world.admin().json(Method::PUT, &path, &body).await
    }

    async fn shown(&self) -> (Value, Value) {
        let path = self.world.path(&format!("/connections/{}", self.connection));
        let shown = self.world.admin().get(&path).await.good();
        (shown["secrets_version"].clone(), shown["secret_fields"].clone())
    }
}

#[tokio::test]
async fn the_listing_says_what_the_gateway_does() {
    let upstream = ScriptedUpstream::start(Scripted::Result(json!({}))).await;
    let scene = Scene::at(upstream.url.as_str()).await;
    scene.set(None).await.good();
    assert_eq!(scene.shown().await, (json!(1), json!(["token"])));
    scene.moves_to("https://elsewhere.example.com/mcp").await;
    assert_eq!(scene.shown().await, (Value::Null, json!([])));
    // Also back at the old place they are not sent: nobody knows where the server was meanwhile.
    scene.moves_to(upstream.url.as_str()).await;
    assert_eq!(scene.shown().await, (Value::Null, json!([])));
    let instance = json!({ "name": "Tools", "connections": [scene.connection], "tools": "all", "authentication": "api_key" });
    let instance = scene.world.admin().post(&scene.world.path("/instances"), &instance).await.good();
    let key = scene.world.key(&["mcp:write"], None).await;
    let client = scene.world.node.http().as_key(&key).with("accept", "application/json, text/event-stream");
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "x" } });
    let path = format!("/mcp/{}", instance["id"].as_str().unwrap());
    client.post(&path, &call).await.refused_call(502, "upstream-credential-missing", &json!(1));
}

#[tokio::test]
async fn secrets_meant_for_another_place_than_the_server_is_at_are_refused() {
    let scene = Scene::at("https://mcp.example.com/mcp").await;
    scene.moves_to("https://elsewhere.example.com/mcp").await;
    scene.set(Some("https://mcp.example.com/mcp")).await.refused(409, "server-moved");
    assert_eq!(scene.shown().await, (Value::Null, json!([])));
    scene.set(Some("https://elsewhere.example.com/mcp")).await.good();
    assert_eq!(scene.shown().await.1, json!(["token"]));
}

/// The server's move, as another node would append it.
fn move_of(scene: &Scene, url: &str) -> Value {
    let payload = serde_json::to_value(updated(url)).unwrap();
    let metadata = json!({ "occurred_at": "2026-11-22T10:50:00Z", "organization": scene.world.organization, "actor": "test" });
    let event = json!({
        "aggregate_type": "server", "aggregate_id": scene.server, "sequence": 2, "event_type": "updated", "event_version": "1",
        "payload": payload, "metadata": metadata,
    });
    json!([{ "command_id": "move", "request_digest": "", "answer": "", "events": [event], "releases": [], "takes": [] }])
}

#[tokio::test]
async fn secrets_that_are_on_their_way_when_the_server_moves_are_refused() {
    let scene = Scene::at("https://mcp.example.com/mcp").await;
    let pool = &scene.world.node.running.pool;
    // Another node has its turn to append ...
    let mut other = pool.begin().await.unwrap();
    sqlx::query("select pg_advisory_xact_lock(7243927510471)").execute(&mut *other).await.unwrap();
    let moving = async {
        // ... and moves the server, when the secrets are sealed already for the place that it was at.
        while super::count(pool, "select * from connection_secrets").await == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let batch = move_of(&scene, "https://elsewhere.example.com/mcp");
        let outcome: String = sqlx::query_scalar("select outcome from append_commands($1)")
            .bind(batch)
            .fetch_one(&mut *other)
            .await
            .unwrap();
        assert_eq!(outcome, "ok");
        other.commit().await.unwrap();
    };
    let (answer, ()) = tokio::join!(scene.set(None), moving);
    answer.refused(409, "server-moved");
    assert_eq!(scene.shown().await, (Value::Null, json!([])));
}

#[tokio::test]
async fn secrets_are_set_anew_also_when_the_vault_has_forgotten_the_ones_before() {
    let scene = Scene::at("https://mcp.example.com/mcp").await;
    scene.set(None).await.good();
    scene.moves_to("https://elsewhere.example.com/mcp").await;
    let pool = &scene.world.node.running.pool;
    sqlx::query("delete from connection_secrets").execute(pool).await.unwrap();
    scene.set(None).await.good();
    assert_eq!(scene.shown().await, (json!(2), json!(["token"])));
}
