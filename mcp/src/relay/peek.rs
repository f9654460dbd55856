//! Whether a message is a response, from its first telling member: the payload behind it is not read.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// True for a response. Requests, notifications, and what is no message at all are none.
pub(super) fn is_response(json: &[u8]) -> bool {
    let mut found = false;
    let visitor = FirstTelling { found: &mut found };
    // The walk ends in the middle of the object, which the parser reports and nobody minds.
    let _ = serde_json::Deserializer::from_slice(json).deserialize_map(visitor);
    found
}

struct FirstTelling<'f> {
    found: &'f mut bool,
}

impl<'de> Visitor<'de> for FirstTelling<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Key(key)) = map.next_key()? {
            match &*key {
                "method" => return Ok(()),
                "result" | "error" => {
                    *self.found = true;
                    return Ok(());
                }
                _ => map.next_value::<IgnoredAny>().map(drop)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_response_is_told_apart() {
        for json in ["", "null", "[]", "{", "{}", r#"{"id":1}"#, r#"{"method":"x","id":1}"#, r#""result""#] {
            assert!(!is_response(json.as_bytes()), "{json}");
        }
    }

    #[test]
    fn the_first_telling_member_decides_and_the_rest_is_not_read() {
        assert!(is_response(br#"{"jsonrpc":"2.0","id":{"result":1},"result":{"never ended"#));
        assert!(is_response(br#"{"error":null"#));
    }
}
