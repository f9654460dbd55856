//! Records of calls under `kill -9`: none is there twice, and only what was in the memory of a killed program is lacking, which is told.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use api::adapters::nats;
use api::config::{MasterKeySource, Store};
use async_nats::jetstream;
use harness::{Http, Program, Scripted, ScriptedUpstream, Victim};
use hyper::Method;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::dice::Dice;
use super::store::serving;

const ROUNDS: usize = 9;
const CALLERS: usize = 3;
const CALLS_AFTER_KILL: u64 = 20;
const PATIENCE: Duration = Duration::from_mins(2);
const ANSWER_WAIT: Duration = Duration::from_secs(10);

/// A call that was answered, by the tool's name that is its own, in the order of its caller.
#[derive(Debug)]
struct Answered {
    tool: String,
    /// Which run of the program answered.
    run: u64,
}

/// Somebody who calls as fast as they are answered.
struct Caller {
    http: Http,
    path: String,
    name: String,
    run: Arc<AtomicU64>,
    answered: Arc<AtomicU64>,
}

impl Caller {
    async fn call_until(self, stop: CancellationToken) -> Vec<Answered> {
        let mut all = Vec::new();
        let mut number = 0;
        while !stop.is_cancelled() {
            number += 1;
            let tool = format!("{}-{number}", self.name);
            let call =
                json!({ "jsonrpc": "2.0", "id": number, "method": "tools/call", "params": { "name": tool } });
            let run = self.run.load(Ordering::Acquire);
            match self.http.attempt(Method::POST, &self.path, &call, ANSWER_WAIT).await {
                // In a run that has ended since, nobody can tell whether the answer still was of that one.
                Ok(answer) if answer.status == 200 && run == self.run.load(Ordering::Acquire) => {
                    all.push(Answered { tool, run });
                    self.answered.fetch_add(1, Ordering::Relaxed);
                    sleep(Duration::from_millis(5)).await; // a key may call only so often
                }
                Ok(_) | Err(_) => sleep(Duration::from_millis(5)).await,
            }
        }
        all
    }
}

/// The callers, and how far they are.
struct Callers {
    stop: CancellationToken,
    run: Arc<AtomicU64>,
    counts: Vec<Arc<AtomicU64>>,
    tasks: Vec<JoinHandle<Vec<Answered>>>,
}

impl Callers {
    fn start(program: &Program, key: &str, instance: &str) -> Self {
        let (stop, run) = (CancellationToken::new(), Arc::<AtomicU64>::default());
        let (mut counts, mut tasks) = (Vec::new(), Vec::new());
        for number in 0..CALLERS {
            let caller = Caller {
                http: program.http().as_key(key),
                path: format!("/mcp/{instance}"),
                name: format!("c{number}"),
                run: Arc::clone(&run),
                answered: Arc::default(),
            };
            counts.push(Arc::clone(&caller.answered));
            tasks.push(tokio::spawn(caller.call_until(stop.clone())));
        }
        Self { stop, run, counts, tasks }
    }

