//! What a reader of the log saw: each position once and in order, or it says so at once; and the same events as the log holds.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use domain::value::Position;
use projections::LogReader;
use serde_json::Value;

/// One reader's account.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    last: u64,
    digest: DefaultHasher,
}

impl Seen {
    /// The last position.
    pub(super) const fn last(&self) -> u64 {
        self.last
    }

    /// Takes the next event as it is published.
    pub(super) fn take(&mut self, reader: &str, event: &Value) {
        let position = event["position"].as_u64().unwrap_or_else(|| panic!("{reader}: {event}"));
        assert_eq!(position, self.last + 1, "{reader} saw {position} after {}", self.last);
        self.last = position;
        let text = |name: &str| event[name].as_str().unwrap_or_else(|| panic!("{name} in {event}"));
        let sequence = event["sequence"].as_u64().unwrap();
        (text("aggregate"), text("id"), sequence, text("type")).hash(&mut self.digest);
        event["payload"].to_string().hash(&mut self.digest);
    }

    /// What a reader of the log itself sees.
    pub(super) async fn in_log(log: &LogReader) -> Self {
        let mut seen = Self::default();
        loop {
            let page = log.page(Position::new(seen.last)).await.unwrap();
            if page.is_empty() {
                return seen;
            }
            for event in &page {
                seen.take("the log", &serde_json::to_value(projections::Envelope::from(event)).unwrap());
            }
        }
    }

    /// Both saw the same.
    pub(super) fn must_be(&self, log: &Self, reader: &str) {
        assert_eq!(self.last, log.last, "{reader} ends where the log does not");
        assert_eq!(self.digest.finish(), log.digest.finish(), "{reader} saw other events than the log holds");
    }
}
