//! The account by which consumers on this machine read the stream of an embedded store: it reads that, changes nothing, and outlives a restart.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use api::adapters::nats;
use async_nats::{ConnectOptions, jetstream};
use harness::{Program, Victim, sekisho};
use url::Url;

use super::consumer::{nats_url, reader_file};

/// What the file sets.
fn told(program: &Program) -> (Url, String) {
    let text = fs::read_to_string(reader_file(program)).expect("it is there while the program serves");
    let after =
        |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).expect("it is set").to_owned();
    (after("NATS_URL=").parse().expect("an address"), after("NATS_INBOX_PREFIX="))
}

async fn reader(program: &Program) -> async_nats::Client {
    let (url, inbox) = told(program);
    let password = url.password().expect("a password").to_owned();
    let options = ConnectOptions::with_user_and_password(url.username().to_owned(), password);
    let address = format!("{}:{}", url.host_str().expect("a host"), url.port().expect("a port"));
    options
        .custom_inbox_prefix(inbox)
        .request_timeout(Some(Duration::from_secs(2)))
        .connect(address)
        .await
        .unwrap()
}

/// A command of the program on its data folder, to its end.
async fn run(program: &Program, arguments: &[&str]) -> (Option<i32>, String) {
    run_with(program, arguments, None).await
}

async fn run_with(program: &Program, arguments: &[&str], nats: Option<&str>) -> (Option<i32>, String) {
    let mut command = Command::new(sekisho());
    command.env_clear().args(arguments).arg("--data").arg(program.data()).stdin(Stdio::null());
    for name in ["PATH", "SEKISHO_CACHE", "SEKISHO_SERVICE_USER", "SEKISHO_POSTGRES_BIN"] {
        command.envs(std::env::var_os(name).map(|value| (name, value)));
    }
    command.envs(nats.map(|address| ("NATS_URL", address)));
    let output = tokio::task::spawn_blocking(move || command.output().expect("it runs")).await.unwrap();
    let said = [&output.stdout[..], &output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

#[tokio::test]
async fn it_reads_the_stream_and_neither_publishes_nor_reads_anything_else() {
    let program = Program::start("reader").await;
    assert_eq!(fs::metadata(reader_file(&program)).unwrap().mode() & 0o777, 0o600);
    let owner = jetstream::new(nats::connect(&nats_url(&program)).await.unwrap());
    owner
        .create_stream(jetstream::stream::Config {
            name: "OTHER".to_owned(),
            subjects: vec!["other.>".to_owned()],
            ..Default::default()
        })
        .await
        .unwrap();

    let context = jetstream::new(reader(&program).await);
    assert!(context.get_stream("OTHER").await.is_err(), "another stream");
    assert!(context.delete_stream("EVENTS").await.is_err());
    for subject in ["events.organization._.x.founded", "other.x", "events-watermark"] {
        let published = context.publish(subject, "forged".into()).await.expect("it is sent");
        assert!(published.await.is_err(), "{subject} takes what a reader says");
    }
    assert_eq!(owner.get_stream("OTHER").await.unwrap().cached_info().state.messages, 0);

    let mut stream = context.get_stream("EVENTS").await.expect("it may look at the stream");
    let first = stream.info().await.expect("again").state.messages;
    assert_eq!(owner.get_stream("EVENTS").await.unwrap().cached_info().state.messages, first);
}

#[tokio::test]
async fn it_is_the_same_after_a_restart() {
    let mut program = Program::start("reader-again").await;
    let before = fs::read_to_string(reader_file(&program)).unwrap();
    program.kill(Victim::Sekisho).await;
    program.start_again().await;
    assert_eq!(fs::read_to_string(reader_file(&program)).unwrap(), before);
    reader(&program).await;
}

#[tokio::test]
async fn doctor_names_it_and_the_commands_of_the_relay_look_at_the_store_that_is_served() {
    let mut program = Program::start("reader-found").await;
    let file = reader_file(&program).display().to_string();
    let (code, said) = run_with(&program, &["relay", "status"], Some("nats://127.0.0.1:1")).await;
    assert_eq!((code, said.contains("NATS_URL is set but DATABASE_URL is not")), (Some(2), true), "{said}");
    for served in [true, false] {
        if !served {
            program.kill(Victim::Sekisho).await;
        }
        let (code, said) = run(&program, &["doctor"]).await;
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains(&file) && said.contains("ok    nats"), "{said}");
        let (code, said) = run(&program, &["relay", "backfill"]).await;
        assert_eq!(code, Some(0), "{said}");
        let (code, said) = run(&program, &["relay", "status"]).await;
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("the stream EVENTS holds events up to"), "{said}");
    }
}
