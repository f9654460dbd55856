//! The canary: keys and secrets are looked for in everything that the product writes. They are in none of it.

use std::fmt::Write as _;

use api::adapters::nats;
use async_nats::jetstream;
use harness::{LogSearch, Scripted, ScriptedUpstream, World, cluster, counted_by};
use hyper::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::scene::{call, until};

const UPSTREAM_SECRET: &str = "canary-4d1c9c7e-of-the-upstream";
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// The part of a key that nobody else may ever see: secret and checksum.
fn secret_part(key: &str) -> &str {
    key.rsplit('_').next().expect("a key has parts")
}

#[tokio::test]
async fn attack_21_attack_38_no_key_and_no_secret_is_in_the_log_the_stream_the_metrics_or_what_is_logged() {
    let world = World::start().await;
    let issued = world.key(&["mcp:write"], None).await;
    let admin_key = world.admin_key.clone();
    let wanted = [secret_part(&issued), secret_part(&admin_key), UPSTREAM_SECRET];
    let logged = LogSearch::start(&[wanted[0], wanted[1], wanted[2], TRACE]);

    let upstream = ScriptedUpstream::start(Scripted::Result(json!({}))).await;
    let path = guarded_instance(&world, &upstream).await;
    let traced = world.node.http().with("traceparent", &format!("00-{TRACE}-b7ad6b7169203331-01"));
    let client = traced.clone().as_key(&issued);
    client.post(&path, &call(1, "x")).await.good();
    client.clone().with("x-api-key", &issued).post(&path, &call(2, "x")).await.refused_call(
        400,
        "two-credentials",
        &json!(2),
    );
    client.post("/mcp/unknown", &call(3, "x")).await.refused_call(404, "instance-unknown", &json!(3));
    let mistyped = format!("{}{}", &issued[..issued.len() - 1], "_");
    traced.clone().as_key(&mistyped).post(&path, &call(4, "x")).await.refused_call(
        401,
        "key-checksum",
        &json!(4),
    );
    upstream.now(Scripted::Raw { status: 500, content_type: "text/html", body: "oops".into() });
    client.post(&path, &call(5, "x")).await.refused_call(502, "upstream-bad-answer", &json!(5));
    let seen = upstream.seen();
    assert_eq!(
        seen[0].header("authorization"),
        Some(format!("Bearer {UPSTREAM_SECRET}").as_str()),
        "it was in use"
    );
    assert!(!format!("{seen:?}").contains(wanted[0]), "the caller's key went on to the upstream");

    let metrics = world.node.http().get("/metrics").await;
    let written = [
        tables(&world.node.running.pool).await,
        messages(&world).await,
        String::from_utf8(metrics.bytes.to_vec()).unwrap(),
    ];
    for (place, text) in ["tables", "messages", "metrics"].iter().zip(&written) {
        assert!(text.len() > 1000, "{place} were read: {text}");
        for secret in wanted {
            assert!(!text.contains(secret), "{place} hold {secret}");
        }
    }
    until("what was done is logged", async || !logged.lines_with(TRACE).is_empty()).await;
    for secret in wanted {
        assert_eq!(logged.lines_with(secret), Vec::<String>::new());
    }
}

#[tokio::test]
async fn attack_38_what_a_node_counted_lies_where_secrets_are_looked_for_after_the_whole_suite() {
    let world = World::start().await;
    let kept = counted_by(&format!("{}-{}", world.database.name, world.node.running.address.port()));
    let told = String::from_utf8(world.node.http().get("/metrics").await.bytes.to_vec()).unwrap();
    drop(world);
    let kept = std::fs::read_to_string(kept).expect("it was kept when the node stopped");
    let families = |text: &str| text.lines().filter(|line| line.starts_with("# TYPE")).count();
    assert!(families(&told) > 10 && families(&kept) == families(&told), "{kept}");
}

async fn guarded_instance(world: &World, upstream: &ScriptedUpstream) -> String {
    let made = async |path: &str, body: Value| {
        let made = world.admin().post(&world.path(path), &body).await.good();
        made["id"].as_str().expect("an id").to_owned()
    };
    let field = json!({ "name": "token", "header": "authorization", "prefix": "Bearer ", "required": true });
    let server = json!({
        "name": "Guarded", "visibility": "organization",
        "transport": { "http": { "url": upstream.url } }, "credential_fields": [field],
    });
    let server = made("/servers", server).await;
    let connection = made("/connections", json!({ "server": server, "name": "Ours" })).await;
    let secrets = world.path(&format!("/connections/{connection}/secrets"));
    world
        .admin()
        .json(Method::PUT, &secrets, &json!({ "fields": { "token": UPSTREAM_SECRET } }))
        .await
        .good();
    let instance =
        json!({ "name": "Tools", "connections": [connection], "tools": "all", "authentication": "api_key" });
    format!("/mcp/{}", made("/instances", instance).await)
}

/// Every row of every table, as text; bytes also as the text that they may be.
pub(crate) async fn tables(pool: &PgPool) -> String {
    let names = "select table_schema || '.' || table_name from information_schema.tables where table_schema not in ('pg_catalog', 'information_schema')";
    let names: Vec<String> = sqlx::query_scalar(names).fetch_all(pool).await.unwrap();
    assert!(names.contains(&"public.events".to_owned()), "{names:?}");
    let mut text = String::new();
    for name in names {
        let rows: Vec<String> =
            sqlx::query_scalar(&format!("select t::text from {name} t")).fetch_all(pool).await.unwrap();
        for row in rows {
            text.push_str(&row);
            for bytes in row.split("\\x").skip(1) {
                text.push_str(&hex_as_text(bytes));
            }
        }
    }
    text
}

fn hex_as_text(text: &str) -> String {
    let digits: Vec<u8> = text
        .bytes()
        .map_while(|byte| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] * 16 + pair[1]).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Every message of the deployment's stream, headers included.
pub(crate) async fn messages(world: &World) -> String {
    let head: i64 = sqlx::query_scalar("select max(global_position) from events")
        .fetch_one(&world.node.running.pool)
        .await
        .unwrap();
    let head = u64::try_from(head).unwrap();
    until("the log is in the stream", async || world.node.running.relayed.position().get() >= head).await;
    let client = nats::connect(cluster().nats_url()).await.expect("NATS answers");
    let mut stream =
        jetstream::new(client).get_stream(format!("EVENTS_{}", world.database.name)).await.expect("a stream");
    let last = stream.info().await.expect("the stream is there").state.last_sequence;
    let mut text = String::new();
    for sequence in 1..=last {
        let message = stream.get_raw_message(sequence).await.expect("a message");
        write!(text, "{:?}", message.headers).expect("a text takes everything");
        text.push_str(&String::from_utf8_lossy(&message.payload));
    }
    text
}
