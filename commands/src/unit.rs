//! The unit of work of one use case: aggregates are loaded and decide through `cqrs-es`; what they decide is collected and appended
//! together.
//!
//! Only the crate's event store is used, never its snapshot or aggregate stores: those apply events twice in 0.5.0 (a test pins this).

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use cqrs_es::event_sink::EventSink;
use cqrs_es::persist::{
    PersistedEventRepository, PersistedEventStore, PersistenceError, ReplayStream, SerializedEvent,
    SerializedSnapshot,
};
use cqrs_es::{AggregateError, EventStore};
use domain::value::{OrganizationId, Timestamp, UserId};
use domain::{Aggregate, ClaimChange, ClaimScope, Facts};

use crate::actor::Actor;
use crate::ports::{Batch, CommandId, Log, LogError, Owner, Seen};
use crate::refused::Refused;

/// What every event of one command carries besides its payload.
#[derive(Debug, Clone)]
pub(crate) struct Stamp {
    pub(crate) command: CommandId,
    pub(crate) actor: Actor,
    pub(crate) correlation: String,
    pub(crate) causation: Option<String>,
    pub(crate) occurred_at: Timestamp,
}

/// What a use case keeps from one attempt for the next, so that expensive work is done once.
#[derive(Debug, Default)]
pub(crate) struct Kept(Mutex<Option<Box<dyn Any + Send>>>);

/// One use case at work.
#[derive(Debug)]
pub struct Unit<'a, L> {
    log: &'a L,
    stamp: Stamp,
    kept: &'a Kept,
    pending: Mutex<Vec<SerializedEvent>>,
    claims: Vec<(Owner, ClaimChange)>,
    rests_on: Vec<Seen>,
}

impl<'a, L: Log> Unit<'a, L> {
    pub(crate) const fn new(log: &'a L, stamp: Stamp, kept: &'a Kept) -> Self {
        let pending = Mutex::new(Vec::new());
        Self { log, stamp, kept, pending, claims: Vec::new(), rests_on: Vec::new() }
    }

    /// What an earlier attempt kept.
    pub(crate) fn kept<T: Clone + 'static>(&self) -> Option<T> {
        let kept = self.kept.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().and_then(|value| value.downcast_ref()).cloned()
    }

    /// Keeps a value for the attempts after this one, in place of what was kept before.
    pub(crate) fn keep<T: Send + 'static>(&self, value: T) {
        *self.kept.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(value));
    }

    /// The state of an aggregate, with what this unit decided so far.
    pub async fn load<A: Aggregate>(&self, id: A::Id) -> Result<A, Refused> {
        let context = self.store::<A>().load_aggregate(&id.to_string()).await.map_err(log_error)?;
        Ok(context.aggregate)
    }

    /// The state of an aggregate that must still be the same when the unit is appended: whoever changes it first causes a conflict.
    pub(crate) async fn rest_on<A: Aggregate>(&mut self, id: A::Id) -> Result<A, Refused> {
        let context = self.store::<A>().load_aggregate(&id.to_string()).await.map_err(log_error)?;
        let (aggregate_type, aggregate_id) = owner::<A>(id);
        self.rests_on.push(Seen { aggregate_type, aggregate_id, sequence: context.current_sequence });
        Ok(context.aggregate)
    }

    /// The organizations that a user was ever taken into.
    pub(crate) async fn organizations_of(&self, user: UserId) -> Result<Vec<OrganizationId>, Refused> {
        Ok(self.log.organizations_of(user).await?)
    }

    /// The id of the aggregate that owns a unique name.
    pub(crate) async fn owner_of(&self, scope: ClaimScope, value: &str) -> Result<Option<String>, Refused> {
        Ok(self.log.owner_of(scope, value).await?)
    }

    /// Lets an aggregate decide; its events join the unit.
    pub async fn decide<A>(&mut self, id: A::Id, command: A::Command) -> Result<(), Refused>
    where
        A: Aggregate,
        A::Command: Send,
        A::Error: Send,
        Refused: From<A::Error>,
    {
        let store = self.store::<A>();
        let mut context = store.load_aggregate(&id.to_string()).await.map_err(log_error)?;
        let sink = EventSink::default();
        context.aggregate.handle(command, &(), &sink).await?;
        let events = sink.collect().await;
        let metadata = self.metadata(&context.aggregate, id);
        let claims: Vec<_> =
            events.iter().flat_map(Facts::claims).map(|change| (owner::<A>(id), change)).collect();
        store.commit(events, context, metadata).await.map_err(log_error)?;
        self.claims.extend(claims);
        Ok(())
    }

    pub(crate) fn into_batch(self, request_digest: String, answer: String) -> Batch {
        let Self { stamp, pending, claims, rests_on, .. } = self;
        let events = pending.into_inner().unwrap_or_else(PoisonError::into_inner);
        Batch { command: stamp.command, request_digest, events, claims, rests_on, answer }
    }

    fn store<A: Aggregate>(&self) -> PersistedEventStore<Pending<'_, L>, A> {
        let pending = Pending { log: self.log, events: &self.pending };
        PersistedEventStore::new_event_store(pending)
            .with_upcasters(domain::event::upcasters_for_aggregates())
    }

    fn metadata<A: Aggregate>(&self, aggregate: &A, id: A::Id) -> HashMap<String, String> {
        let stamp = &self.stamp;
        let mut metadata = HashMap::from([
            ("command".to_owned(), stamp.command.as_str().to_owned()),
            ("actor".to_owned(), stamp.actor.name()),
            ("credential".to_owned(), stamp.actor.credential.name()),
            ("correlation".to_owned(), stamp.correlation.clone()),
            ("occurred_at".to_owned(), stamp.occurred_at.to_string()),
        ]);
        if let Some(causation) = &stamp.causation {
            metadata.insert("causation".to_owned(), causation.clone());
        }
        if let Some(organization) = aggregate.organization(id) {
            metadata.insert("organization".to_owned(), organization.to_string());
        }
        metadata
    }
}

