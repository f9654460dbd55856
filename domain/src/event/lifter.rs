//! The steps of the registry, for readers that load one aggregate through `cqrs-es`.
//!
//! The framework deserialises whatever it finds, also what a newer version wrote. An upcaster is the one place where it lets us look first.

use std::cmp::Ordering;

use cqrs_es::persist::{EventUpcaster, SerializedEvent};
use serde_json::Value;

use super::upcast::{self, UPCASTERS, Upcaster};
use super::{Event, Undecodable, UndecodableReason};

/// Lifts older events to the current version, and lets no event pass that the registry would refuse by its version.
pub fn upcasters_for_aggregates() -> Vec<Box<dyn EventUpcaster>> {
    vec![Box::new(Lifter(UPCASTERS))]
}

pub(super) struct Lifter(pub(super) &'static [Upcaster]);

impl EventUpcaster for Lifter {
    fn can_upcast(&self, _: &str, _: &str) -> bool {
        true // asked without the aggregate type, which decides
    }

    /// An upcaster cannot refuse. What cannot be read is replaced by the reason, as a text that is no event of any type: decoding refuses
    /// it and repeats it.
    fn upcast(&self, mut event: SerializedEvent) -> SerializedEvent {
        event.payload = self.lift(&event).unwrap_or_else(|reason| Value::String(reason.to_string()));
        event
    }
}

impl Lifter {
    fn lift(&self, event: &SerializedEvent) -> Result<Value, Undecodable> {
        let event_version = event.event_version.parse().unwrap_or(0); // no event type ever had version 0
        let refused = |reason| Undecodable {
            aggregate_type: event.aggregate_type.clone(),
            event_type: event.event_type.clone(),
            event_version,
            reason,
        };
        let place = (event.aggregate_type.as_str(), event.event_type.as_str());
        let known = Event::catalogue().find(|(aggregate, event_type, _)| (*aggregate, *event_type) == place);
        let (.., current) = known.ok_or_else(|| refused(UndecodableReason::UnknownEventType))?;
        match event_version.cmp(&current) {
            Ordering::Equal => Ok(event.payload.clone()),
            Ordering::Greater => Err(refused(UndecodableReason::Newer { known: current })),
            Ordering::Less => upcast::lift(self.0, place, (event_version, current), event.payload.clone())
                .map_err(|from_version| refused(UndecodableReason::NoUpcaster { from_version })),
        }
    }
}
