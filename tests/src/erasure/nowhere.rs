//! The canary: name, address and picture of an erased person are looked for everywhere. They are in none of it, and all goes on.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use api::adapters::master_key::MasterKeys;
use api::adapters::personal_data::PersonalData;
use domain::value::Position;
use harness::{LogSearch, Program, World, sekisho};
use hyper::Method;
use projections::directory::Directory;
use projections::{Projection, rebuild};
use serde_json::{Value, json};

use super::{because, erase_path, is_forgotten, person, registered, until};
use crate::directory::count;
use crate::gateway::canary;

const NAME: &str = "canary-name-3f1b";
const NEW_NAME: &str = "canary-name-9c20";
const EMAIL: &str = "canary-mail-5d5e@example.com";
const NEW_EMAIL: &str = "canary-mail-8e4c@example.com";
const PICTURE: &str = "canary-picture-77aa";
const ALL: [&str; 5] = [NAME, NEW_NAME, EMAIL, NEW_EMAIL, PICTURE];

/// Somebody with a past: registered, renamed, moved to another address.
async fn with_a_past(world: &World) -> String {
    let user = registered(world, NAME, EMAIL).await;
    let at = |what: &str| format!("/v1/deployment/users/{user}/{what}");
    let profile = json!({ "name": NEW_NAME, "picture": "https://cdn.example.com/canary-picture-77aa.png" });
    world.admin().json(Method::PUT, &at("profile"), &profile).await.good();
    world.admin().json(Method::PUT, &at("email"), &json!({ "email": NEW_EMAIL })).await.good();
    user
}

async fn shown(world: &World, user: &str) -> Value {
    world.admin().get(&format!("/v1/deployment/users/{user}")).await.good()
}

fn holds_none(place: &str, text: &str) {
    assert!(text.len() > 1000, "{place} were read: {text}");
    for word in ALL {
        assert!(!text.contains(word), "{place} hold {word}");
    }
}