fn owner<A: Aggregate>(id: A::Id) -> Owner {
    (A::TYPE, id.to_string())
}

/// Neither loading nor collecting runs a rule, so an error here is the log's.
#[expect(clippy::needless_pass_by_value, reason = "`map_err(log_error)` hands over the value")]
fn log_error<E: std::error::Error>(error: AggregateError<E>) -> LogError {
    LogError(error.to_string())
}

/// The log with this unit's own events after it, so that a second decision on one aggregate sees the first.
struct Pending<'a, L> {
    log: &'a L,
    events: &'a Mutex<Vec<SerializedEvent>>,
}

impl<L: Log> Pending<'_, L> {
    fn own<A: cqrs_es::Aggregate>(&self, id: &str, after: usize) -> Vec<SerializedEvent> {
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |event: &&SerializedEvent| event.aggregate_type == A::TYPE && event.aggregate_id == id;
        events.iter().filter(same).filter(|event| event.sequence > after).cloned().collect()
    }
}

impl<L: Log> PersistedEventRepository for Pending<'_, L> {
    async fn get_events<A: cqrs_es::Aggregate>(
        &self,
        id: &str,
    ) -> Result<Vec<SerializedEvent>, PersistenceError> {
        let mut events = self.log.get_events::<A>(id).await?;
        events.extend(self.own::<A>(id, 0));
        Ok(events)
    }

    async fn get_last_events<A: cqrs_es::Aggregate>(
        &self,
        id: &str,
        last_sequence: usize,
    ) -> Result<Vec<SerializedEvent>, PersistenceError> {
        let mut events = self.log.get_last_events::<A>(id, last_sequence).await?;
        events.extend(self.own::<A>(id, last_sequence));
        Ok(events)
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
        self.events.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(events);
        Ok(())
    }

    async fn stream_events<A: cqrs_es::Aggregate>(&self, id: &str) -> Result<ReplayStream, PersistenceError> {
        self.log.stream_events::<A>(id).await
    }

    async fn stream_all_events<A: cqrs_es::Aggregate>(&self) -> Result<ReplayStream, PersistenceError> {
        self.log.stream_all_events::<A>().await
    }
}

#[cfg(test)]
mod tests;
