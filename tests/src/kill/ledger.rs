//! Writers that write down what was acknowledged to them, and the audit: the log holds exactly that.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use harness::Http;
use hyper::Method;
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use super::dice::Dice;

/// Longer than anything behind the API may take: what takes longer is lost, and asked again.
const ANSWER_WAIT: Duration = Duration::from_secs(30);
/// How long one command may be asked again and again.
const COMMAND_WAIT: Duration = Duration::from_secs(90);
const PAUSE_BEFORE_RETRY: Duration = Duration::from_millis(30);

/// A command that was acknowledged.
#[derive(Debug, Clone)]
pub(crate) struct Acknowledged {
    /// The name it gives, of which there is one in the world.
    mark: String,
    /// What it made or changed.
    id: String,
    /// The position that the answer named.
    position: u64,
    /// How often it was sent until it was answered.
    sent: u64,
}

/// One of several writers at the management API.
#[derive(Debug)]
pub(crate) struct Writer {
    doors: Doors,
    organization: String,
    dice: Dice,
    name: String,
    servers: Vec<String>,
    acknowledged: Vec<Acknowledged>,
    count: Arc<AtomicU64>,
}

struct Command {
    method: Method,
    path: String,
    body: Value,
    /// What it changes; what it makes has its id in the answer.
    changes: Option<String>,
}

impl Writer {
    /// A writer with a name of its own, in this organization, behind these doors.
    pub(crate) fn new(name: String, doors: Doors, organization: String, dice: Dice) -> Self {
        Self {
            doors,
            organization,
            dice,
            name,
            servers: Vec::new(),
            acknowledged: Vec::new(),
            count: Arc::default(),
        }
    }

    /// How many commands were acknowledged so far.
    pub(crate) fn count(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.count)
    }

    /// Writes until it is told to stop; the last command is acknowledged too.
    pub(crate) async fn write_until(mut self, stop: CancellationToken) -> Vec<Acknowledged> {
        while !stop.is_cancelled() {
            let mark = format!("{}-{}", self.name, self.acknowledged.len());
            let command = self.command(&mark);
            self.carry_out(mark, command).await;
            self.dice.wait(2..25).await;
        }
        self.acknowledged
    }

    fn command(&mut self, mark: &str) -> Command {
        let root = format!("/v1/organizations/{}", self.organization);
        let server = json!({ "name": mark, "transport": { "http": { "url": "https://mcp.example.com/mcp" } }, "visibility": "organization" });
        let make = |path: String, body: Value| Command { method: Method::POST, path, body, changes: None };
        let kind = self.dice.below(6);
        match (kind, self.servers.last()) {
            (0, _) => make("/v1/organizations".to_owned(), json!({ "slug": mark, "name": mark })),
            (1, _) => {
                make(format!("{root}/users"), json!({ "name": mark, "email": format!("{mark}@example.com") }))
            }
            (2, Some(known)) => {
                let (path, changes) = (format!("{root}/servers/{known}"), Some(known.clone()));
                Command { method: Method::PUT, path, body: server, changes }
            }
            // Nothing in it is unique: only its key keeps it from happening twice.
            (3 | 4, Some(known)) => {
                make(format!("{root}/connections"), json!({ "server": known, "name": mark }))
            }
            _ => make(format!("{root}/servers"), server),
        }
    }

    async fn carry_out(&mut self, mark: String, command: Command) {
        let Command { method, path, body, changes } = command;
        let (answer, sent) = self.doors.carry_out(&mut self.dice, &mark, &method, &path, &body).await;
        let made = || answer["id"].as_str().unwrap_or_else(|| panic!("no id in {answer}")).to_owned();
        if changes.is_none() && path.ends_with("/servers") {
            self.servers.push(made());
        }
        let position = answer["position"].as_u64().expect("a position");
        self.acknowledged.push(Acknowledged { mark, id: changes.unwrap_or_else(made), position, sent });
        self.count.fetch_add(1, Ordering::Relaxed);
    }
}

/// The nodes that a command may be given to.
#[derive(Debug, Clone)]
pub(crate) struct Doors {
    /// One client for each node.
    pub(crate) nodes: Vec<Http>,
    /// What takes longer is lost, and asked again with twice the patience.
    pub(crate) answer_wait: Duration,
}

impl Doors {
    /// The door of the only node. It is waited for longer than anything behind the API may take.
    pub(crate) fn of(http: Http) -> Self {
        Self { nodes: vec![http], answer_wait: ANSWER_WAIT }
    }

