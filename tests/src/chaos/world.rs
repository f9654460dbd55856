//! Three nodes as an operator would run them, each behind links of its own to one Postgres and one NATS.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use api::adapters::master_key::MasterKeys;
use harness::{Http, Link, Program, Target, Victim, signal};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::kill::dice::Dice;
use crate::kill::ledger::Doors;
use crate::kill::store::Store;

pub(super) const NODES: usize = 3;
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Short enough that a command is often given to a second node while a first one still has it.
const ANSWER_WAIT: Duration = Duration::from_secs(2);
/// How `sekisho serve` ends when it cannot start.
const NOT_STARTED: i32 = 1;

/// A node, started again whenever it ends, as a supervisor would.
#[derive(Debug)]
pub(super) struct Node {
    program: Mutex<Kept>,
    pub(super) url: String,
    pub(super) postgres: Link,
    pub(super) nats: Link,
}

#[derive(Debug)]
struct Kept {
    program: Program,
    /// It was killed, and is not to be started yet.
    down: bool,
    starts: usize,
    /// Ends that nobody brought about and no failed start explains.
    strange_ends: Vec<String>,
}

impl Node {
    async fn start(name: &str, database: &Target, nats: &Url, more: &[(&'static str, String)]) -> Self {
        let postgres = Link::to(database.clone()).await;
        let port = nats.port().expect("a port");
        let nats_link = Link::to(Target::Tcp(([127, 0, 0, 1], port).into())).await;
        let mut nats = nats.clone();
        nats.set_port(Some(nats_link.address().port())).unwrap();
        let mut environment = more.to_vec();
        let address = format!("postgres://sekisho@{}/sekisho?sslmode=disable", postgres.address());
        environment.extend([("DATABASE_URL", address), ("NATS_URL", nats.to_string())]);
        let checkpoints = harness::folder(name).with_extension("checkpoints");
        environment.push(("SEKISHO_CHECKPOINT_FILE", checkpoints.display().to_string()));
        let mut program = Program::launch(name, environment);
        program.answers().await;
        let url = program.url();
        let kept = Kept { program, down: false, starts: 1, strange_ends: Vec::new() };
        Self { program: Mutex::new(kept), url, postgres, nats: nats_link }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.program.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Kills it; it stays down until it is let up.
    pub(super) fn kill(&self) {
        let mut kept = self.kept();
        kept.down = true;
        if kept.program.ended().is_none() {
            signal("KILL", kept.program.process());
        }
    }

    /// Lets it be started again.
    pub(super) fn let_up(&self) {
        self.kept().down = false;
    }

    /// Stops its processor, or lets it go on.
    pub(super) fn signal(&self, name: &str) {
        let mut kept = self.kept();
        if kept.program.ended().is_none() {
            signal(name, kept.program.process());
        }
    }

    /// Where it writes what it did.
    pub(super) fn files(&self) -> [PathBuf; 2] {
        let log = self.kept().program.log();
        [log.with_extension("checkpoints"), log]
    }

    /// How often it was started, and which of its ends nobody can explain.
    pub(super) fn life(&self) -> (usize, Vec<String>) {
        let kept = self.kept();
        (kept.starts, kept.strange_ends.clone())
    }

    fn look_after(&self) {
        let mut kept = self.kept();
        let Some(status) = kept.program.ended() else { return };
        let killed = std::os::unix::process::ExitStatusExt::signal(&status) == Some(9);
        if !killed && status.code() != Some(NOT_STARTED) && !kept.down {
            kept.strange_ends.push(status.to_string());
        }
        if !kept.down {
            kept.program.launch_again();
            kept.starts += 1;
        }
    }
}

/// The nodes and what they stand on.
#[derive(Debug)]
pub(super) struct World {
    pub(super) store: Store,
    pub(super) nodes: Vec<Node>,
    pub(super) organization: String,
    pub(super) admin_key: String,
    pub(super) master_key: String,
}

impl World {
    /// A founded deployment of this name.
    pub(super) async fn start(name: &str) -> Self {
        let store = Store::start(&format!("{name}-store")).await;
        let (database, nats) = store.addresses();
        let (database, nats) = (socket_of(&database), Url::parse(&nats).unwrap());
        let master_key = MasterKeys::generate().unwrap().to_string();
        let more = [("SEKISHO_MASTER_KEY", master_key.clone()), ("SEKISHO_KEY_RATE", "100000".to_owned())];
        let mut nodes = Vec::new();
        for number in 0..NODES {
            nodes.push(Node::start(&format!("{name}-node-{number}"), &database, &nats, &more).await);
        }
        let token = nodes[0].kept().program.bootstrap_token().to_owned();
        let founding =
            json!({ "organization": { "slug": "acme", "name": "Acme" }, "owner": { "name": "Ann" } });
        let http = Http::new(&nodes[0].url).with("authorization", &format!("Bearer {token}"));
        let founded: Value = http.post("/v1/bootstrap", &founding).await.good();
        let text = |name: &str| founded[name].as_str().unwrap().to_owned();
        Self { store, nodes, organization: text("organization_id"), admin_key: text("api_key"), master_key }
    }

    /// The doors of all nodes, with the founder's key.
    pub(super) fn doors(&self) -> Doors {
        let nodes = self.nodes.iter().map(|node| Http::new(&node.url).as_key(&self.admin_key)).collect();
        Doors { nodes, answer_wait: ANSWER_WAIT }
    }

    /// A path in the founded organization.
    pub(super) fn path(&self, rest: &str) -> String {
        format!("/v1/organizations/{}{rest}", self.organization)
    }

    /// Starts nodes that end again until told to stop, but none that is held down.
    pub(super) async fn look_after_nodes(&self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            for node in &self.nodes {
                node.look_after();
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Kills the postmaster and waits until another one serves.
    pub(super) async fn kill_postgres(&self) {
        let killed = self.store.running_postgres().await;
        signal("KILL", killed);
        while self.store.running_postgres().await == killed {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Kills one of the postmaster's processes: a session, or one that writes for all of them.
    pub(super) async fn crash_postgres(&self, dice: &mut Dice) {
        let children = harness::children(self.store.running_postgres().await);
        if !children.is_empty() {
            harness::try_signal("KILL", children[dice.below(children.len())]);
        }
    }

    /// Kills the nats-server, does something to its store before it is started again, and waits until another one serves.
    pub(super) async fn kill_nats(&self, to_store: impl FnOnce(&std::path::Path)) {
        let killed = self.store.running_nats().await;
        signal("STOP", killed); // from here on it writes nothing, and nobody starts another
        to_store(&self.store.folder().join("nats"));
        signal("KILL", killed);
        while self.store.running_nats().await == killed {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Stops the postmaster's processor and that of every session, for so long.
    pub(super) async fn pause_postgres(&self, time: Duration) {
        let postmaster = self.store.running_postgres().await;
        signal("STOP", postmaster); // it makes no more children
        let children = harness::children(postmaster);
        for child in &children {
            harness::try_signal("STOP", *child); // a session may just have ended
        }
        tokio::time::sleep(time).await;
        for process in children.into_iter().chain([postmaster]) {
            harness::try_signal("CONT", process);
        }
    }

    /// Stops the nats-server's processor for so long.
    pub(super) async fn pause_nats(&self, time: Duration) {
        let server = self.store.running_nats().await;
        signal("STOP", server);
        tokio::time::sleep(time).await;
        signal("CONT", server);
    }

    /// Stops everything.
    pub(super) async fn stop(self) {
        for node in self.nodes {
            let mut kept = node.program.into_inner().unwrap_or_else(PoisonError::into_inner);
            kept.program.kill(Victim::Sekisho).await;
        }
        self.store.stop().await;
    }
}

/// The socket behind the address of an embedded Postgres.
fn socket_of(address: &str) -> Target {
    let url = Url::parse(address).unwrap();
    let folder = url.query_pairs().find(|(name, _)| name == "host").expect("a folder of sockets").1;
    Target::Unix(PathBuf::from(folder.into_owned()).join(format!(".s.PGSQL.{}", url.port().unwrap_or(5432))))
}
