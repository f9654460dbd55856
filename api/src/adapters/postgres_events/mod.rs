//! The log in Postgres: `postgres-es` reads single aggregates, the appender writes, both on our `events` table.

mod appender;
mod batch;

use std::sync::Arc;
use std::time::Duration;

use commands::{AppendError, Batch, CommandId, Log, LogError, Recorded};
use cqrs_es::Aggregate;
use cqrs_es::persist::{
    PersistedEventRepository, PersistenceError, ReplayStream, SerializedEvent, SerializedSnapshot,
};
use domain::ClaimScope;
use domain::value::{OrganizationId, Position, UserId};
use postgres_es::PostgresEventRepository;
use serde_json::Value;
use sqlx::PgPool;

pub use appender::{Appender, AppenderTask};

use super::key_digest::KeyDigests;
use super::master_key::{MasterKeys, Purpose};
use super::personal_data::{PersonalData, Place};

/// The log.
pub struct PostgresEvents {
    pool: PgPool,
    reads: PostgresEventRepository,
    appender: Appender,
    personal: PersonalData,
    digests: Arc<KeyDigests>,
    master: Arc<MasterKeys>,
}

impl std::fmt::Debug for PostgresEvents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresEvents").finish_non_exhaustive()
    }
}

impl PostgresEvents {
    /// The log in this database, written by this appender.
    pub fn new(pool: PgPool, appender: Appender, digests: Arc<KeyDigests>, master: Arc<MasterKeys>) -> Self {
        Self {
            reads: PostgresEventRepository::new(pool.clone()),
            personal: PersonalData::new(pool.clone(), Arc::clone(&master)),
            pool,
            appender,
            digests,
            master,
        }
    }

    async fn opened(
        &self,
        mut events: Vec<SerializedEvent>,
    ) -> Result<Vec<SerializedEvent>, PersistenceError> {
        let mut payloads: Vec<_> = events.iter_mut().map(place_and_payload).collect();
        self.personal
            .open(&mut payloads)
            .await
            .map_err(|error| PersistenceError::UnknownError(Box::new(error)))?;
        Ok(events)
    }
}

fn place_and_payload(event: &mut SerializedEvent) -> (Place<'_>, &mut Value) {
    let place = Place {
        aggregate_type: &event.aggregate_type,
        aggregate_id: &event.aggregate_id,
        sequence: event.sequence as u64,
    };
    (place, &mut event.payload)
}

impl Log for PostgresEvents {
    async fn find(&self, command: &CommandId) -> Result<Option<Recorded>, LogError> {
        let row: Option<(String, i64, Vec<u8>)> =
            sqlx::query_as("select request_digest, position, answer from commands where command_id = $1")
                .bind(command.as_str())
                .fetch_optional(&self.pool)
                .await
                .map_err(|error| LogError(error.to_string()))?;
        let Some((request_digest, position, sealed)) = row else { return Ok(None) };
        let plain = self
            .master
            .open(Purpose::CommandAnswer, command.as_str(), &sealed)
            .map_err(|error| LogError(error.to_string()))?;
        let answer = String::from_utf8(plain.to_vec()).map_err(|error| LogError(error.to_string()))?;
        Ok(Some(Recorded { request_digest, position: Position::new(position.unsigned_abs()), answer }))
    }

    async fn append(&self, mut batch: Batch) -> Result<Position, AppendError> {
        let answer = self
            .master
            .seal(Purpose::CommandAnswer, batch.command.as_str(), batch.answer.as_bytes())
            .map_err(|error| LogError(error.to_string()))?;
        let mut payloads: Vec<_> = batch.events.iter_mut().map(place_and_payload).collect();
        self.personal.seal(&mut payloads).await.map_err(|error| LogError(error.to_string()))?;
        self.appender.append(batch::encode(&batch, &answer, &self.digests)).await
    }

    async fn organizations_of(&self, user: UserId) -> Result<Vec<OrganizationId>, LogError> {
        let rows: Vec<String> = sqlx::query_scalar(
            "select distinct aggregate_id from events where aggregate_type = 'organization' and event_type = 'member_added'
             and payload -> 'member_added' ->> 'user' = $1",
        )
        .bind(user.to_string())
        .fetch_all(&self.pool)
        .await
        .map_err(|error| LogError(error.to_string()))?;
        rows.iter().map(|id| OrganizationId::parse(id).map_err(|error| LogError(error.to_string()))).collect()
    }

    async fn owner_of(&self, scope: ClaimScope, value: &str) -> Result<Option<String>, LogError> {
        sqlx::query_scalar("select owner_id from claims where scope = $1 and value = $2")
            .bind(scope.as_str())
            .bind(batch::claim_value(scope, value, &self.digests))
            .fetch_optional(&self.pool)
            .await
            .map_err(|error| LogError(error.to_string()))
    }

    async fn forget_erased(&self) -> Result<(), LogError> {
        let forgotten = self.personal.forget_erased(Position::START).await;
        forgotten.map(|_| ()).map_err(|error| LogError(error.to_string()))
    }

    async fn give_way(&self, pause: Duration) {
        tokio::time::sleep(pause).await;
    }
}

impl PersistedEventRepository for PostgresEvents {
    async fn get_events<A: Aggregate>(&self, id: &str) -> Result<Vec<SerializedEvent>, PersistenceError> {
        self.opened(self.reads.get_events::<A>(id).await?).await
    }

    async fn get_last_events<A: Aggregate>(
        &self,
        id: &str,
        last_sequence: usize,
    ) -> Result<Vec<SerializedEvent>, PersistenceError> {
        self.opened(self.reads.get_last_events::<A>(id, last_sequence).await?).await
    }

    async fn get_snapshot<A: Aggregate>(
        &self,
        _: &str,
    ) -> Result<Option<SerializedSnapshot>, PersistenceError> {
        Ok(None) // the crate's snapshots apply events twice in 0.5.0
    }

    /// Only a whole use case is appended, by `Log::append`: one append path.
    async fn persist<A: Aggregate>(
        &self,
        _: &[SerializedEvent],
        _: Option<(String, Value, usize)>,
    ) -> Result<(), PersistenceError> {
        Err(PersistenceError::UnknownError(
            "events are appended by a unit, never by the repository alone".into(),
        ))
    }

    async fn stream_events<A: Aggregate>(&self, id: &str) -> Result<ReplayStream, PersistenceError> {
        self.reads.stream_events::<A>(id).await
    }

    async fn stream_all_events<A: Aggregate>(&self) -> Result<ReplayStream, PersistenceError> {
        self.reads.stream_all_events::<A>().await
    }
}
