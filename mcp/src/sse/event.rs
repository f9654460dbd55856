//! One event: the bytes that came, read as fields only when somebody asks.

use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};

const BOM: &[u8] = b"\xef\xbb\xbf";

/// A stretch of the stream up to and including the blank line that ends it. A lone comment or a stray line ending is
/// one too; it just has no data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    raw: Bytes,
    /// Bytes before the first line: a byte-order mark, which only the start of a stream may have.
    skip: usize,
}

impl Event {
    pub(super) fn new(raw: Bytes, first: bool) -> Self {
        let skip = if first && raw.starts_with(BOM) { BOM.len() } else { 0 };
        Self { raw, skip }
    }

    /// The bytes as they came.
    pub const fn raw(&self) -> &Bytes {
        &self.raw
    }

    /// The bytes as they came, without a copy.
    pub fn into_raw(self) -> Bytes {
        self.raw
    }

    /// The payload: all `data` lines, joined by line feeds. Nothing when there is no such line. One line, which is how
    /// servers write JSON, costs no copy.
    pub fn data(&self) -> Option<Bytes> {
        let mut values = self.values(b"data");
        let first = values.next()?;
        let Some(second) = values.next() else { return Some(self.raw.slice_ref(first)) };
        let mut joined = first.to_vec();
        for value in std::iter::once(second).chain(values) {
            joined.push(b'\n');
            joined.extend_from_slice(value);
        }
        Some(Bytes::from(joined))
    }

    /// The last `event` field: the type under which a client dispatches it.
    pub fn name(&self) -> Option<&[u8]> {
        self.values(b"event").last()
    }

    /// The last `id` field: where a client could resume.
    pub fn id(&self) -> Option<&[u8]> {
        self.values(b"id").last()
    }

    /// The last `retry` field: how long to stay away before resuming. Anything but digits is no such field.
    pub fn retry(&self) -> Option<Duration> {
        let digits = self.values(b"retry").last().filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
        std::str::from_utf8(digits).ok()?.parse().ok().map(Duration::from_millis)
    }

    /// The same event with another payload; every other line stays as it was.
    #[must_use]
    pub fn with_data(&self, data: &[u8]) -> Bytes {
        let mut out = BytesMut::with_capacity(self.raw.len() + data.len());
        let (bom, lines) = self.raw.split_at(self.skip);
        let mut written = false;
        out.put_slice(bom);
        for (line, ending) in Lines(lines) {
            if !is_field(line, b"data") {
                if line.is_empty() && ending == b"\n" && out.ends_with(b"\r") {
                    out.put_u8(b'\n'); // a line between them is gone: without this, CR and LF would be one ending
                }
                out.put_slice(line);
                out.put_slice(ending);
            } else if !std::mem::replace(&mut written, true) {
                for part in data.split(|byte| matches!(byte, b'\n' | b'\r')) {
                    out.put_slice(b"data: ");
                    out.put_slice(part);
                    out.put_slice(ending);
                }
            }
        }
        out.freeze()
    }

    fn values<'a>(&'a self, field: &'static [u8]) -> impl Iterator<Item = &'a [u8]> {
        let lines = self.raw.get(self.skip..).unwrap_or_default();
        Lines(lines).filter(move |(line, _)| is_field(line, field)).map(move |(line, _)| {
            let value = line.get(field.len() + 1..).unwrap_or_default();
            value.strip_prefix(b" ").unwrap_or(value)
        })
    }
}

/// `field`, or `field:` and a value.
fn is_field(line: &[u8], field: &[u8]) -> bool {
    line.strip_prefix(field).is_some_and(|rest| matches!(rest, [] | [b':', ..]))
}

/// Lines with their endings: LF, CR, CRLF, or none at the end of the stream.
struct Lines<'a>(&'a [u8]);

impl<'a> Iterator for Lines<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let end = self.0.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(self.0.len());
        let (line, rest) = self.0.split_at(end);
        let ending = match rest {
            [b'\r', b'\n', ..] => 2,
            [] => 0,
            _ => 1,
        };
        let (ending, rest) = rest.split_at(ending);
        self.0 = rest;
        Some((line, ending))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(raw: &'static str) -> Event {
        Event::new(Bytes::from_static(raw.as_bytes()), true)
    }

    #[test]
    fn comments_unknown_fields_and_near_names_are_no_data() {
        assert_eq!(event(": data: 1\ndatax: 2\nData: 3\n data: 4\n\n").data(), None);
    }

    #[test]
    fn one_space_after_the_colon_is_dropped_and_no_more() {
        assert_eq!(event("data:  a\n\n").data().as_deref(), Some(&b" a"[..]));
        assert_eq!(event("data\n\n").data().as_deref(), Some(&b""[..]));
    }

    #[test]
    fn data_lines_join_by_line_feeds_whatever_their_endings() {
        assert_eq!(event("data: {\r\ndata:\rdata: }\n\n").data().as_deref(), Some(&b"{\n\n}"[..]));
    }

    #[test]
    fn only_digits_say_how_long_to_stay_away() {
        for (raw, away) in [
            ("retry: 500\n\n", Some(500)),
            ("retry: 5s\n\n", None),
            ("retry:\n\n", None),
            ("retry: -1\n\n", None),
        ] {
            assert_eq!(event(raw).retry(), away.map(Duration::from_millis), "{raw}");
        }
    }

    #[test]
    fn a_byte_order_mark_is_skipped_only_at_the_start_of_the_stream() {
        let raw = Bytes::from_static(b"\xef\xbb\xbfdata: 1\n\n");
        assert_eq!(Event::new(raw.clone(), true).data().as_deref(), Some(&b"1"[..]));
        assert_eq!(Event::new(raw, false).data(), None);
    }

    #[test]
    fn an_edited_event_keeps_every_other_line_and_its_line_endings() {
        let before = event("\u{feff}event: message\r\n: note\r\ndata: [1,\r\ndata: 2]\r\nid: 7\r\n\r\n");
        let after = before.with_data(b"[1]");
        assert_eq!(&after[..], "\u{feff}event: message\r\n: note\r\ndata: [1]\r\nid: 7\r\n\r\n".as_bytes());
    }

    #[test]
    fn a_payload_of_several_lines_becomes_several_data_lines() {
        assert_eq!(&event("data: 1\r\n\n").with_data(b"2\n3")[..], b"data: 2\r\ndata: 3\r\n\n");
    }

    #[test]
    fn mixed_line_endings_never_merge_into_one() {
        assert_eq!(&event("data: 1\rdata: 2\n\n").with_data(b"3")[..], b"data: 3\r\n\n");
        assert_eq!(&event("data: 1\n: c\rdata: 2\n\n").with_data(b"3")[..], b"data: 3\n: c\r\n\n");
    }
}
