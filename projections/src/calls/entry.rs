//! What travels: a call with what is kept of it, or the count of calls that had no room.

use serde::{Deserialize, Serialize};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use super::record::CallRecord;

/// One record of the pipeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "nearly all of them are calls")]
pub enum Entry {
    /// A call.
    Call(Call),
    /// Calls whose records were given up.
    Drops(Drops),
}

/// A call, and its arguments where the instance keeps them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// What is always kept.
    pub record: CallRecord,
    /// The sealed arguments, kept apart.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub arguments: Option<SealedArguments>,
}

/// Arguments, sealed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SealedArguments {
    /// Kept before this day.
    #[serde(with = "super::record::iso_date")]
    pub until: Date,
    /// Sealed under the master key, in base64.
    #[serde(with = "base64_bytes")]
    pub sealed: Vec<u8>,
}

/// Records that were given up because there was no room for them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Drops {
    /// The run of a node that gave them up.
    pub node_id: Uuid,
    /// The number of this message in that run.
    pub number: i64,
    /// Whose calls they were.
    pub organization_id: Uuid,
    /// To which instance.
    pub instance_id: Option<Uuid>,
    /// When the first of them was given up.
    #[serde(with = "time::serde::rfc3339")]
    pub from_at: OffsetDateTime,
    /// When the last of them was.
    #[serde(with = "time::serde::rfc3339")]
    pub until_at: OffsetDateTime,
    /// How many.
    pub dropped: i64,
}

impl Entry {
    /// The run of a node that made it.
    pub const fn node_id(&self) -> Uuid {
        match self {
            Self::Call(call) => call.record.node_id,
            Self::Drops(drops) => drops.node_id,
        }
    }

    /// Whose calls it tells of.
    pub const fn organization_id(&self) -> Uuid {
        match self {
            Self::Call(call) => call.record.organization_id,
            Self::Drops(drops) => drops.organization_id,
        }
    }

    /// Its number in that run.
    pub const fn number(&self) -> i64 {
        match self {
            Self::Call(call) => call.record.number,
            Self::Drops(drops) => drops.number,
        }
    }

    /// The same number, as the count of a record that was given up.
    pub(super) fn given_up(&self) -> Drops {
        match self {
            Self::Call(Call { record, .. }) => Drops {
                node_id: record.node_id,
                number: record.number,
                organization_id: record.organization_id,
                instance_id: record.instance_id,
                from_at: record.at,
                until_at: record.ended_at(),
                dropped: 1,
            },
            Self::Drops(drops) => drops.clone(),
        }
    }

    /// From when to when what it tells of happened; for a call, when its record was made.
    pub(super) fn span(&self) -> (OffsetDateTime, OffsetDateTime) {
        match self {
            Self::Call(call) => (call.record.ended_at(), call.record.ended_at()),
            Self::Drops(drops) => (drops.from_at, drops.until_at),
        }
    }
}

mod base64_bytes {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::{Basis, CallKind, Decision, Outcome};
    use super::*;

    fn record() -> CallRecord {
        CallRecord {
            id: Uuid::from_u128(1),
            at: OffsetDateTime::UNIX_EPOCH,
            organization_id: Uuid::from_u128(2),
            instance_organization_id: None,
            principal_id: None,
            credential_id: None,
            instance_id: None,
            kind: CallKind::Unread,
            method: None,
            tool: None,
            wish: None,
            read_only: false,
            maintenance_exempt: false,
            decision: Decision::None,
            reason: None,
            decided_at: None,
            position: 0,
            basis: Basis::View,
            node_id: Uuid::from_u128(3),
            number: 1,
            server_id: None,
            connection_id: None,
            upstream: None,
            status: None,
            outcome: Outcome::Refused,
            duration_us: 1,
            bytes_in: 0,
            bytes_out: 0,
            arguments_digest: None,
            arguments_until: None,
            client_id: None,
            grant_id: None,
            token: None,
        }
    }

    fn travelled(entry: &Entry) -> Entry {
        serde_json::from_slice(&serde_json::to_vec(entry).unwrap()).unwrap()
    }

    #[test]
    fn what_travels_arrives_as_it_was() {
        let bare = Entry::Call(Call { record: record(), arguments: None });
        assert_eq!(travelled(&bare), bare);
        let until = Date::from_ordinal_date(2026, 326).unwrap();
        let full = Call {
            record: CallRecord {
                decided_at: Some(OffsetDateTime::UNIX_EPOCH),
                arguments_digest: Some(vec![0, 15, 255]),
                arguments_until: Some(until),
                ..record()
            },
            arguments: Some(SealedArguments { until, sealed: vec![1, 2, 3] }),
        };
        assert_eq!(travelled(&Entry::Call(full.clone())), Entry::Call(full.clone()));
        let drops = Entry::Drops(Entry::Call(full).given_up());
        assert_eq!(travelled(&drops), drops);
    }
}
