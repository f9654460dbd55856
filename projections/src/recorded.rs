//! An event as it lies in the log, and as it travels on NATS.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use domain::event::{Event, Undecodable};
use domain::value::{OrganizationId, Position, Timestamp};
use serde::de::Deserializer;
use serde::ser::{Error as _, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

/// JSON as it was written, byte for byte. Whoever only reads on pays for no second look at it: that it is JSON, the type of the column says.
#[derive(Clone, PartialEq, Eq)]
pub struct JsonText(Box<str>);

impl JsonText {
    /// Takes a text that must be JSON.
    pub fn parse(text: String) -> Result<Self, serde_json::Error> {
        RawValue::from_string(text).map(|raw| Self(raw.into()))
    }

    /// Takes what stood in a column of type `json`.
    pub(crate) fn of_column(text: &str) -> Self {
        Self(text.into())
    }

    /// The text.
    pub const fn get(&self) -> &str {
        &self.0
    }
}

impl From<&Value> for JsonText {
    fn from(value: &Value) -> Self {
        Self(value.to_string().into())
    }
}

impl fmt::Debug for JsonText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// As the JSON that it is, not as a string.
impl Serialize for JsonText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(&self.0).map_err(S::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for JsonText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(|raw| Self(raw.into()))
    }
}

/// Name of a type of aggregates or events. Those that this release knows take no memory of their own: a log repeats few names many times.
pub type TypeName = Cow<'static, str>;

/// One row of the log, undecoded: readers that only pass it on pay for no decoding.
#[derive(Debug, Clone)]
pub struct Recorded<M = JsonText> {
    /// Place in the global order.
    pub position: Position,
    /// Type of the aggregate.
    pub aggregate_type: TypeName,
    /// Id of the aggregate.
    pub aggregate_id: String,
    /// Number of the event in its aggregate, from 1.
    pub sequence: u64,
    /// Stable name of the event's type within the aggregate type.
    pub event_type: TypeName,
    /// Version of that type.
    pub event_version: u32,
    /// The event as JSON; personal data are sealed.
    pub payload: JsonText,
    /// Who, why and for whom, as JSON. `()` where that was not read.
    pub metadata: M,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// When it was written.
    pub recorded_at: Timestamp,
}

/// What a fold reads. Who did it and why is a good part of a row and changes no read model, so that it is neither read nor kept, and no fold
/// can come to depend on it.
pub type Foldable = Recorded<()>;

impl<M> Recorded<M> {
    /// The typed event.
    pub fn decode(&self) -> Result<Event, Undecodable> {
        Event::decode(&self.aggregate_type, &self.event_type, self.event_version, self.payload.get())
    }
}

impl Recorded {
    /// The same without who and why.
    pub fn into_foldable(self) -> Foldable {
        Recorded {
            position: self.position,
            aggregate_type: self.aggregate_type,
            aggregate_id: self.aggregate_id,
            sequence: self.sequence,
            event_type: self.event_type,
            event_version: self.event_version,
            payload: self.payload,
            metadata: (),
            occurred_at: self.occurred_at,
            recorded_at: self.recorded_at,
        }
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
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Envelope {
    /// Place in the global order; also the sequence in the stream and the deduplication id.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub position: u64,
    /// Type of the aggregate.
    pub aggregate: TypeName,
    /// Id of the aggregate.
    pub id: String,
    /// Number of the event in its aggregate, from 1.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub sequence: u64,
    /// Stable name of the event's type within the aggregate type.
    #[serde(rename = "type")]
    pub event_type: TypeName,
    /// Version of that type.
    pub version: u32,
    /// When it happened, RFC 3339.
    #[cfg_attr(test, schemars(with = "String", extend("format" = "date-time")))]
    pub occurred_at: Timestamp,
    /// When it was written, RFC 3339.
    #[cfg_attr(test, schemars(with = "String", extend("format" = "date-time")))]
    pub recorded_at: Timestamp,
    /// Actor, credential, organization, command, correlation and causation.
    #[cfg_attr(test, schemars(with = "std::collections::BTreeMap<String, String>"))]
    pub metadata: JsonText,
    /// The event; personal data are sealed.
    #[cfg_attr(test, schemars(with = "serde_json::Map<String, serde_json::Value>", extend("minProperties" = 1, "maxProperties" = 1)))]
    pub payload: JsonText,
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use schemars::generate::SchemaSettings;
    use serde_json::{Value, json};

    use super::*;

    /// The schema of what travels; those of the events are made in `domain`.
    fn schema() -> Value {
        let mut generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
        let mut schema = serde_json::to_value(generator.root_schema_for::<Envelope>()).unwrap();
        schema["$id"] = json!("urn:sekisho:schema:envelope");
        schema["title"] = json!("Envelope");
        schema
    }

    #[test]
    fn the_committed_schema_is_that_of_the_envelope() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas/envelope.schema.json");
        if std::env::var_os("SEKISHO_WRITE_GENERATED").is_some() {
            std::fs::write(&file, serde_json::to_string_pretty(&schema()).unwrap() + "\n").unwrap();
        }
        let committed: Value =
            serde_json::from_str(&std::fs::read_to_string(&file).unwrap_or_default()).unwrap_or_default();
        assert_eq!(committed, schema(), "run the tests once with SEKISHO_WRITE_GENERATED=1");
    }

    #[test]
    fn an_envelope_is_as_its_schema_says() {
        let raw = |text: &str| JsonText::parse(text.to_owned()).unwrap();
        let event = Recorded {
            position: Position::new(7),
            aggregate_type: "user".into(),
            aggregate_id: "0192f0c1-2b3c-7d4e-8f50-112233445566".to_owned(),
            sequence: 1,
            event_type: "resumed".into(),
            event_version: 1,
            payload: raw(r#"{"resumed":{}}"#),
            metadata: raw(r#"{"actor":"founder"}"#),
            occurred_at: Timestamp::EPOCH,
            recorded_at: Timestamp::EPOCH,
        };
        let validator = jsonschema::draft202012::new(&schema()).unwrap();
        let mut sent = serde_json::to_value(Envelope::from(&event)).unwrap();
        assert!(validator.is_valid(&sent), "{sent}");
        sent["position"] = json!(0);
        assert!(!validator.is_valid(&sent), "{sent}");
    }
}
