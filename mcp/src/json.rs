//! Walking one JSON object without building it: each member as its decoded key and the borrowed text of its value.
//!
//! Nothing here recurses: the values are skipped by `serde_json`'s iterative scanner, whatever their depth.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// Calls `take` for each member, in order, duplicates included. An error means that `json` is not one whole object.
pub(crate) fn for_each_member<'a>(
    json: &'a str,
    take: impl FnMut(&str, &'a RawValue),
) -> Result<(), serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    deserializer.deserialize_map(Members { take })?;
    deserializer.end()
}

struct Members<F> {
    take: F,
}

impl<'de, F: FnMut(&str, &'de RawValue)> Visitor<'de> for Members<F> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(Key(key)) = map.next_key()? {
            (self.take)(&key, map.next_value()?);
        }
        Ok(())
    }
}

/// One member of an object, if it is there once.
pub(crate) fn member<'a>(json: &'a str, name: &str) -> Option<&'a RawValue> {
    let (mut found, mut times) = (None, 0);
    for_each_member(json, |key, value| {
        if key == name {
            (found, times) = (Some(value), times + 1);
        }
    })
    .ok()?;
    found.filter(|_| times == 1)
}

/// The decoded text of a JSON string; nothing for any other value.
pub(crate) fn text<'a>(value: &'a RawValue) -> Option<Cow<'a, str>> {
    if !value.get().starts_with('"') {
        return None;
    }
    serde_json::from_str::<Key<'a>>(value.get()).ok().map(|Key(text)| text)
}

/// Whether the value is a JSON object. `RawValue` holds valid JSON without surrounding space, so one byte tells.
pub(crate) fn is_object(value: &RawValue) -> bool {
    value.get().starts_with('{')
}

/// Whether the value is `null`.
pub(crate) fn is_null(value: &RawValue) -> bool {
    value.get() == "null"
}
