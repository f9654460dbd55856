//! What must be true when all is well again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use api::adapters::master_key::MasterKeys;
use api::adapters::nats;
use api::adapters::personal_data::PersonalData;
use domain::ClaimChange;
use domain::value::Position;
use harness::Http;
use hyper::Method;
use projections::LogReader;
use projections::freshness::STALENESS_MAX_DEFAULT;
use serde_json::Value;
use sqlx::PgPool;
use tokio::time::{sleep, timeout};

use super::checkpoints;
use super::people::Key;
use super::revocation::{Observed, call};
use super::run::{Account, PATIENCE};
use super::seen::Seen;
use super::trouble::Diary;
use super::world::{NODES, World};
use crate::kill::equal::{rows_are_those_of_a_rebuild, the_stream_is_the_log, the_stream_reaches};
use crate::kill::ledger::audit;

const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Long after the last trouble: a call that takes longer hangs.
const ANSWER_WAIT: Duration = Duration::from_secs(20);
/// How many of the revoked keys are tried at the end.
const REVOKED_SAMPLE: usize = 8;

/// Waits until every node shows everything up to the head, and a checkpoint of all of it.
pub(super) async fn everybody_is_at(world: &World, head: Position) {
    for node in world.doors().nodes {
        let path = "/readyz";
        loop {
            let answer = node.attempt(Method::GET, path, &Value::Null, ANSWER_WAIT).await;
            if let Ok(answer) = answer
                && answer.status.is_success()
            {
                let body = answer.body();
                let readers = body["readers"].as_array().unwrap();
                let level = readers.iter().all(|reader| reader["lag_events"] == 0);
                if level && body["position"] == head.get() {
                    break;
                }
            }
            sleep(LOOK_EVERY).await;
        }
        loop {
            let path = "/.well-known/sekisho/checkpoint";
            let answer = node.attempt(Method::GET, path, &Value::Null, ANSWER_WAIT).await;
            let text = answer.map(|answer| String::from_utf8_lossy(&answer.bytes).into_owned());
            if text.is_ok_and(|text| text.lines().nth(1) == Some(&head.to_string())) {
                break;
            }
            sleep(LOOK_EVERY).await;
        }
    }
}

/// Everything that this is about. The head was found without a hole below it.
pub(super) async fn judge(world: &World, pool: &PgPool, account: &Account, diary: &Diary, name: &str) {
    for (number, node) in world.nodes.iter().enumerate() {
        assert_eq!(node.life().1, Vec::<String>::new(), "node {number} ended by itself");
    }
    let again = the_commands_are_those_acknowledged(pool, account).await;
    let log = LogReader::new(pool.clone());
    let seen = Seen::in_log(&log).await;
    for (number, (follower, _)) in account.followers.iter().enumerate() {
        follower.must_be(&seen, &format!("follower {number}"));
    }
    account.consumer.0.must_be(&seen, "the consumer");
    diary.note("the commands are those acknowledged, and every reader saw the log");
    the_claims_are_those_of_the_log(pool, &log).await;
    the_read_models_are_those_of_a_rebuild(world, pool, account.head).await;
    let client = nats::connect(&world.store.addresses().1).await.unwrap();
    let stream = &world.store.relay.stream;
    timeout(PATIENCE, the_stream_reaches(&client, stream, account.head)).await.expect("the relay catches up");
    the_stream_is_the_log(&client, stream, &log).await;
    diary.note("read models and stream are what the log makes of them");
    let judged = every_node_judges_as_the_log_says(world, account).await;
    diary.note("every node judges as the log says");
    every_checkpoint_is_of_this_log(world, account, name).await;
    diary.note("every checkpoint is of this log");
    let records = every_record_is_there_once(pool).await;
    let Observed { longest_service, refused } = account.observed;
    assert!(
        longest_service <= STALENESS_MAX_DEFAULT,
        "a key was served {longest_service:?} after its revocation was acknowledged"
    );
    assert!(refused > 0, "of {} revoked keys nobody saw one refused", account.revoked.len());
    println!("{}; {records} calls recorded", told(world, account, name, again, judged));
}