    async fn all_get_on(&self) {
        let goals: Vec<u64> =
            self.counts.iter().map(|count| count.load(Ordering::Relaxed) + CALLS_AFTER_KILL).collect();
        let all = async {
            while self.counts.iter().zip(&goals).any(|(count, goal)| count.load(Ordering::Relaxed) < *goal) {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, all).await.expect("the callers are answered again after a kill");
    }

    async fn finish(self) -> Vec<Vec<Answered>> {
        self.stop.cancel();
        let mut answered = Vec::new();
        for task in self.tasks {
            answered.push(task.await.unwrap());
        }
        answered
    }
}

/// Founds the deployment; answers a key and an instance in front of the upstream.
async fn founded(program: &Program, upstream: &Url) -> (String, String) {
    let founding = json!({ "organization": { "slug": "acme", "name": "Acme" }, "owner": { "name": "Ann" } });
    let http = program.http().with("authorization", &format!("Bearer {}", program.bootstrap_token()));
    let founded = http.post("/v1/bootstrap", &founding).await.good();
    let text = |value: &Value, name: &str| value[name].as_str().expect(name).to_owned();
    let organization = text(&founded, "organization_id");
    let admin = program.http().as_key(&text(&founded, "api_key"));
    let made = async |what: &str, body: Value| {
        let path = format!("/v1/organizations/{organization}/{what}");
        admin.post(&path, &body).await.good()
    };
    let transport = json!({ "http": { "url": upstream } });
    let server = json!({ "name": "Up", "transport": transport, "credential_fields": [], "visibility": "organization" });
    let server = text(&made("servers", server).await, "id");
    let connection = text(&made("connections", json!({ "server": server, "name": "Up" })).await, "id");
    let instance =
        json!({ "name": "Up", "connections": [connection], "tools": "all", "authentication": "api_key" });
    let instance = text(&made("instances", instance).await, "id");
    let key =
        made("api-keys", json!({ "name": "A key", "scopes": ["mcp:write"], "instance": instance })).await;
    (text(&key, "api_key"), instance)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_record_is_there_twice_and_only_what_a_killed_program_still_held_is_lacking() {
    let mut dice = Dice::thrown_for("records");
    let upstream = ScriptedUpstream::start(Scripted::Tools(Vec::new())).await;
    let mut program = Program::start("killed-records").await;
    let (key, instance) = founded(&program, &upstream.url).await;
    let callers = Callers::start(&program, &key, &instance);
    let mut kills: BTreeMap<Victim, u64> = BTreeMap::new();
    for round in 0..ROUNDS {
        let number = if round < 3 { round } else { dice.below(3) };
        let victim = [Victim::Nats, Victim::Postgres, Victim::Sekisho][number];
        dice.wait(50..900).await;
        if victim == Victim::Sekisho {
            callers.run.fetch_add(1, Ordering::AcqRel); // what is answered around the kill is of no run
        }
        program.kill(victim).await;
        *kills.entry(victim).or_default() += 1;
        if victim == Victim::Sekisho {
            program.start_again().await;
            callers.run.fetch_add(1, Ordering::AcqRel);
        }
        callers.all_get_on().await;
    }
    let last_run = callers.run.load(Ordering::Acquire);
    let answered = callers.finish().await;
    let data = program.data().to_owned();
    assert!(program.stop().await.success(), "the program does not end in order");

    let master_key = MasterKeySource::Generated(data.join("master.key"));
    let running = api::start(serving(Store::Embedded { nats: true }, &data, master_key, None)).await.unwrap();
    let url = running.embedded.as_ref().and_then(|embedded| embedded.nats_url()).unwrap();
    let context = jetstream::new(nats::connect(url).await.unwrap());
    let everything_came = async {
        while context.get_stream("EVENTS_CALLS").await.unwrap().cached_info().state.messages > 0 {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, everything_came).await.expect("what is in the stream comes into the tables");

    let recorded: Vec<(String,)> = sqlx::query_as("select tool from calls where tool is not null")
        .fetch_all(&running.pool)
        .await
        .unwrap();
    let mut times: HashMap<&str, usize> = HashMap::new();
    for (tool,) in &recorded {
        *times.entry(tool).or_default() += 1;
    }
    let twice: Vec<_> = times.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.is_empty(), "recorded more than once: {twice:?}");
    let mut lacking = 0;
    for calls in &answered {
        // A run hands its records on in order: once one is lacking, all that its caller was answered later in that run are.
        let mut ends: HashSet<u64> = HashSet::new();
        for call in calls {
            if times.contains_key(call.tool.as_str()) {
                assert!(!ends.contains(&call.run), "a hole before {call:?}");
            } else {
                assert_ne!(call.run, last_run, "{call:?} is lacking, and its run ended in order");
                ends.insert(call.run);
                lacking += 1;
            }
        }
    }
    let killed = kills.get(&Victim::Sekisho).copied().unwrap_or_default();
    let (told,): (i64,) =
        sqlx::query_as("select count(*) from call_nodes where ended_at is null and node_id <> $1")
            .bind(running.calls.as_ref().unwrap().node())
            .fetch_one(&running.pool)
            .await
            .unwrap();
    assert_eq!(told.unsigned_abs(), killed, "each killed run is told as one that never said that it ended");
    println!(
        "records: {ROUNDS} rounds {kills:?}; {} calls answered, {} recorded, 0 twice; {lacking} lacking, all of them at the end of a \
         killed run",
        answered.iter().map(Vec::len).sum::<usize>(),
        recorded.len()
    );
    running.stop().await;
}
