//! What a leaf of the tree covers: one event, whole and as it is stored, in an encoding that has one reading only.
//!
//! ```text
//! "sekisho event 1\n"            16 bytes: what these bytes are, and the version of this encoding
//! position                       8 bytes
//! aggregate type, aggregate id   texts
//! sequence                       8 bytes
//! event type                     text
//! event version                  4 bytes
//! payload, metadata              texts: the JSON byte for byte as it is stored
//! occurred at, recorded at       8 bytes each: microseconds since 1970-01-01T00:00:00Z, signed (two's complement)
//! ```
//! Numbers are big-endian. A text is its length in bytes, in 4 bytes, and then its UTF-8 bytes. Personal data are covered as ciphertext, so
//! that an event whose key was destroyed is still the event that was signed. Every member of the envelope on NATS and in an export is in
//! here and nothing else is, so that a leaf is computed from either.

use domain::value::Timestamp;

use super::merkle::{Hash, leaf_hash};
use crate::recorded::{Envelope, Recorded};

const KIND: &[u8; 16] = b"sekisho event 1\n";

/// The bytes that the leaf of an event is the hash of.
pub fn leaf_bytes(event: &Recorded) -> Vec<u8> {
    let texts = event.payload.get().len() + event.metadata.get().len();
    let mut bytes = Vec::with_capacity(texts + 256);
    bytes.extend_from_slice(KIND);
    bytes.extend_from_slice(&event.position.get().to_be_bytes());
    text(&mut bytes, &event.aggregate_type);
    text(&mut bytes, &event.aggregate_id);
    bytes.extend_from_slice(&event.sequence.to_be_bytes());
    text(&mut bytes, &event.event_type);
    bytes.extend_from_slice(&event.event_version.to_be_bytes());
    text(&mut bytes, event.payload.get());
    text(&mut bytes, event.metadata.get());
    bytes.extend_from_slice(&microseconds(event.occurred_at).to_be_bytes());
    bytes.extend_from_slice(&microseconds(event.recorded_at).to_be_bytes());
    bytes
}

/// The leaf of an event.
pub fn leaf_of(event: &Recorded) -> Hash {
    leaf_hash(&leaf_bytes(event))
}

/// A line of an export cannot be what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// No envelope at all.
    #[error("the line is no envelope of an event: {0}")]
    NoEnvelope(String),
    /// An envelope, but not as Sekisho writes it.
    #[error(
        "the line says more or says it otherwise than an envelope does: members that no checkpoint covers, another order, other spellings"
    )]
    Embellished,
}

/// Reads a line of an export, without its end of line. It must be the very bytes that Sekisho writes: whatever else a line might carry would
/// be covered by no leaf, and would still look verified.
pub fn recorded_of_line(line: &[u8]) -> Result<Recorded, LineError> {
    let no_envelope = |error: serde_json::Error| LineError::NoEnvelope(error.to_string());
    let envelope: Envelope = serde_json::from_slice(line).map_err(no_envelope)?;
    if serde_json::to_vec(&envelope).map_err(no_envelope)? != line {
        return Err(LineError::Embellished);
    }
    Ok(envelope.into())
}

fn text(bytes: &mut Vec<u8>, text: &str) {
    // Postgres holds no text of 4 GiB.
    bytes.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

fn microseconds(moment: Timestamp) -> i64 {
    // Postgres keeps 294276 AD at most, which is less than 2^63 microseconds away.
    i64::try_from(moment.get().unix_timestamp_nanos().div_euclid(1_000)).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use domain::value::Position;
    use proptest::prelude::*;

    use super::*;
    use crate::recorded::JsonText;

    fn event(payload: &str) -> Recorded {
        let raw = |text: &str| JsonText::parse(text.to_owned()).unwrap();
        Recorded {
            position: Position::new(7),
            aggregate_type: "user".into(),
            aggregate_id: "u".to_owned(),
            sequence: 2,
            event_type: "renamed".into(),
            event_version: 1,
            payload: raw(payload),
            metadata: raw("{}"),
            occurred_at: Timestamp::parse("1970-01-01T00:00:01.000002Z").unwrap(),
            recorded_at: Timestamp::parse("1969-12-31T23:59:59.999999Z").unwrap(),
        }
    }

    #[test]
    fn the_encoding_is_this_byte_for_byte() {
        let mut expected = b"sekisho event 1\n".to_vec();
        expected.extend([0, 0, 0, 0, 0, 0, 0, 7]);
        expected.extend(b"\0\0\0\x04user\0\0\0\x01u");
        expected.extend([0, 0, 0, 0, 0, 0, 0, 2]);
        expected.extend(b"\0\0\0\x07renamed\0\0\0\x01");
        expected.extend(b"\0\0\0\x0a{\"a\": 1.0}\0\0\0\x02{}");
        expected.extend([0, 0, 0, 0, 0, 0x0f, 0x42, 0x42]);
        expected.extend([0xff; 8]);
        assert_eq!(leaf_bytes(&event("{\"a\": 1.0}")), expected);
    }

    #[test]
    fn a_text_that_moves_from_one_member_to_the_next_changes_the_leaf() {
        let (one, mut other) = (event("{}"), event("{}"));
        (other.aggregate_type, other.aggregate_id) = ("use".into(), "ru".to_owned());
        assert_ne!(leaf_of(&one), leaf_of(&other));
    }

    #[test]
    fn a_line_with_a_member_more_or_another_spelling_is_refused() {
        let line = serde_json::to_string(&Envelope::from(&event("{\"b\":  2}"))).unwrap();
        assert!(recorded_of_line(line.as_bytes()).is_ok());
        for other in [
            line.replace("\"position\":7", "\"position\": 7"),
            line.replace("\"position\":7", "\"note\":\"approved\",\"position\":7"),
            line.replace(".000002Z", ".000002+00:00"),
            line.replace(".000002Z", ".0000020Z"),
            line.replace(".000002Z", ".0000021Z"),
            format!("{line} "),
        ] {
            assert_eq!(recorded_of_line(other.as_bytes()).unwrap_err(), LineError::Embellished, "{other}");
        }
        let twice = line.replace("\"position\":7", "\"position\":7,\"position\":7");
        assert!(matches!(recorded_of_line(twice.as_bytes()), Err(LineError::NoEnvelope(_))));
    }

    proptest! {
        #[test]
        fn the_leaf_of_a_row_is_the_leaf_of_its_envelope(
            position in 1..u64::MAX, micros in -62_135_596_800_000_000_i64..253_402_300_799_999_999, text in "\\PC*"
        ) {
            let mut row = event(&serde_json::to_string(&text).unwrap());
            row.position = Position::new(position);
            row.occurred_at = Timestamp::new(time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000).unwrap());
            let line = serde_json::to_vec(&Envelope::from(&row)).unwrap();
            prop_assert_eq!(leaf_of(&recorded_of_line(&line).unwrap()), leaf_of(&row));
        }
    }
}
