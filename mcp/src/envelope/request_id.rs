//! The id of a request: kept as the text that was sent, compared by what it means.
//!
//! Two readings are needed. Errors that we answer must carry the client's very text (`1.0` stays `1.0`), while the
//! upstream may write the same id in another form (`1`, or `"A"` for `"\u0041"`).

use serde_json::Number;

/// The longest id that is carried. Ids are echoed and kept for the life of a stream.
pub const REQUEST_ID_BYTES_MAX: usize = 1024;

/// A string or a number. `null` is no id in MCP.
#[derive(Debug, Clone)]
pub struct RequestId {
    raw: Box<str>,
    meaning: Meaning,
}

#[derive(Debug, Clone, PartialEq)]
enum Meaning {
    Text(Box<str>),
    Integer(i128),
    Fraction(f64),
}

impl RequestId {
    /// Reads the JSON text of an id.
    pub fn parse(json: &str) -> Option<Self> {
        if json.len() > REQUEST_ID_BYTES_MAX {
            return None;
        }
        let meaning = if json.starts_with('"') {
            Meaning::Text(serde_json::from_str::<Box<str>>(json).ok()?)
        } else {
            number(&serde_json::from_str::<Number>(json).ok()?)?
        };
        Some(Self { raw: json.into(), meaning })
    }

    /// The JSON text as it was sent.
    pub fn as_json(&self) -> &str {
        &self.raw
    }
}

impl PartialEq for RequestId {
    fn eq(&self, other: &Self) -> bool {
        self.meaning == other.meaning
    }
}

/// Whole floats become integers, because `1.0` and `1` are one number to every JSON reader.
fn number(number: &Number) -> Option<Meaning> {
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0; // 2^53: beyond it a float no longer names one integer
    if let Some(integer) = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from)) {
        return Some(Meaning::Integer(integer));
    }
    let float = number.as_f64()?;
    if float.fract() == 0.0 && float.abs() <= EXACT_MAX {
        #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53")]
        return Some(Meaning::Integer(float as i128));
    }
    Some(Meaning::Fraction(float))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(json: &str) -> RequestId {
        RequestId::parse(json).expect("an id")
    }

    #[test]
    fn what_is_neither_string_nor_number_is_no_id() {
        for json in ["null", "true", "{}", "[1]", "", "\"open", "1e999", "1 2", " "] {
            assert!(RequestId::parse(json).is_none(), "{json}");
        }
    }

    #[test]
    fn an_id_over_its_limit_is_refused() {
        assert!(RequestId::parse(&format!("\"{}\"", "x".repeat(REQUEST_ID_BYTES_MAX))).is_none());
    }

    #[test]
    fn the_text_stays_and_the_meaning_compares() {
        assert_eq!(id("1.0").as_json(), "1.0");
        assert_eq!(id("1.0"), id("1"));
        assert_eq!(id("1e2"), id("100"));
        assert_eq!(id("18446744073709551615"), id("18446744073709551615"));
        assert_eq!(id(r#""\u0041""#), id(r#""A""#));
        assert_ne!(id("1"), id(r#""1""#));
        assert_ne!(id("1.5"), id("1"));
    }
}