/// Answers how many commands at the API had to be sent again.
async fn the_commands_are_those_acknowledged(pool: &PgPool, account: &Account) -> usize {
    let wrote = account.bulk.iter().flat_map(|wrote| wrote.commands.iter().cloned());
    let wrote: BTreeMap<String, i64> = wrote.collect();
    let query = "select e.command_id, count(*) from events e join commands c using (command_id)
                 where e.command_id like 'bulk-%' group by 1";
    let found: Vec<(String, i64)> = sqlx::query_as(query).fetch_all(pool).await.unwrap();
    let found: BTreeMap<String, i64> = found.into_iter().collect();
    for command in account.bulk.iter().flat_map(|wrote| &wrote.taken_back) {
        assert!(!found.contains_key(command), "{command} was taken back, and is in the log");
    }
    assert!(found == wrote, "what the writers committed is not what the log holds");
    // The founding, what made the cast, every change of what they may, an issue and a revocation for each short-lived key.
    let others = 1 + account.commands_of_cast + account.changes + 2 * account.revoked.len() + wrote.len();
    audit(pool, &account.acknowledged, others).await
}

/// Each name has the owner that the log gives it. Those of people are kept as digests, and left to the audit of commands.
async fn the_claims_are_those_of_the_log(pool: &PgPool, log: &LogReader) {
    let mut claims = BTreeMap::new();
    let mut pages = log.pages::<()>(Position::START);
    loop {
        let page = pages.next().await.unwrap();
        if page.is_empty() {
            break;
        }
        for event in &page {
            let owner = (event.aggregate_type.to_string(), event.aggregate_id.clone());
            for change in event.decode().unwrap().claims() {
                match change {
                    ClaimChange::Take { scope, .. }
                    | ClaimChange::Release { scope }
                    | ClaimChange::ReleaseOne { scope, .. }
                        if scope.is_personal() => {}
                    ClaimChange::Take { scope, value } => {
                        let held = claims.insert((scope.as_str().to_owned(), value), owner.clone());
                        assert!(held.is_none(), "{owner:?} took {scope:?} of {held:?}");
                    }
                    ClaimChange::ReleaseOne { scope, value } => {
                        claims.remove(&(scope.as_str().to_owned(), value));
                    }
                    ClaimChange::Release { scope } => {
                        claims.retain(|(of, _), holder| of != scope.as_str() || *holder != owner);
                    }
                }
            }
        }
    }
    let query =
        "select scope, value, owner_type, owner_id from claims where scope not in ('email', 'identity')";
    let held: Vec<(String, String, String, String)> = sqlx::query_as(query).fetch_all(pool).await.unwrap();
    let held: BTreeMap<_, _> =
        held.into_iter().map(|(scope, value, owner, id)| ((scope, value), (owner, id))).collect();
    assert!(held == claims, "the names that are held are not those that the log gave");
}

async fn the_read_models_are_those_of_a_rebuild(world: &World, pool: &PgPool, head: Position) {
    let master = Arc::new(MasterKeys::parse(&world.master_key).unwrap());
    let opener = PersonalData::new(pool.clone(), master);
    for projection in projections::all() {
        rows_are_those_of_a_rebuild(&*projection, pool, &opener, head).await;
    }
}

