//! Writers that take the append path by SQL: up to a hundred events a transaction, with dawdling before, between and after its steps, and one
//! transaction in ten taken back. Each tells a story of its own, in which nothing is left out and nothing told twice.

use std::time::{Duration, Instant};

use domain::ClaimChange;
use harness::story::{Told, tell_another};
use serde_json::{Value, json};
use sqlx::{Connection as _, Executor as _, PgConnection};

use crate::kill::dice::Dice;

/// The lock that `append_commands` takes first.
const LOCK: &str = "select pg_advisory_xact_lock(7243927510471)";
const EVENTS_MAX: usize = 100;
const COMMANDS_MAX: usize = 4;
const PAUSE_BEFORE_RETRY: Duration = Duration::from_millis(100);

/// One writer.
#[derive(Debug)]
pub(super) struct BulkWriter {
    name: String,
    address: String,
    connection: Option<PgConnection>,
    dice: Dice,
    story: Vec<Told>,
    wrote: Wrote,
}

/// What writers did.
#[derive(Debug, Default)]
pub(super) struct Wrote {
    /// Commands that are in the log, and how many events each has.
    pub(super) commands: Vec<(String, i64)>,
    /// Commands that are not.
    pub(super) taken_back: Vec<String>,
    /// Transactions whose end was not heard of, so that the log had to be asked.
    pub(super) unheard: usize,
}

/// How a transaction went.
enum Ended {
    Committed,
    TakenBack,
}

impl BulkWriter {
    /// A writer of this number of a story of so many events.
    pub(super) fn new(number: usize, events: usize, address: String, dice: Dice) -> Self {
        let story = tell_another(number, events);
        let name = format!("bulk-{number}");
        Self { name, address, connection: None, dice, story, wrote: Wrote::default() }
    }

    /// Tells its story within this time, or later if that cannot be done.
    pub(super) async fn tell_within(mut self, time: Duration) -> Wrote {
        let began = Instant::now();
        let (mut told, mut attempt) = (0, 0);
        while told < self.story.len() {
            let share = u32::try_from(told * 1_000 / self.story.len()).unwrap();
            let due = time * share / 1_000;
            tokio::time::sleep(due.saturating_sub(began.elapsed())).await;
            let end = (told + 1 + self.dice.below(EVENTS_MAX)).min(self.story.len());
            let commands = self.commands(told..end, attempt);
            attempt += 1;
            let ids = commands.iter().map(|(id, events, _)| (id.clone(), *events));
            let ids: Vec<(String, i64)> = ids.collect();
            let batch = Value::Array(commands.into_iter().map(|(_, _, command)| command).collect());
            let ended = match self.append(&batch).await {
                Ok(ended) => ended,
                Err(_) => self.find_out(&ids[0].0).await,
            };
            match ended {
                Ended::Committed => {
                    self.wrote.commands.extend(ids);
                    told = end;
                }
                Ended::TakenBack => self.wrote.taken_back.extend(ids.into_iter().map(|(id, _)| id)),
            }
        }
        self.wrote
    }

    async fn connected(&mut self) -> Result<&mut PgConnection, sqlx::Error> {
        if self.connection.is_none() {
            self.connection = Some(PgConnection::connect(&self.address).await?);
        }
        Ok(self.connection.as_mut().expect("just made"))
    }

    async fn append(&mut self, batch: &Value) -> Result<Ended, sqlx::Error> {
        self.connected().await?;
        let (dice, connection) = (&mut self.dice, self.connection.as_mut().expect("just made"));
        let mut transaction = connection.begin().await?;
        if dice.below(4) == 0 {
            transaction.execute("select pg_current_xact_id()").await?; // an early transaction id: the trap of xmin readers
            dice.wait(0..10).await;
        }
        if dice.below(4) == 0 {
            transaction.execute(LOCK).await?;
            dice.wait(0..5).await;
        }
        let query = "select outcome from append_commands($1) order by ordinal";
        let outcomes: Vec<String> =
            sqlx::query_scalar(query).bind(batch).fetch_all(&mut *transaction).await?;
        assert!(outcomes.iter().all(|outcome| outcome == "ok"), "{}: {outcomes:?}", self.name);
        dice.wait(0..5).await; // everybody else waits for the lock meanwhile
        if dice.below(10) == 0 {
            transaction.rollback().await?;
            return Ok(Ended::TakenBack);
        }
        transaction.commit().await?;
        Ok(Ended::Committed)
    }

    /// Asks the log how a transaction ended. Whoever has the lock knows that no earlier one is still under way.
    async fn find_out(&mut self, command: &str) -> Ended {
        self.wrote.unheard += 1;
        loop {
            self.connection = None;
            match self.look_up(command).await {
                Ok(true) => return Ended::Committed,
                Ok(false) => return Ended::TakenBack,
                Err(_) => tokio::time::sleep(PAUSE_BEFORE_RETRY).await,
            }
        }
    }

    async fn look_up(&mut self, command: &str) -> Result<bool, sqlx::Error> {
        let mut transaction = self.connected().await?.begin().await?;
        transaction.execute(LOCK).await?;
        let query = "select exists (select from commands where command_id = $1)";
        let there = sqlx::query_scalar(query).bind(command).fetch_one(&mut *transaction).await?;
        transaction.rollback().await?;
        Ok(there)
    }

    /// These events as some commands: id, number of events, and what `append_commands` takes.
    fn commands(&mut self, range: std::ops::Range<usize>, attempt: usize) -> Vec<(String, i64, Value)> {
        let length = (range.len() / (1 + self.dice.below(COMMANDS_MAX))).max(1);
        let parts = self.story[range].chunks(length).enumerate();
        parts
            .map(|(part, events)| {
                let id = format!("{}-{attempt}-{part}", self.name);
                let command = command(&id, events);
                (id, i64::try_from(events.len()).unwrap(), command)
            })
            .collect()
    }
}

fn command(id: &str, events: &[Told]) -> Value {
    let mut takes = Vec::new();
    let events: Vec<Value> = events
        .iter()
        .map(|told| {
            let (aggregate_type, event_type, version) = told.fact.name();
            for change in told.fact.claims() {
                // Nothing in these stories is personal, and no name is given back.
                let ClaimChange::Take { scope, value } = change else { continue };
                takes.push(json!({
                    "owner_type": aggregate_type, "owner_id": told.id, "scope": scope.as_str(), "value": value,
                }));
            }
            json!({
                "aggregate_type": aggregate_type, "aggregate_id": told.id, "sequence": told.sequence,
                "event_type": event_type, "event_version": version.to_string(), "payload": told.fact,
                "metadata": {
                    "actor": "test", "organization": told.organization, "command": id, "correlation": id,
                    "occurred_at": "2026-11-22T10:50:00.123456Z",
                },
            })
        })
        .collect();
    json!({ "command_id": id, "request_digest": "", "answer": "", "events": events, "releases": [], "takes": takes })
}
