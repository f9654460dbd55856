//! The log in memory, as strict as the real one: sequences without gaps, one owner for each unique name, one append for each command id.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;
use std::time::Duration;

use cqrs_es::DomainEvent as _;
use cqrs_es::persist::{
    PersistedEventRepository, PersistenceError, ReplayStream, SerializedEvent, SerializedSnapshot,
};
use domain::event::Event;
use domain::value::{OrganizationId, Position, UserId};
use domain::{Aggregate, ClaimChange, ClaimScope, Facts as _};

use crate::{AppendError, Batch, CommandId, Log, LogError, Owner, Recorded};

/// What another writer does just before an append.
type Ambush = Box<dyn FnOnce(&MemoryLog) + Send>;

#[derive(Default)]
pub(crate) struct MemoryLog {
    rows: Mutex<Vec<SerializedEvent>>,
    claims: Mutex<HashMap<(ClaimScope, String), Owner>>,
    commands: Mutex<HashMap<CommandId, Recorded>>,
    ambushes: Mutex<VecDeque<Ambush>>,
    pub(crate) pauses: Mutex<Vec<Duration>>,
    /// Whose keys were destroyed, each time that it was asked for.
    pub(crate) forgotten: Mutex<Vec<String>>,
}

impl MemoryLog {
    /// The past of an aggregate, or some more of it.
    pub(crate) fn given<A: Aggregate>(&self, id: A::Id, events: Vec<A::Event>) {
        let id = id.to_string();
        for event in events {
            let sequence = self.of(A::TYPE, &id).len() + 1;
            let claims = event.claims().into_iter().map(|change| ((A::TYPE, id.clone()), change));
            self.claim(claims.collect()).unwrap();
            self.rows.lock().unwrap().push(SerializedEvent::new(
                id.clone(),
                sequence,
                A::TYPE.to_owned(),
                event.event_type(),
                event.event_version(),
                serde_json::to_value(&event).unwrap(),
                serde_json::json!({}),
            ));
        }
    }

    /// Lets another writer be faster than the next append.
    pub(crate) fn ambush(&self, ambush: impl FnOnce(&Self) + Send + 'static) {
        self.ambushes.lock().unwrap().push_back(Box::new(ambush));
    }

    /// Remembers a command as carried out.
    pub(crate) fn record(&self, command: CommandId, request_digest: &str, answer: &str) {
        let (request_digest, answer) = (request_digest.to_owned(), answer.to_owned());
        let recorded = Recorded { request_digest, position: Position::new(7), answer };
        self.commands.lock().unwrap().insert(command, recorded);
    }

    /// All rows.
    pub(crate) fn rows(&self) -> Vec<SerializedEvent> {
        self.rows.lock().unwrap().clone()
    }

    /// All events, read as every reader does.
    pub(crate) fn events(&self) -> Vec<Event> {
        let read = |row: &SerializedEvent| {
            let version = row.event_version.parse().unwrap();
            Event::decode(&row.aggregate_type, &row.event_type, version, &row.payload.to_string()).unwrap()
        };
        self.rows.lock().unwrap().iter().map(read).collect()
    }

    fn of(&self, aggregate_type: &str, id: &str) -> Vec<SerializedEvent> {
        let same = |row: &&SerializedEvent| row.aggregate_type == aggregate_type && row.aggregate_id == id;
        self.rows.lock().unwrap().iter().filter(same).cloned().collect()
    }

    fn claim(&self, changes: Vec<(Owner, ClaimChange)>) -> Result<(), AppendError> {
        let mut claims = self.claims.lock().unwrap().clone();
        for (owner, change) in changes {
            match change {
                ClaimChange::Release { scope } => {
                    claims.retain(|(of, _), held_by| *of != scope || *held_by != owner);
                }
                ClaimChange::ReleaseOne { scope, value } => {
                    claims.retain(|(of, held), by| *of != scope || *held != value || *by != owner);
                }
                ClaimChange::Take { scope, value } => {
                    if claims.insert((scope, value), owner.clone()).is_some_and(|other| other != owner) {
                        return Err(AppendError::Taken(scope));
                    }
                }
            }
        }
        *self.claims.lock().unwrap() = claims;
        Ok(())
    }
}

impl Log for MemoryLog {
    async fn find(&self, command: &CommandId) -> Result<Option<Recorded>, LogError> {
        Ok(self.commands.lock().unwrap().get(command).cloned())
    }

