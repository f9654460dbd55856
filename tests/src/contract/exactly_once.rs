//! Killed at random moments while writers write, NATS restarted, the stream deleted: the copy is the log.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use api::adapters::nats;
use async_nats::jetstream;
use harness::{Http, Program, Victim, sekisho};
use serde_json::{Value, json};

use super::consumer::{Consumer, nats_url, reader_file, rows};
use crate::kill::dice::Dice;

const KILLS: usize = 12;
const WRITERS: usize = 2;
const DEADLINE: Duration = Duration::from_mins(2);

/// Writes until it is told to stop.
async fn write(admin: Http, writer: usize, stop: Arc<AtomicBool>) {
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        let team = json!({ "slug": format!("team-{writer}-{number}"), "name": "Team" });
        admin.post("/v1/organizations", &team).await.good();
        number += 1;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The log as an auditor reads it, in the shape of the copy.
fn log(data: &Path) -> Vec<Value> {
    let mut replay = Command::new(sekisho());
    replay.env_clear().args(["replay", "--data"]).arg(data).stdin(Stdio::null());
    let output = replay.output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    let events = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let rows = events.filter(|event| event.get("position").is_some() && event.get("payload").is_some());
    rows.map(|event| {
        let names = ["position", "aggregate", "id", "sequence", "type", "version", "payload"];
        Value::from(names.map(|name| event[name].clone()).to_vec())
    })
    .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attack_44_the_copy_is_the_log_however_often_the_consumer_is_killed_and_the_stream_is_lost() {
    let mut program = Program::start("contract").await;
    let founding = json!({ "organization": { "slug": "acme", "name": "Acme" }, "owner": { "name": "Ann", "email": "ann@example.com" } });
    let bearer = format!("Bearer {}", program.bootstrap_token());
    let founded = program.http().with("authorization", &bearer).post("/v1/bootstrap", &founding).await.good();
    let admin = program.http().as_key(founded["api_key"].as_str().unwrap());
    let (nats_url, copy) = (nats_url(&program), program.data().with_extension("sqlite"));
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> =
        (0..WRITERS).map(|writer| tokio::spawn(write(admin.clone(), writer, Arc::clone(&stop)))).collect();

    let mut dice = Dice::thrown_for("contract");
    for round in 0..KILLS {
        let consumer = Consumer::start(&reader_file(&program), &copy);
        dice.wait(300..1500).await;
        if round == KILLS / 3 {
            program.kill(Victim::Nats).await;
            dice.wait(200..1000).await;
        }
        if round == 2 * KILLS / 3 {
            let client = nats::connect(&nats_url).await.expect("NATS answers");
            jetstream::new(client).delete_stream("EVENTS").await.expect("there is a stream");
            dice.wait(200..2000).await;
        }
        consumer.kill();
    }
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.expect("every write is answered");
    }

    let consumer = Consumer::start(&reader_file(&program), &copy);
    let expected = log(program.data());
    assert!(expected.len() > 100, "only {} events", expected.len());
    let patience = Instant::now() + DEADLINE;
    while rows(&copy).len() < expected.len() {
        assert!(Instant::now() < patience, "{} of {} events are copied", rows(&copy).len(), expected.len());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    consumer.kill();
    let copied: Vec<Value> = rows(&copy).iter().map(|row| serde_json::from_str(row).expect("JSON")).collect();
    assert_eq!(copied, expected);
    program.stop().await;
}
