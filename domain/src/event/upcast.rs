//! Old events are read, never rewritten: each step lifts one version of one event type to the next.

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