/// Each node is asked with each key for each tool of each instance, and answers what an explanation as of the head says. Answers how many
/// calls that were.
async fn every_node_judges_as_the_log_says(world: &World, account: &Account) -> usize {
    let doors = world.doors();
    let revoked = account.revoked.iter().rev().take(REVOKED_SAMPLE);
    let mut calls = 0;
    for key in account.cast.keys.iter().chain(revoked) {
        for instance in &account.cast.instances {
            for tool in ["echo", "grep"] {
                let path = format!(
                    "/v1/authz/explain?principal={}&instance={instance}&tool={tool}&at={}",
                    key.id, account.head
                );
                // Whichever node explains: it reads the log, and so says the same as any other.
                let explained =
                    doors.nodes[calls / NODES % NODES].attempt(Method::GET, &path, &Value::Null, ANSWER_WAIT);
                let explained = explained.await.unwrap().good();
                for node in &world.nodes {
                    let said = said(&node.url, key, instance, tool).await;
                    assert_eq!(said, explained["reason"], "{} on {tool} at {instance}: {explained}", key.id);
                    calls += 1;
                }
            }
        }
    }
    calls
}

/// The reason of a refusal, or null.
async fn said(url: &str, key: &Key, instance: &str, tool: &str) -> Value {
    let http = Http::new(url).as_key(&key.text);
    let path = format!("/mcp/{instance}");
    let answer = http.attempt(Method::POST, &path, &call(tool), ANSWER_WAIT).await;
    answer.unwrap().body()["error"]["data"]["reason"].clone()
}

async fn every_checkpoint_is_of_this_log(world: &World, account: &Account, name: &str) {
    let witness = harness::folder(name).with_extension("witness");
    checkpoints::write_down(&account.notes, &witness);
    let files = world.nodes.iter().map(|node| node.files()[0].clone());
    let files: Vec<_> = files.chain([witness]).collect();
    let (node, path) = (&world.doors().nodes[0], "/.well-known/sekisho/checkpoint-key");
    let key = node.attempt(Method::GET, path, &Value::Null, ANSWER_WAIT).await.unwrap();
    let key = String::from_utf8_lossy(&key.bytes).trim().to_owned();
    let (database, head) = (world.store.addresses().0, account.head.get());
    let verify = move || checkpoints::the_log_is_what_was_signed(&database, &key, &files, head);
    tokio::task::spawn_blocking(verify).await.unwrap();
}

fn told(world: &World, account: &Account, name: &str, again: usize, judged: usize) -> String {
    let starts: usize = world.nodes.iter().map(|node| node.life().0).sum();
    let commands: usize = account.bulk.iter().map(|wrote| wrote.commands.len()).sum();
    let taken_back: usize = account.bulk.iter().map(|wrote| wrote.taken_back.len()).sum();
    let unheard: usize = account.bulk.iter().map(|wrote| wrote.unheard).sum();
    let connections: usize = account.followers.iter().map(|(_, connections)| connections).sum();
    let (_, asked, known) = &account.consumer;
    format!(
        "{name}: {} events; {} troubles, nodes started {starts} times; {commands} commands past the API, {taken_back} taken back, {unheard} \
         transactions unheard of; {} commands at the API, {again} of them sent again, {} changes of permissions, {} keys revoked; followers \
         connected {connections} times, the consumer {asked} times with {known} messages met again; {} checkpoints witnessed; {judged} calls \
         judged; 0 missed, 0 twice, 0 out of order; longest service after a revocation: {:?}",
        account.head,
        account.troubles,
        account.acknowledged.len(),
        account.changes,
        account.revoked.len(),
        account.notes.len(),
        account.observed.longest_service,
    )
}

/// What arrived of the records of calls arrived once, whichever way it took and whoever died on it: what nodes numbered and what is there agree. Numbers
/// that did not arrive are holes between runs, which every answer about calls tells of.
async fn every_record_is_there_once(pool: &PgPool) -> i64 {
    let (records, drops, numbered, twice): (i64, i64, i64, i64) = sqlx::query_as(
        "select (select count(*) from calls), (select count(*) from call_drops),
                (select coalesce(sum(last - first + 1), 0)::bigint from call_runs),
                (select count(*) from (select from calls group by node_id, number having count(*) > 1) t)",
    )
    .fetch_one(pool)
    .await
    .unwrap();
    assert_eq!((records + drops, twice), (numbered, 0), "records and drops, and those that are there twice");
    assert!(records > 0, "no call was recorded");
    records
}
