//! What a unit collects, and why it uses the event store alone.

use cqrs_es::Aggregate as _;
use domain::connection::{Connection, ConnectionCommand, ConnectionError};
use domain::organization::{Organization, OrganizationCommand, OrganizationKind};
use domain::value::Slug;
use serde::{Deserialize, Serialize};

use super::*;
use crate::testing::*;

fn stamp() -> Stamp {
    Stamp {
        command: CommandId::new("k1".to_owned()),
        actor: root(),
        correlation: "trace-1".to_owned(),
        causation: None,
        occurred_at: noon(),
    }
}

#[test]
fn a_refusal_leaves_what_was_decided_before() {
    let world = World::new();
    world.block_on(async {
        let kept = Kept::default();
        let mut unit = Unit::new(&world.log, stamp(), &kept);
        unit.decide::<Connection>(SHARED, ConnectionCommand::Remove).await.unwrap();
        let rename = ConnectionCommand::Rename { name: name("X") };
        let refused = unit.decide::<Connection>(SHARED, rename).await.unwrap_err();
        assert!(matches!(refused, Refused::Connection(ConnectionError::Removed)), "{refused:?}");
        assert_eq!(unit.into_batch(String::new(), String::new()).events.len(), 1);
    });
}

#[test]
fn a_second_decision_sees_the_first_and_the_log_sees_neither() {
    let world = World::new();
    let before = world.log.rows().len();
    world.block_on(async {
        let kept = Kept::default();
        let mut unit = Unit::new(&world.log, stamp(), &kept);
        for text in ["One", "Two", "Two"] {
            let rename = OrganizationCommand::Rename { name: name(text) };
            unit.decide::<Organization>(ACME, rename).await.unwrap();
        }
        unit.decide::<Connection>(SHARED, ConnectionCommand::Remove).await.unwrap();
        assert!(!unit.load::<Connection>(SHARED).await.unwrap().is_open());
        let batch = unit.into_batch("digest".to_owned(), "null".to_owned());
        let places: Vec<_> =
            batch.events.iter().map(|event| (event.aggregate_type.as_str(), event.sequence)).collect();
        assert_eq!(places, [("organization", 8), ("organization", 9), ("connection", 2)]);
    });
    assert_eq!(world.log.rows().len(), before);
}

#[test]
fn claims_come_with_their_owner_and_the_tenant_also_on_the_first_event() {
    let world = World::empty();
    world.block_on(async {
        let kept = Kept::default();
        let mut unit = Unit::new(&world.log, stamp(), &kept);
        let (kind, owner) = (OrganizationKind::Team, OWNER);
        let slug = Slug::parse("acme").unwrap();
        let create = OrganizationCommand::Create { kind, slug, name: name("Acme"), owner };
        unit.decide::<Organization>(ACME, create).await.unwrap();
        let batch = unit.into_batch(String::new(), String::new());
        let take = ClaimChange::Take { scope: domain::ClaimScope::Slug, value: "acme".to_owned() };
        assert_eq!(batch.claims, [(("organization", ACME.to_string()), take)]);
        for event in batch.events {
            assert_eq!(event.metadata["organization"], ACME.to_string());
        }
    });
}

/// Counts how often its one event was applied.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Counter {
    applied: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Counted;

impl cqrs_es::DomainEvent for Counted {
    fn event_type(&self) -> String {
        "counted".to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}

impl cqrs_es::Aggregate for Counter {
    const TYPE: &'static str = "counter";
    type Command = ();
    type Event = Counted;
    type Error = std::convert::Infallible;
    type Services = ();

    async fn handle(&mut self, (): (), (): &(), sink: &EventSink<Self>) -> Result<(), Self::Error> {
        sink.write(Counted, self).await;
        Ok(())
    }

    fn apply(&mut self, _: Counted) {
        self.applied += 1;
    }
}

/// Keeps the snapshot that a store writes.
#[derive(Default)]
struct SnapshotOnly(Mutex<Option<serde_json::Value>>);

impl PersistedEventRepository for &SnapshotOnly {
    async fn get_events<A: cqrs_es::Aggregate>(
        &self,
        _: &str,
    ) -> Result<Vec<SerializedEvent>, PersistenceError> {
        Ok(vec![])
    }

    async fn get_last_events<A: cqrs_es::Aggregate>(
        &self,
        _: &str,
        _: usize,
    ) -> Result<Vec<SerializedEvent>, PersistenceError> {
        Ok(vec![])
    }

    async fn get_snapshot<A: cqrs_es::Aggregate>(
        &self,
        _: &str,
    ) -> Result<Option<SerializedSnapshot>, PersistenceError> {
        Ok(None)
    }

    async fn persist<A: cqrs_es::Aggregate>(
        &self,
        _: &[SerializedEvent],
        snapshot: Option<(String, serde_json::Value, usize)>,
    ) -> Result<(), PersistenceError> {
        *self.0.lock().unwrap() = snapshot.map(|(_, state, _)| state);
        Ok(())
    }

    async fn stream_events<A: cqrs_es::Aggregate>(&self, _: &str) -> Result<ReplayStream, PersistenceError> {
        Ok(ReplayStream::new(1).1)
    }

    async fn stream_all_events<A: cqrs_es::Aggregate>(&self) -> Result<ReplayStream, PersistenceError> {
        Ok(ReplayStream::new(1).1)
    }
}

#[test]
fn the_frameworks_aggregate_store_still_applies_each_event_twice() {
    let world = World::empty();
    let kept = SnapshotOnly::default();
    world.block_on(async {
        let store = PersistedEventStore::<_, Counter>::new_aggregate_store(&kept);
        let mut context = store.load_aggregate("1").await.unwrap();
        let sink = EventSink::default();
        context.aggregate.handle((), &(), &sink).await.unwrap();
        store.commit(sink.collect().await, context, HashMap::new()).await.unwrap();
    });
    // Once it says 1, the crate is mended and snapshots may be considered.
    assert_eq!(*kept.0.lock().unwrap(), Some(serde_json::json!({ "applied": 2 })));
}
