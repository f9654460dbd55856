//! What the answer to the founding says is left to do, does it.

use std::io::Write as _;
use std::process::Stdio;

use harness::Program;
use serde_json::json;

use super::{command, text};

#[tokio::test]
async fn the_founder_gets_a_password_by_the_command_that_the_answer_names() {
    let program = Program::start("founder").await;
    let founding = json!({ "organization": { "slug": "acme", "name": "Acme" }, "owner": { "name": "Ann", "email": "ann@example.com" } });
    let bootstrap = program.http().with("authorization", &format!("Bearer {}", program.bootstrap_token()));
    let founded = bootstrap.post("/v1/bootstrap", &founding).await.good();
    let told = founded["sign_in"].as_str().expect("it says what is left to do");
    let line = told.split('`').nth(1).expect("a command").strip_prefix("sekisho ").expect("of ours");
    let arguments: Vec<&str> = line.split(' ').collect();

    let mut set = command(&arguments);
    set.arg("--data").arg(program.data()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut set = set.spawn().expect("the program runs");
    set.stdin.take().unwrap().write_all(b"a password that nobody guesses\n").unwrap();
    let set = tokio::task::spawn_blocking(move || set.wait_with_output().unwrap()).await.unwrap();
    assert_eq!(set.status.code(), Some(0), "{}", text(&set.stderr));
    assert!(text(&set.stdout).contains(founded["user_id"].as_str().unwrap()), "{}", text(&set.stdout));
}
