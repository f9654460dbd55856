//! `sekisho demo`: one line of JSON, a real call, the same keys at the next start; on the oldest and newest Postgres at hand.

use std::path::{Path, PathBuf};

use harness::folder;
use serde_json::json;

use super::{Demo, call, command, text};

/// What a second start on the same folder finds again.
const KEPT: [&str; 9] = [
    "api_key",
    "admin_key",
    "organization",
    "instance",
    "client_id",
    "client_secret",
    "public_client_id",
    "user_email",
    "user_password",
];

#[tokio::test]
async fn the_line_of_the_demonstration_opens_the_gateway_and_a_second_start_finds_it_again() {
    let data = folder("demo-twice");
    let first = Demo::start(&data, |_| {});
    for name in ["url", "mcp_url", "issuer"].into_iter().chain(KEPT) {
        assert!(!first.word(name).is_empty());
    }
    assert_eq!(first.ready["pid"], first.child.id());
    let answer =
        first.mcp().with("mcp-name", "add").post("", &call("add", &json!({ "a": 2, "b": 40 }))).await.good();
    assert_eq!(answer["id"], 7);
    assert_eq!(answer["result"]["structuredContent"]["sum"], 42);
    let metadata =
        harness::Http::new(first.word("url")).get("/.well-known/oauth-authorization-server").await.good();
    assert_eq!(
        metadata["registration_endpoint"],
        format!("{}/oauth/register", first.word("url")),
        "open to anybody"
    );
    let admin = harness::Http::new(first.word("url")).as_key(first.word("admin_key"));
    let organization = admin.get("/v1/me").await.good()["organization"].clone();
    assert!(organization.to_string().contains(first.word("organization")), "{organization}");
    let before = first.ready.clone();
    assert_eq!(first.stop(), Some(0));

    let second = Demo::start(&data, |_| {});
    for name in KEPT {
        assert_eq!(before[name], second.ready[name], "{name}");
    }
    second.mcp().with("mcp-name", "echo").post("", &call("echo", &json!({ "text": "again" }))).await.good();
    assert_eq!(second.stop(), Some(0));
}

#[tokio::test]
async fn what_a_demonstration_did_not_make_it_does_not_serve() {
    let data = folder("demo-real");
    let migrated = command(&["migrate", "--data"]).arg(&data).output().unwrap();
    assert_eq!(migrated.status.code(), Some(0), "{}", text(&migrated.stderr));
    let refused = command(&["demo", "--listen", "127.0.0.1:0", "--data"]).arg(&data).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("no demonstration made"), "{}", text(&refused.stderr));

    // The variable is that of a deployment, which may come later: the demonstration keeps to a folder of its own in it.
    let later = folder("demo-before");
    for data in [&data, &later] {
        let mut beside = command(&["demo", "--json", "--listen", "127.0.0.1:0"]);
        beside.env("SEKISHO_DATA", data);
        let demo = Demo::started(beside, |_| ());
        assert!(data.join("demo/demonstration").exists() && !data.join("demonstration").exists());
        assert_eq!(demo.stop(), Some(0));
    }
    let migrated = command(&["migrate", "--data"]).arg(&later).output().unwrap();
    assert_eq!(migrated.status.code(), Some(0), "{}", text(&migrated.stderr));
}

/// Folders with a Postgres: the packages of the system and the wheel in the cache.
fn postgres_folders() -> Vec<PathBuf> {
    let cache = std::env::var("SEKISHO_CACHE").unwrap_or_else(|_| "/var/cache/sekisho".to_owned());
    let children = |folder: &Path| -> Vec<PathBuf> {
        std::fs::read_dir(folder)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path().join("bin"))
            .collect()
    };
    let mut found = children(Path::new("/usr/lib/postgresql"));
    found.extend(
        children(Path::new(&cache))
            .into_iter()
            .filter(|folder| folder.to_string_lossy().contains("postgres-")),
    );
    found.retain(|folder| folder.join("initdb").exists());
    found
}

#[tokio::test]
async fn it_runs_on_every_postgres_that_is_at_hand() {
    let folders = postgres_folders();
    assert!(!folders.is_empty() || std::env::var("SEKISHO_POSTGRES_BIN").is_ok());
    for (number, bin) in folders.iter().enumerate() {
        let demo = Demo::start(&folder(&format!("demo-postgres-{number}")), |command| {
            command.env("SEKISHO_POSTGRES_BIN", bin);
        });
        demo.mcp().with("mcp-name", "echo").post("", &call("echo", &json!({ "text": "hello" }))).await.good();
        println!("demo: a real call on {}", bin.display());
        assert_eq!(demo.stop(), Some(0));
    }
}

#[tokio::test]
async fn without_any_nats_server_it_runs_on_postgres_alone_and_says_so() {
    let Some(bin) = postgres_folders().into_iter().next() else { panic!("no Postgres in a known folder") };
    let empty = folder("no-cache");
    std::fs::create_dir_all(&empty).unwrap();
    let set = |command: &mut std::process::Command| {
        command.env("SEKISHO_POSTGRES_BIN", &bin).env("SEKISHO_CACHE", &empty).env("PATH", "/usr/bin:/bin");
    };
    let demo = Demo::start(&folder("demo-no-nats"), set);
    demo.mcp().with("mcp-name", "echo").post("", &call("echo", &json!({ "text": "hello" }))).await.good();
    assert_eq!(demo.stop(), Some(0));

    let data = folder("doctor-no-nats");
    let mut doctor = command(&["doctor", "--data"]);
    set(doctor.arg(&data));
    let told = text(&doctor.output().unwrap().stdout);
    assert!(told.contains("Postgres alone"), "{told}");
}
