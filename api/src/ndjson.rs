//! The history as lines of JSON, the same over HTTP and at the command line: one envelope for each event, then one line that says how it ended.
//!
//! ```text
//! {"position":1, ...}                        the envelope, as on NATS
//! {"end":{"position":412,"events":17}}       whole: everything up to this position was looked at
//! {"error":{"type":...},"position":300}      broken off: everything up to this position is there; go on after it
//! ```
//!
//! So a history that was cut off on the way is known by its last line, which is neither of the last two.

use domain::value::Position;
use http::{HeaderMap, header};
use projections::{Envelope, Recorded};
use serde::Deserialize;
use serde_json::{Value, json};

/// The media type.
pub(crate) const NDJSON: &str = "application/x-ndjson";

/// Whether the caller asks for lines.
pub(crate) fn is_wanted(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted
        .flat_map(|value| value.split(','))
        .filter_map(|media_type| media_type.split(';').next())
        .any(|media_type| media_type.trim().eq_ignore_ascii_case(NDJSON))
}

/// Adds the line of an event.
pub(crate) fn event(event: Recorded, lines: &mut Vec<u8>) -> Result<(), serde_json::Error> {
    let start = lines.len();
    serde_json::to_writer(&mut *lines, &Envelope::from(event))?;
    // Payloads are passed on as they were written; outside of a JSON text a line break is as good as a blank, inside of one there is none.
    for byte in lines.iter_mut().skip(start).filter(|byte| matches!(byte, b'\n' | b'\r')) {
        *byte = b' ';
    }
    lines.push(b'\n');
    Ok(())
}

/// The last line of a history that is whole.
pub(crate) fn end(reached: Position, events: u64) -> String {
    format!("{}\n", json!({ "end": { "position": reached, "events": events } }))
}

/// Reads the last line of a history that is whole: how far it goes, and how many events it has. It must be the very bytes that [`end`] writes.
pub(crate) fn read_end(line: &[u8]) -> Option<(Position, u64)> {
    #[derive(Deserialize)]
    struct Last {
        end: End,
    }
    #[derive(Deserialize)]
    struct End {
        position: u64,
        events: u64,
    }
    let Last { end: End { position, events } } = serde_json::from_slice(line).ok()?;
    let reached = Position::new(position);
    (end(reached, events).trim_end().as_bytes() == line).then_some((reached, events))
}

/// The last line of a history that is not.
pub(crate) fn broken_off(reached: Position, error: &Value) -> String {
    format!("{}\n", json!({ "error": error, "position": reached }))
}

#[cfg(test)]
mod tests {
    use domain::value::Timestamp;

    use super::*;
    use projections::JsonText;

    #[test]
    fn an_event_is_one_line_however_its_payload_was_written() {
        let raw = |text: &str| JsonText::parse(text.to_owned()).unwrap();
        let recorded = Recorded {
            position: Position::new(7),
            aggregate_type: "organization".into(),
            aggregate_id: "x".to_owned(),
            sequence: 1,
            event_type: "renamed".into(),
            event_version: 1,
            payload: raw("{\n \"renamed\":\r\n{\"name\": \"a\\nb\"} }"),
            metadata: raw("{}"),
            occurred_at: Timestamp::EPOCH,
            recorded_at: Timestamp::EPOCH,
        };
        let mut lines = Vec::new();
        event(recorded, &mut lines).unwrap();
        let text = String::from_utf8(lines).unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");
        let read: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["payload"]["renamed"]["name"], "a\nb");
    }
}
