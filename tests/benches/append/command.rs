//! One command with one event, as large as the use cases make them.

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

/// A command that issues an API key: the largest event of daily life.
#[derive(Debug)]
pub(crate) struct Command {
    /// Its id.
    pub(crate) id: String,
    /// The aggregate.
    pub(crate) aggregate: String,
    /// The event.
    pub(crate) payload: Value,
    /// Who, why and for whom.
    pub(crate) metadata: Value,
    /// When.
    pub(crate) occurred_at: OffsetDateTime,
}

/// As long as the digest of a request.
pub(crate) const REQUEST_DIGEST: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
/// As long as a sealed answer, in base64.
pub(crate) const ANSWER: &str = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=";

impl Command {
    /// Another one, on an aggregate of its own: nothing collides.
    pub(crate) fn new() -> Self {
        #[expect(clippy::disallowed_methods, reason = "ids in the order of time, as the product draws them")]
        let (id, aggregate) = (Uuid::now_v7().to_string(), Uuid::now_v7().to_string());
        let (user, organization) = (Uuid::from_u128(7), Uuid::from_u128(11));
        #[expect(
            clippy::disallowed_methods,
            reason = "rows as they are at run time; nothing is decided by them"
        )]
        let occurred_at = OffsetDateTime::now_utc();
        let payload = json!({ "issued": {
            "organization": organization,
            "key_id": "2vqXWJ5hFY0aPzK9mR3tB7",
            "name": "Continuous integration",
            "principal": user,
            "instance": null,
            "scopes": ["mcp:write"],
            "digest": { "hmac_sha256": { "pepper": 1, "hex": REQUEST_DIGEST } },
            "expires_at": null,
            "environment": "live",
        } });
        let metadata = json!({
            "command": id,
            "actor": format!("user:{user}"),
            "correlation": id,
            "occurred_at": occurred_at.format(&Rfc3339).unwrap_or_default(),
            "organization": organization,
        });
        Self { id, aggregate, payload, metadata, occurred_at }
    }

    /// As the product's appender takes it.
    pub(crate) fn encoded(self) -> Value {
        json!({
            "command_id": self.id,
            "request_digest": REQUEST_DIGEST,
            "answer": ANSWER,
            "events": [{
                "aggregate_type": "api_key",
                "aggregate_id": self.aggregate,
                "sequence": 1,
                "event_type": "issued",
                "event_version": "1",
                "payload": self.payload,
                "metadata": self.metadata,
            }],
            "releases": [],
            "takes": [],
        })
    }

    /// Bytes of payload and metadata.
    pub(crate) fn sizes(&self) -> (usize, usize) {
        (self.payload.to_string().len(), self.metadata.to_string().len())
    }
}
