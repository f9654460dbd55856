//! The real program under `kill -9`: it, its Postgres or its NATS dies at a random moment of every round, while writers write.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use api::Running;
use api::adapters::master_key::MasterKeys;
use api::adapters::nats;
use api::adapters::personal_data::PersonalData;
use api::config::{MasterKeySource, Store};
use domain::value::Position;
use harness::{Program, Victim};
use projections::LogReader;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::dice::Dice;
use super::equal::{count, head_of_the_dense_log, rows_are_those_of_a_rebuild, the_stream_is_the_log};
use super::ledger::{Acknowledged, Doors, Writer, audit};
use super::store::serving;

const ROUNDS: usize = 20;
const ROUNDS_VARIABLE: &str = "SEKISHO_KILL_ROUNDS";
const WRITERS: usize = 4;
/// A round is over when each writer has been acknowledged so many commands since the kill.
const COMMANDS_AFTER_KILL: u64 = 3;
const PATIENCE: Duration = Duration::from_mins(1);

/// The writers, and how far they are.
struct Writers {
    stop: CancellationToken,
    counts: Vec<Arc<AtomicU64>>,
    tasks: Vec<JoinHandle<Vec<Acknowledged>>>,
}

impl Writers {
    fn start(program: &Program, founded: &Value, dice: &mut Dice) -> Self {
        let text =
            |name: &str| founded[name].as_str().unwrap_or_else(|| panic!("{name} in {founded}")).to_owned();
        let stop = CancellationToken::new();
        let (mut counts, mut tasks) = (Vec::new(), Vec::new());
        for number in 0..WRITERS {
            let http = program.http().as_key(&text("api_key"));
            let writer =
                Writer::new(format!("w{number}"), Doors::of(http), text("organization_id"), dice.others());
            counts.push(writer.count());
            tasks.push(tokio::spawn(writer.write_until(stop.clone())));
        }
        Self { stop, counts, tasks }
    }

    /// Waits until every one of them is served again; a writer that failed fails the test at once.
    async fn all_get_on(&self) {
        let goals: Vec<u64> =
            self.counts.iter().map(|count| count.load(Ordering::Relaxed) + COMMANDS_AFTER_KILL).collect();
        let all = async {
            while self.counts.iter().zip(&goals).any(|(count, goal)| count.load(Ordering::Relaxed) < *goal) {
                assert!(!self.tasks.iter().any(JoinHandle::is_finished), "a writer ended");
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, all).await.expect("the writers are served again after a kill");
    }

    async fn finish(self) -> Vec<Acknowledged> {
        self.stop.cancel();
        let mut acknowledged = Vec::new();
        for task in self.tasks {
            acknowledged.extend(task.await.unwrap());
        }
        acknowledged
    }
}

/// The program's last start is in this process, where its store can be asked.
async fn started_here(data: &Path) -> Running {
    let master_key = MasterKeySource::Generated(data.join("master.key"));
    api::start(serving(Store::Embedded { nats: true }, data, master_key, None)).await.unwrap()
}

/// Log, read models and stream agree; answers the head.
async fn everything_agrees(running: &Running, data: &Path) -> Position {
    let head = head_of_the_dense_log(&running.pool).await;
    timeout(PATIENCE, running.relayed.reached(head)).await.expect("the relay catches up");
    for projection in &running.projections {
        timeout(PATIENCE, projection.reached(head)).await.expect("a projection catches up");
    }
    let key = MasterKeys::parse(&std::fs::read_to_string(data.join("master.key")).unwrap()).unwrap();
    let opener = PersonalData::new(running.pool.clone(), Arc::new(key));
    for projection in projections::all() {
        rows_are_those_of_a_rebuild(&*projection, &running.pool, &opener, head).await;
    }
    let nats = running
        .embedded
        .as_ref()
        .and_then(|embedded| embedded.nats_url())
        .expect("a nats-server: ./test sets it up");
    let client = nats::connect(nats).await.unwrap();
    the_stream_is_the_log(&client, "EVENTS", &LogReader::new(running.pool.clone())).await;
    head
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attack_44_no_acknowledged_command_is_lost_or_done_twice_whatever_is_killed_whenever() {
    let rounds =
        std::env::var(ROUNDS_VARIABLE).map_or(ROUNDS, |text| text.parse().expect("a number of rounds"));
    let mut dice = Dice::thrown_for("kill");
    let mut program = Program::start("killed").await;
    let founding = json!({ "organization": { "slug": "acme", "name": "Acme" }, "owner": { "name": "Ann" } });
    let http = program.http().with("authorization", &format!("Bearer {}", program.bootstrap_token()));
    let founded = http.post("/v1/bootstrap", &founding).await.good();
    let writers = Writers::start(&program, &founded, &mut dice);
    let mut kills: BTreeMap<Victim, usize> = BTreeMap::new();
    for round in 0..rounds {
        // Each at least once; from then on whichever it hits.
        let number = if round < 3 { round } else { dice.below(3) };
        let victim = [Victim::Sekisho, Victim::Postgres, Victim::Nats][number];
        dice.wait(50..900).await;
        program.kill(victim).await;
        *kills.entry(victim).or_default() += 1;
        if victim == Victim::Sekisho {
            dice.wait(0..300).await;
            program.start_again().await;
        }
        writers.all_get_on().await;
    }
    let acknowledged = writers.finish().await;
    let data = program.data().to_owned();
    assert!(program.stop().await.success(), "the program does not end in order");

    let running = started_here(&data).await;
    let head = everything_agrees(&running, &data).await;
    let again = audit(&running.pool, &acknowledged, 1).await;
    let twice = "select payload #>> '{created,slug}' as slug from events where event_type = 'created' and aggregate_type = 'organization'
                 group by 1 having count(*) > 1";
    assert_eq!(count(&running.pool, twice).await, 0, "two organizations have one slug");
    println!(
        "kill: {rounds} rounds {kills:?}; {} commands acknowledged, {again} of them sent more than once; {head} events; \
         0 lost, 0 done twice, read models equal to a rebuild, stream equal to the log",
        acknowledged.len()
    );
    running.stop().await;
}