    async fn append(&self, batch: Batch) -> Result<Position, AppendError> {
        let ambush = self.ambushes.lock().unwrap().pop_front();
        if let Some(ambush) = ambush {
            ambush(self);
        }
        if self.commands.lock().unwrap().contains_key(&batch.command) {
            return Err(AppendError::Duplicate);
        }
        let mut next = HashMap::new();
        for event in &batch.events {
            let held = self.of(&event.aggregate_type, &event.aggregate_id).len();
            let place = (event.aggregate_type.clone(), event.aggregate_id.clone());
            let sequence = next.entry(place).or_insert(held + 1);
            if event.sequence != *sequence {
                return Err(AppendError::Conflict);
            }
            *sequence += 1;
        }
        if batch
            .rests_on
            .iter()
            .any(|seen| self.of(seen.aggregate_type, &seen.aggregate_id).len() > seen.sequence)
        {
            return Err(AppendError::Conflict);
        }
        self.claim(batch.claims)?;
        let mut rows = self.rows.lock().unwrap();
        rows.extend(batch.events);
        let position = Position::new(rows.len() as u64);
        let recorded = Recorded { request_digest: batch.request_digest, position, answer: batch.answer };
        self.commands.lock().unwrap().insert(batch.command, recorded);
        Ok(position)
    }

    async fn organizations_of(&self, user: UserId) -> Result<Vec<OrganizationId>, LogError> {
        let taken_in = |row: &SerializedEvent| {
            let member = row.payload["member_added"]["user"].as_str()?;
            (member == user.to_string()).then(|| OrganizationId::parse(&row.aggregate_id).unwrap())
        };
        Ok(self.rows().iter().filter_map(taken_in).collect())
    }

    async fn owner_of(&self, scope: ClaimScope, value: &str) -> Result<Option<String>, LogError> {
        let claims = self.claims.lock().unwrap();
        Ok(claims.get(&(scope, value.to_owned())).map(|(_, id)| id.clone()))
    }

    async fn forget_erased(&self) -> Result<(), LogError> {
        let rows = self.rows();
        let erased = rows.iter().filter(|row| row.aggregate_type == "user" && row.event_type == "erased");
        self.forgotten.lock().unwrap().extend(erased.map(|row| row.aggregate_id.clone()));
        Ok(())
    }

    /// Nobody else is at work here, so nobody is waited for.
    async fn give_way(&self, pause: Duration) {
        self.pauses.lock().unwrap().push(pause);
    }
}

impl PersistedEventRepository for MemoryLog {
    async fn get_events<A: cqrs_es::Aggregate>(
        &self,
        id: &str,
    ) -> Result<Vec<SerializedEvent>, PersistenceError> {
        Ok(self.of(A::TYPE, id))
    }

    async fn get_last_events<A: cqrs_es::Aggregate>(
        &self,
        id: &str,
        last_sequence: usize,
    ) -> Result<Vec<SerializedEvent>, PersistenceError> {
        Ok(self.of(A::TYPE, id).split_off(last_sequence))
    }

    async fn get_snapshot<A: cqrs_es::Aggregate>(
        &self,
        _: &str,
    ) -> Result<Option<SerializedSnapshot>, PersistenceError> {
        Ok(None)
    }

    async fn persist<A: cqrs_es::Aggregate>(
        &self,
        events: &[SerializedEvent],
        _: Option<(String, serde_json::Value, usize)>,
    ) -> Result<(), PersistenceError> {
        self.rows.lock().unwrap().extend_from_slice(events);
        Ok(())
    }

    async fn stream_events<A: cqrs_es::Aggregate>(&self, id: &str) -> Result<ReplayStream, PersistenceError> {
        replay(self.of(A::TYPE, id)).await
    }

    async fn stream_all_events<A: cqrs_es::Aggregate>(&self) -> Result<ReplayStream, PersistenceError> {
        replay(self.rows().into_iter().filter(|row| row.aggregate_type == A::TYPE).collect()).await
    }
}

async fn replay(rows: Vec<SerializedEvent>) -> Result<ReplayStream, PersistenceError> {
    let (mut feed, stream) = ReplayStream::new(rows.len().max(1));
    for row in rows {
        feed.push(Ok(row)).await?;
    }
    Ok(stream)
}
