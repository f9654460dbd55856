//! A writer that appends to the log directly: teams that come into being and change their names, one transaction in ten taken back.

use std::fmt::Display;

use domain::event::Event;
use domain::organization::{OrganizationEvent, OrganizationKind};
use domain::value::{DisplayName, Position, Slug};
use projections::Doorbell;
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::dice::Dice;

/// One of several writers. Each tells of teams of its own.
#[derive(Debug)]
pub(crate) struct Storyteller {
    pool: PgPool,
    dice: Dice,
    number: usize,
    /// How many events each of its teams has.
    teams: Vec<i64>,
    attempts: usize,
    told: Told,
}

/// What a writer did.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Told {
    pub(crate) transactions: usize,
    pub(crate) rolled_back: usize,
    pub(crate) events: u64,
}

impl Storyteller {
    /// A writer; `number` tells it from the others on the same log.
    pub(crate) fn new(number: usize, pool: PgPool, dice: Dice) -> Self {
        Self { pool, dice, number, teams: Vec::new(), attempts: 0, told: Told::default() }
    }

    /// Writes until it is told to stop, ringing after each commit.
    pub(crate) async fn tell_until(mut self, stop: CancellationToken, bell: Doorbell) -> Told {
        while !stop.is_cancelled() {
            bell.ring(self.tell().await);
            self.dice.wait(5..40).await;
        }
        self.told
    }

    /// One transaction of two commands: a new team, and another name for an old one. Answers where it ended, or the start when it
    /// was taken back.
    pub(crate) async fn tell(&mut self) -> Position {
        let new = self.teams.len();
        let mut commands = vec![self.command(new, 0, &[self.founded(new), self.renamed(new)])];
        let old = (new > 0).then(|| self.dice.below(new));
        if let Some(old) = old {
            commands.push(self.command(old, self.teams[old], &[self.renamed(old)]));
        }
        self.attempts += 1;
        let mut transaction = self.pool.begin().await.unwrap();
        let outcomes: Vec<(String, i64)> =
            sqlx::query_as("select outcome, position_last from append_commands($1) order by ordinal")
                .bind(Value::Array(commands))
                .fetch_all(&mut *transaction)
                .await
                .unwrap();
        assert!(outcomes.iter().all(|(outcome, _)| outcome == "ok"), "{outcomes:?}");
        self.dice.wait(0..3).await; // the others wait for the lock meanwhile
        if self.dice.below(10) == 0 {
            transaction.rollback().await.unwrap();
            self.told.rolled_back += 1;
            return Position::START;
        }
        transaction.commit().await.unwrap();
        self.teams.push(2);
        self.told.events += 2;
        if let Some(old) = old {
            self.teams[old] += 1;
            self.told.events += 1;
        }
        self.told.transactions += 1;
        Position::new(outcomes.last().unwrap().1.unsigned_abs())
    }

    fn founded(&self, team: usize) -> Event {
        let (kind, slug) = (OrganizationKind::Team, format!("team-{}-{team}", self.number));
        OrganizationEvent::Created { kind, slug: Slug::parse(&slug).unwrap(), name: name(&slug) }.into()
    }

    fn renamed(&self, team: usize) -> Event {
        OrganizationEvent::Renamed { name: name(format!("Team {team}, attempt {}", self.attempts)) }.into()
    }

    fn command(&self, team: usize, after: i64, events: &[Event]) -> Value {
        let id = Uuid::from_u128(((self.number as u128) << 64) | team as u128);
        let command = format!("{}-{}-{team}", self.number, self.attempts);
        let metadata = json!({
            "actor": "test", "organization": id, "command": command, "occurred_at": "2026-03-01T00:00:00.000001Z",
        });
        let events: Vec<Value> = (after + 1..)
            .zip(events)
            .map(|(sequence, event)| {
                let (aggregate_type, event_type, version) = event.name();
                json!({
                    "aggregate_type": aggregate_type, "aggregate_id": id, "sequence": sequence, "event_type": event_type,
                    "event_version": version.to_string(), "payload": event, "metadata": metadata,
                })
            })
            .collect();
        json!({ "command_id": command, "request_digest": "", "answer": "", "events": events, "releases": [], "takes": [] })
    }
}

fn name(text: impl Display) -> DisplayName {
    DisplayName::parse(&text.to_string()).unwrap()
}
