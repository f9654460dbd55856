//! An event as it lies in the log, and as it travels on NATS.

use std::collections::HashMap;

use domain::event::{Event, Undecodable};
use domain::value::{OrganizationId, Position, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// One row of the log, undecoded: readers that only pass it on pay for no decoding.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// Place in the global order.
    pub position: Position,
    /// Type of the aggregate.
    pub aggregate_type: String,
    /// Id of the aggregate.
    pub aggregate_id: String,
    /// Number of the event in its aggregate, from 1.
    pub sequence: u64,
    /// Stable name of the event's type within the aggregate type.
    pub event_type: String,
    /// Version of that type.
    pub event_version: u32,
    /// The event as JSON; personal data are sealed.
    pub payload: Box<RawValue>,
    /// Who, why and for whom, as JSON.
    pub metadata: Box<RawValue>,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// When it was written.
    pub recorded_at: Timestamp,
}

impl Recorded {
    /// The typed event.
    pub fn decode(&self) -> Result<Event, Undecodable> {
        Event::decode(&self.aggregate_type, &self.event_type, self.event_version, self.payload.get())
    }

    /// The tenant, if the event belongs to one.
    pub fn organization(&self) -> Option<OrganizationId> {
        self.metadata_text("organization").and_then(|text| OrganizationId::parse(&text).ok())
    }

    /// One entry of the metadata.
    pub fn metadata_text(&self, name: &str) -> Option<String> {
        let metadata: HashMap<String, String> = serde_json::from_str(self.metadata.get()).ok()?;
        metadata.get(name).cloned()
    }
}

/// The contract on NATS: one JSON object for each event, complete in itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Envelope {
    /// Place in the global order; also the sequence in the stream and the deduplication id.
    pub position: u64,
    /// Type of the aggregate.
    pub aggregate: String,
    /// Id of the aggregate.
    pub id: String,
    /// Number of the event in its aggregate, from 1.
    pub sequence: u64,
    /// Stable name of the event's type within the aggregate type.
    #[serde(rename = "type")]
    pub event_type: String,
    /// Version of that type.
    pub version: u32,
    /// When it happened, RFC 3339.
    pub occurred_at: Timestamp,
    /// When it was written, RFC 3339.
    pub recorded_at: Timestamp,
    /// Actor, credential, organization, command, correlation and causation.
    pub metadata: Box<RawValue>,
    /// The event; personal data are sealed.
    pub payload: Box<RawValue>,
}

impl From<&Recorded> for Envelope {
    fn from(event: &Recorded) -> Self {
        Self {
            position: event.position.get(),
            aggregate: event.aggregate_type.clone(),
            id: event.aggregate_id.clone(),
            sequence: event.sequence,
            event_type: event.event_type.clone(),
            version: event.event_version,
            occurred_at: event.occurred_at,
            recorded_at: event.recorded_at,
            metadata: event.metadata.clone(),
            payload: event.payload.clone(),
        }
    }
}

impl From<Recorded> for Envelope {
    fn from(event: Recorded) -> Self {
        Self {
            position: event.position.get(),
            aggregate: event.aggregate_type,
            id: event.aggregate_id,
            sequence: event.sequence,
            event_type: event.event_type,
            version: event.event_version,
            occurred_at: event.occurred_at,
            recorded_at: event.recorded_at,
            metadata: event.metadata,
            payload: event.payload,
        }
    }
}

impl From<Envelope> for Recorded {
    fn from(envelope: Envelope) -> Self {
        Self {
            position: Position::new(envelope.position),
            aggregate_type: envelope.aggregate,
            aggregate_id: envelope.id,
            sequence: envelope.sequence,
            event_type: envelope.event_type,
            event_version: envelope.version,
            payload: envelope.payload,
            metadata: envelope.metadata,
            occurred_at: envelope.occurred_at,
            recorded_at: envelope.recorded_at,
        }
    }
}