/// What a program with this environment said; it went well.
async fn said(world: &World, arguments: &[&str]) -> String {
    let mut command = Command::new(sekisho());
    command.env_clear().args(arguments).env("DATABASE_URL", &world.database.url);
    command.env("SEKISHO_MASTER_KEY", world.master_key());
    let output = tokio::task::spawn_blocking(move || command.output().expect("it runs")).await.unwrap();
    let said = [&output.stdout[..], &output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{arguments:?}: {said}");
    said
}

#[tokio::test]
async fn nothing_personal_is_in_the_tables_the_stream_the_history_or_what_is_logged() {
    let logged = LogSearch::start(&ALL);
    let world = World::start().await;
    let other = world.another_node().await;
    let mika = with_a_past(&world).await;
    let key = json!({ "name": "Theirs", "scopes": ["mcp:write"], "principal": mika });
    let key = world.admin().post(&world.path("/api-keys"), &key).await.good()["api_key"].clone();
    assert_eq!(shown(&world, &mika).await["name"], NEW_NAME, "it was in use");
    let before = canary::tables(&world.node.running.pool).await;
    assert!([NEW_NAME, NEW_EMAIL].iter().all(|word| before.contains(word)), "the search finds what is there");

    let done = world.admin().post(&erase_path(&mika), &because()).await.good();

    for node in [&world.node, &other] {
        let path = format!("/v1/deployment/users/{mika}?at_least={}", done["position"]);
        let shown = node.http().as_key(&world.admin_key).get(&path).await.good();
        assert_eq!(shown["standing"], "erased");
        assert_eq!([&shown["name"], &shown["email"], &shown["picture"]], [&Value::Null; 3]);
        let theirs = node.http().as_key(key.as_str().unwrap());
        theirs.get("/v1/me").await.refused(401, "principal-inactive");
    }
    holds_none("tables", &canary::tables(&world.node.running.pool).await);
    holds_none("messages", &canary::messages(&world).await);
    holds_none(
        "the history",
        &String::from_utf8_lossy(&world.admin().get("/v1/events?limit=200").await.bytes),
    );
    holds_none("the replay", &said(&world, &["replay"]).await);
    for word in ALL {
        assert_eq!(logged.lines_with(word), Vec::<String>::new());
    }
    // The address is free.
    world.admin().post(&world.path("/users"), &person("Another", NEW_EMAIL)).await.good();
}

#[tokio::test]
async fn the_log_still_verifies_and_a_rebuild_gives_the_live_rows() {
    let world = World::start().await;
    let mika = with_a_past(&world).await;
    let suspended = registered(&world, "Suspended", "suspended@example.com").await;
    let nameless = world.admin().post(&world.path("/users"), &json!({})).await.good()["id"].clone();
    let at = |user: &str, what: &str| format!("/v1/deployment/users/{user}{what}");
    world.admin().post(&at(&suspended, "/suspend"), &because()).await.good();
    for user in [&mika, &suspended, nameless.as_str().unwrap()] {
        world.admin().post(&erase_path(user), &because()).await.good();
        assert!(is_forgotten(&world.node.running.pool, user).await, "also whoever never had a key");
    }
    let again = world.admin().post(&erase_path(&mika), &because()).await.good();
    let head = Position::new(again["position"].as_u64().unwrap());

    let pool = &world.node.running.pool;
    let master = Arc::new(MasterKeys::parse(world.master_key()).unwrap());
    let personal = PersonalData::new(pool.clone(), master);
    assert_eq!(rebuild(&Directory, pool, &personal, "rebuilt").await.unwrap(), head);
    for table in Directory.tables() {
        for (one, other) in [("public", "rebuilt"), ("rebuilt", "public")] {
            let difference = format!("select * from {one}.{table} except all select * from {other}.{table}");
            assert_eq!(count(pool, &difference).await, 0, "{table}: rows of {one} that are not in {other}");
        }
    }
    let signed = async || world.node.running.notary.newest().is_some_and(|kept| kept.size >= head.get());
    until("the notary has signed it", signed).await;
    let verified = said(&world, &["verify"]).await;
    assert!(verified.contains("as they were signed"), "{verified}");
}

/// Whether any file below holds one of the words.
fn found_in(folder: &Path) -> Vec<String> {
    let mut search = Command::new("grep");
    search.args(["-rlaE", &ALL.join("|")]).arg(folder);
    let output = search.output().expect("grep runs");
    String::from_utf8_lossy(&output.stdout).lines().map(ToOwned::to_owned).collect()
}

/// What the database itself still holds of old rows, until it gets to clean up, is stated in the documentation.
#[tokio::test]
async fn the_files_of_nats_and_the_log_of_the_program_never_held_anything() {
    let program = Program::start("erasure").await;
    let founding = json!({ "organization": { "slug": "acme", "name": "Acme" }, "owner": { "name": "Ann" } });
    let bearer = format!("Bearer {}", program.bootstrap_token());
    let founded = program.http().with("authorization", &bearer).post("/v1/bootstrap", &founding).await.good();
    let admin = program.http().as_key(founded["api_key"].as_str().unwrap());
    let users = format!("/v1/organizations/{}/users", founded["organization_id"].as_str().unwrap());
    let mika = admin.post(&users, &person(NAME, EMAIL)).await.good()["id"].clone();
    admin.post(&erase_path(mika.as_str().unwrap()), &because()).await.good();
    let data = program.data().to_owned();
    assert!(program.stop().await.success());
    let found = found_in(data.parent().unwrap());
    let elsewhere: Vec<&String> = found
        .iter()
        .filter(|file| file.contains("/erasure"))
        .filter(|file| !file.contains("/postgres/base/") && !file.contains("/postgres/pg_wal/"))
        .collect();
    assert_eq!(elsewhere, Vec::<&String>::new());
    assert!(data.join("nats").exists(), "there was something to look into");
}
