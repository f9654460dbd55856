//! The history in one answer, a line for each event.

use api::adapters::embedded::{Embedded, EmbeddedConfig, Survey};
use harness::{Http, Program, Victim, World};
use http_body_util::BodyExt as _;
use hyper::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::story::{a_key_comes_and_goes, rename, rename_often, tear_out};
use super::{DEADLINE, head, lines, positions};

const NDJSON: &str = "application/x-ndjson";
const MANY: i32 = 60_000;
/// What the program may take more for an export of more than 30 MB, which takes several times as much when it is held as a whole.
const GROWTH_BYTES_MAX: u64 = 24 * 1024 * 1024;

fn asking(http: Http) -> Http {
    http.with("accept", NDJSON)
}

#[tokio::test]
async fn a_limit_is_refused_because_a_part_would_look_like_the_whole() {
    let world = World::start().await;
    asking(world.admin()).get("/v1/events?limit=5").await.refused(400, "bad-limit");
}

#[tokio::test]
async fn everything_comes_as_lines_and_the_last_one_says_that_it_is_whole() {
    let world = World::start().await;
    a_key_comes_and_goes(&world).await;
    let head = head(&world).await;
    let answer = asking(world.admin()).get("/v1/events").await;
    assert_eq!(answer.header("content-type"), Some(NDJSON));
    let mut told = lines(&answer.bytes);
    assert_eq!(told.pop().unwrap(), json!({ "end": { "position": head, "events": head } }));
    assert_eq!(positions(&told), (1..=head).collect::<Vec<_>>());
    let answer = asking(world.admin()).get("/v1/events?type=revoked&to=3").await;
    assert_eq!(lines(&answer.bytes), [json!({ "end": { "position": 3, "events": 0 } })]);
}

#[tokio::test]
async fn a_hole_ends_it_with_an_error_that_says_how_far_it_is_whole() {
    let world = World::start().await;
    rename(&world, "One").await;
    rename_often(&world.node.running.pool, &world.organization, 2_000).await;
    tear_out(&world.node.running.pool, 1_800).await;
    let mut told = lines(&asking(world.admin()).get("/v1/events").await.bytes);
    let last = told.pop().unwrap();
    assert_eq!(last["error"]["type"], "urn:sekisho:problem:log-broken", "{last}");
    let whole = last["position"].as_u64().unwrap();
    assert!(whole < 1_800 && whole > 1_000, "{last}");
    assert_eq!(positions(&told), (1..=whole).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_export_ends_when_the_key_is_revoked() {
    let world = World::start().await;
    let body = json!({ "name": "Auditor", "scopes": ["audit:read"] });
    let issued = world.admin().post(&world.path("/api-keys"), &body).await.good();
    rename_often(&world.node.running.pool, &world.organization, 20_000).await; // more than sockets take in
    let http = asking(world.node.http().as_key(issued["api_key"].as_str().unwrap()));
    let response = http.open(Method::GET, &world.path("/events"), "").await;
    let path = world.path(&format!("/api-keys/{}", issued["id"].as_str().unwrap()));
    world.admin().json(Method::DELETE, &path, &json!({ "reason": "Enough" })).await.good();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let last = lines(&bytes).pop().unwrap();
    assert_eq!(last["error"]["type"], "urn:sekisho:problem:key-revoked", "{last}");
}

/// The database of a running program.
async fn store_of(program: &Program) -> PgPool {
    let settings = EmbeddedConfig { data: program.data().to_owned(), nats: None, search: Vec::new() };
    match Embedded::survey(&settings).await.unwrap() {
        Survey::Running { database_url, .. } => PgPool::connect(&database_url).await.unwrap(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn sixty_thousand_events_go_out_in_constant_memory_also_to_a_slow_reader() {
    let mut program = Program::start("history-memory").await;
    let founding = json!({ "organization": { "slug": "acme", "name": "Acme" }, "owner": { "name": "Ann" } });
    let bootstrap = program.http().with("authorization", &format!("Bearer {}", program.bootstrap_token()));
    let founded = bootstrap.post("/v1/bootstrap", &founding).await.good();
    let admin = program.http().as_key(founded["api_key"].as_str().unwrap());
    let store = store_of(&program).await;
    let head = rename_often(&store, founded["organization_id"].as_str().unwrap(), MANY).await;
    let caught_up =
        async { while !admin.get(&format!("/v1/me?at_least={head}")).await.status.is_success() {} };
    tokio::time::timeout(DEADLINE * 6, caught_up).await.expect("the read models catch up");
    // A fresh process, which has no memory left over from catching up that an export could be held in unseen.
    program.kill(Victim::Sekisho).await;
    program.start_again().await;
    admin.get(&format!("/v1/me?at_least={head}")).await.good();
    program.forget_memory_peak();
    let before = program.memory_peak_bytes();
    let response = asking(admin).open(Method::GET, "/v1/events", "").await;
    tokio::time::sleep(std::time::Duration::from_secs(1)).await; // a server that does not wait for its reader has read it all by now
    let (mut body, mut bytes, mut last) = (response.into_body(), 0, Vec::new());
    let mut count = 0;
    while let Some(part) = body.frame().await {
        let part = part.unwrap().into_data().unwrap();
        bytes += part.len();
        count += part.split(|byte| *byte == b'\n').count() - 1;
        last.extend_from_slice(&part);
        let cut = last.len().saturating_sub(2_000);
        last.drain(..cut);
    }
    let end: Value = serde_json::from_slice(last.split(|byte| *byte == b'\n').rev().nth(1).unwrap()).unwrap();
    assert_eq!(end, json!({ "end": { "position": head, "events": head } }));
    assert_eq!(count as u64, head + 1);
    let growth = program.memory_peak_bytes().saturating_sub(before);
    println!("history: {count} lines, {bytes} bytes; the program had {before} bytes and grew by {growth}");
    assert!(growth < GROWTH_BYTES_MAX, "{growth} bytes more for {bytes}");
    assert!(program.stop().await.success());
}
