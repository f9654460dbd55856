//! Old events are read, never rewritten: each step lifts one version of one event type to the next.

use cqrs_es::persist::{EventUpcaster, SerializedEvent};
use serde_json::Value;

/// One step: the payload `{"<name>": {...}}` of `from_version` in, that of `from_version + 1` out.
pub(super) struct Upcaster {
    /// Of which aggregate type.
    pub(super) aggregate_type: &'static str,
    /// Which of its event types.
    pub(super) event_type: &'static str,
    /// The version that goes in.
    pub(super) from_version: u32,
    /// Total: a payload of another shape than expected is passed on, and decoding refuses it.
    pub(super) lift: fn(Value) -> Value,
}

impl EventUpcaster for &'static Upcaster {
    fn can_upcast(&self, event_type: &str, event_version: &str) -> bool {
        event_type == self.event_type && event_version.parse() == Ok(self.from_version)
    }

    /// `cqrs-es` asks without the aggregate type, so an event of the same name of another aggregate comes here too and leaves as it is.
    fn upcast(&self, mut event: SerializedEvent) -> SerializedEvent {
        if event.aggregate_type == self.aggregate_type {
            event.payload = (self.lift)(event.payload);
            event.event_version = (self.from_version + 1).to_string();
        }
        event
    }
}

/// Every step there is. None today: all event types stand at version 1.
pub(super) const UPCASTERS: &[Upcaster] = &[];

/// Lifts a payload from its version to the current one, or names the version at which the chain is broken.
pub(super) fn lift(
    table: &[Upcaster],
    (aggregate_type, event_type): (&str, &str),
    (from_version, to_version): (u32, u32),
    payload: Value,
) -> Result<Value, u32> {
    (from_version..to_version).try_fold(payload, |payload, version| {
        let fits = |step: &&Upcaster| {
            step.aggregate_type == aggregate_type
                && step.event_type == event_type
                && step.from_version == version
        };
        table.iter().find(fits).map(|step| (step.lift)(payload)).ok_or(version)
    })
}