    /// Sends a command under one key, each time through any of the doors, until it is acknowledged; answers how often that was. A lost
    /// connection and a 503 tell nothing; anything else is a mistake.
    pub(crate) async fn carry_out(
        &self,
        dice: &mut Dice,
        mark: &str,
        method: &Method,
        path: &str,
        body: &Value,
    ) -> (Value, u64) {
        let exchange = async {
            let mut patience = self.answer_wait;
            for sent in 1.. {
                let http = self.nodes[dice.below(self.nodes.len())].clone().with("idempotency-key", mark);
                match http.attempt(method.clone(), path, body, patience).await {
                    Ok(answer) if answer.status.as_u16() != 503 => {
                        let text = String::from_utf8_lossy(&answer.bytes);
                        assert!(
                            answer.status.is_success(),
                            "{method} {path} {body} as {mark}, sent {sent} times: {text}"
                        );
                        return (answer.body(), sent);
                    }
                    Ok(_) | Err(_) => tokio::time::sleep(PAUSE_BEFORE_RETRY).await,
                }
                patience = (patience * 2).min(ANSWER_WAIT);
            }
            unreachable!("a command is sent until it is acknowledged")
        };
        let waited = tokio::time::timeout(COMMAND_WAIT, exchange).await;
        waited.unwrap_or_else(|_| panic!("{mark}: {method} {path} was never acknowledged"))
    }
}

/// An event with its command, as the database has them.
#[derive(Debug)]
struct Row {
    position: u64,
    aggregate: String,
    command: String,
    command_position: u64,
}

/// Every acknowledged command is in the log once, where its answer said, and there is nothing else in it but `before` commands from before,
/// and what the server does by its own schedule. Answers how many of them had to be sent again.
pub(crate) async fn audit(pool: &PgPool, acknowledged: &[Acknowledged], before: usize) -> usize {
    let rows: Vec<(i64, String, String, Value, i64)> = sqlx::query_as(
        "select e.global_position, e.aggregate_id, e.command_id, e.payload, c.position
         from events e left join commands c using (command_id)
         where e.metadata ->> 'credential' is distinct from 'schedule' order by e.global_position",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    let others = "select count(*) from commands c where not exists
        (select from events e where e.command_id = c.command_id and e.metadata ->> 'credential' = 'schedule')";
    let commands: i64 = sqlx::query_scalar(others).fetch_one(pool).await.unwrap();
    assert_eq!(
        usize::try_from(commands).unwrap(),
        acknowledged.len() + before,
        "commands in the log, and acknowledged ones"
    );

    let mut by_mark: HashMap<String, Vec<Row>> = HashMap::new();
    let mut last_of_command: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for (position, aggregate, command, payload, command_position) in rows {
        let (position, command_position) = (position.unsigned_abs(), command_position.unsigned_abs());
        last_of_command.insert(command.clone(), (position, command_position));
        let row = Row { position, aggregate: aggregate.clone(), command, command_position };
        // People's names are sealed: theirs is found by the id.
        let mark = name_in(&payload).unwrap_or(aggregate);
        by_mark.entry(mark).or_default().push(row);
    }
    assert_eq!(
        last_of_command.len(),
        acknowledged.len() + before,
        "commands with events, and acknowledged ones"
    );
    for (command, (last, position)) in &last_of_command {
        assert_eq!(last, position, "command {command} does not end where it says");
    }
    let mut commands: Vec<&str> = Vec::with_capacity(acknowledged.len());
    for one in acknowledged {
        let rows = by_mark.get(&one.mark).or_else(|| by_mark.get(&one.id));
        let rows = rows.unwrap_or_else(|| panic!("acknowledged and lost: {one:?}"));
        // One command may give the same name to several things, such as a team and its first key.
        let done: BTreeSet<&str> = rows.iter().map(|row| row.command.as_str()).collect();
        let own: Vec<&Row> = rows.iter().filter(|row| row.aggregate == one.id).collect();
        assert!(done.len() == 1 && own.len() == 1, "acknowledged once and not done once: {one:?}: {rows:?}");
        let row = own[0];
        assert_eq!(row.command_position, one.position, "{one:?}: {row:?}");
        assert!(row.position <= one.position, "{one:?}: {row:?}");
        commands.push(&row.command);
    }
    commands.sort_unstable();
    commands.dedup();
    assert_eq!(commands.len(), acknowledged.len(), "two acknowledged commands are one in the log");
    acknowledged.iter().filter(|one| one.sent > 1).count()
}

/// The name that an event gives, in clear.
fn name_in(payload: &Value) -> Option<String> {
    let fields = payload.as_object()?.values().next()?;
    fields["name"].as_str().map(str::to_owned)
}
