//! `sekisho replay`.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Output, Stdio};

use harness::{World, sekisho};
use serde_json::{Value, json};

use super::story::{a_key_comes_and_goes, rename, rename_often, tear_out};
use super::{all_pages, head, lines, positions};

fn replay(world: &World, arguments: &[&str]) -> Command {
    let mut command = Command::new(sekisho());
    command.arg("replay").args(arguments).stdin(Stdio::null());
    command.env("DATABASE_URL", &world.database.url).env_remove("SEKISHO_DATA");
    command
}

/// Runs it to its end, beside whatever the test's own node does.
async fn replayed(world: &World, arguments: &[&str]) -> Output {
    let mut command = replay(world, arguments);
    tokio::task::spawn_blocking(move || command.output().expect("it runs")).await.unwrap()
}

fn complaint(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test]
async fn a_moment_that_is_not_there_yet_and_a_misspelt_filter_are_refused() {
    let world = World::start().await;
    for arguments in [["--to", "1000000"], ["--as-of", "2999-01-01T00:00:00Z"]] {
        let refused = replayed(&world, &arguments).await;
        assert_eq!(refused.status.code(), Some(2), "{}", complaint(&refused));
        assert!(refused.stdout.is_empty());
    }
    let refused = replayed(&world, &["--aggregate", "apikey"]).await;
    assert_eq!(refused.status.code(), Some(2));
    assert!(complaint(&refused).contains("api_key"), "{}", complaint(&refused));
}

#[tokio::test]
async fn a_hole_is_an_error_whether_a_filter_hides_it_or_not() {
    let world = World::start().await;
    rename(&world, "One").await;
    rename(&world, "Two").await;
    let torn = head(&world).await - 1;
    tear_out(&world.node.running.pool, torn).await;
    for arguments in [vec![], vec!["--aggregate", "api_key"], vec!["--format", "table"]] {
        let broken = replayed(&world, &arguments).await;
        assert_eq!(broken.status.code(), Some(1), "{arguments:?}");
        assert!(complaint(&broken).contains(&format!("after {}", torn - 1)), "{}", complaint(&broken));
    }
    let before = (torn - 1).to_string();
    assert_eq!(
        replayed(&world, &["--to", &before]).await.status.code(),
        Some(0),
        "what is before it is whole"
    );
}

#[tokio::test]
async fn what_it_prints_is_what_the_api_lists() {
    let world = World::start().await;
    let key = a_key_comes_and_goes(&world).await;
    let output = replayed(&world, &[]).await;
    assert_eq!(output.status.code(), Some(0), "{}", complaint(&output));
    let mut told = lines(&output.stdout);
    let head = head(&world).await;
    assert_eq!(told.pop().unwrap(), json!({ "end": { "position": head, "events": head } }));
    assert_eq!(told, all_pages(&world.admin(), "/v1/events", 200).await.0);

    let name = format!("api_key/{key}");
    let one = replayed(&world, &["--aggregate", &name, "--organization", &world.organization]).await;
    let one = lines(&one.stdout);
    assert_eq!(
        one.iter().filter_map(|event| event["type"].as_str()).collect::<Vec<_>>(),
        ["issued", "renamed", "revoked"]
    );

    let as_of = one[1]["recorded_at"].as_str().unwrap();
    let mut then = lines(&replayed(&world, &["--as-of", as_of]).await.stdout);
    then.pop();
    assert_eq!(positions(&then), (1..=one[1]["position"].as_u64().unwrap()).collect::<Vec<_>>());
    let (from, to) = ((head - 2).to_string(), (head - 1).to_string());
    let mut some = lines(&replayed(&world, &["--from", &from, "--to", &to]).await.stdout);
    some.pop();
    assert_eq!(positions(&some), [head - 2, head - 1]);
}

#[tokio::test]
async fn a_table_is_for_people() {
    let world = World::start().await;
    a_key_comes_and_goes(&world).await;
    let refused = replayed(&world, &["--type", "api_key.revokd"]).await;
    assert_eq!(refused.status.code(), Some(2));
    assert!(complaint(&refused).contains("did you mean api_key.revoked?"), "{}", complaint(&refused));
    let output = replayed(&world, &["--format", "table", "--type", "api_key.revoked"]).await;
    let text = String::from_utf8(output.stdout).unwrap();
    let rows: Vec<_> = text.lines().collect();
    assert_eq!(rows.len(), 2, "{text}");
    assert!(rows[0].contains("POSITION") && rows[1].contains("api_key.revoked"), "{text}");
    assert!(rows[1].contains(&format!("user:{}", world.founder)), "{text}");
}

#[tokio::test]
async fn whoever_reads_may_stop_reading() {
    let world = World::start().await;
    rename_often(&world.node.running.pool, &world.organization, 20_000).await;
    let mut child = replay(&world, &[]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&first).unwrap()["position"], 1);
    let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", complaint(&output));
    assert!(output.stderr.is_empty(), "{}", complaint(&output));
}

#[tokio::test]
async fn where_there_is_no_log_it_says_so_and_makes_none() {
    let data = harness::folder("replay-nothing");
    let mut command = Command::new(sekisho());
    command.env_remove("DATABASE_URL").args(["replay", "--data"]).arg(&data);
    let refused = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(complaint(&refused).contains("there is no log"), "{}", complaint(&refused));
    assert!(!data.exists(), "something was made");
}

#[tokio::test]
async fn an_embedded_log_is_read_while_it_is_served_and_while_it_is_not() {
    let program = harness::Program::start("replay-embedded").await;
    let founding = json!({ "organization": { "slug": "acme", "name": "Acme" }, "owner": { "name": "Ann" } });
    let founder = program.http().with("authorization", &format!("Bearer {}", program.bootstrap_token()));
    founder.post("/v1/bootstrap", &founding).await.good();
    let data = program.data().to_owned();
    let look = move || {
        let mut command = Command::new(sekisho());
        command.env_remove("DATABASE_URL").args(["replay", "--data"]).arg(&data);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", complaint(&output));
        lines(&output.stdout)
    };
    let running = tokio::task::spawn_blocking(look.clone()).await.unwrap();
    assert!(program.stop().await.success());
    let stopped = tokio::task::spawn_blocking(look).await.unwrap();
    assert!(running.len() > 3);
    assert_eq!(running, stopped);
}
