//! The arguments of a tool that a request repeats as headers (SEP-2243): which ones, read from the tool's input schema, and how their values are written.
//!
//! A client must leave out a tool whose annotations break the rules: it could not be called by anybody who keeps them. An annotation counts only on
//! a property that is reached by `properties` alone, for what stands behind `items` or `anyOf` is not there for sure.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue};
use serde_json::Value;
use thiserror::Error;

use super::MCP_PARAM_PREFIX;

const ANNOTATION: &str = "x-mcp-header";

/// Keywords of JSON Schema 2020-12 (and `definitions`, which came before `$defs`) that hold schemas, by the form in which they do.
const NAMED_SCHEMAS: [&str; 5] =
    ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"];
const LISTED_SCHEMAS: [&str; 4] = ["allOf", "anyOf", "oneOf", "prefixItems"];
const SINGLE_SCHEMAS: [&str; 11] = [
    "items",
    "additionalProperties",
    "not",
    "if",
    "then",
    "else",
    "contains",
    "propertyNames",
    "unevaluatedItems",
    "unevaluatedProperties",
    "contentSchema",
];

/// The arguments that are repeated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RepeatedArguments(Vec<Repeated>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Repeated {
    path: Vec<String>,
    header: HeaderName,
}

/// An annotation that breaks the rules. Its tool must not be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadAnnotation {
    /// Somewhere else than on a property that is reached by `properties` alone.
    #[error("x-mcp-header stands where no argument is for sure")]
    Unreachable,
    /// No text, none in it, or more than a token (RFC 9110, 5.6.2).
    #[error("x-mcp-header is no token")]
    NoToken,
    /// On something else than an integer, a string or a boolean.
    #[error("x-mcp-header stands on what is neither integer, string nor boolean")]
    NotPrimitive,
    /// The same name, whatever its case, twice.
    #[error("x-mcp-header names one header twice")]
    Twice,
}

impl RepeatedArguments {
    /// Reads the annotations of an input schema.
    pub fn of_schema(schema: &Value) -> Result<Self, BadAnnotation> {
        let mut found = Self::default();
        found.walk(schema, Some(&mut Vec::new()))?;
        Ok(found)
    }

    /// The headers of a call with these arguments. What is absent or null is not repeated.
    pub fn headers(&self, arguments: &Value) -> Vec<(HeaderName, HeaderValue)> {
        let header = |repeated: &Repeated| {
            let value = repeated.path.iter().try_fold(arguments, |value, name| value.get(name))?;
            let text = match value {
                Value::String(text) => encode(text),
                Value::Bool(_) | Value::Number(_) => Cow::Owned(value.to_string()),
                Value::Null | Value::Array(_) | Value::Object(_) => return None,
            };
            Some((repeated.header.clone(), HeaderValue::from_str(&text).ok()?))
        };
        self.0.iter().filter_map(header).collect()
    }

    /// `path` is there as long as only `properties` lead here.
    fn walk(&mut self, schema: &Value, mut path: Option<&mut Vec<String>>) -> Result<(), BadAnnotation> {
        let Value::Object(members) = schema else { return Ok(()) };
        if let Some(annotation) = members.get(ANNOTATION) {
            let path = path.as_ref().filter(|path| !path.is_empty()).ok_or(BadAnnotation::Unreachable)?;
            self.add((*path).clone(), annotation, members.get("type"))?;
        }
        for (keyword, value) in members {
            match value {
                Value::Object(named) if NAMED_SCHEMAS.contains(&keyword.as_str()) => {
                    for (name, schema) in named {
                        match path.as_deref_mut().filter(|_| keyword == "properties") {
                            None => self.walk(schema, None)?,
                            Some(path) => {
                                path.push(name.clone());
                                self.walk(schema, Some(path))?;
                                path.pop();
                            }
                        }
                    }
                }
                Value::Array(listed) if LISTED_SCHEMAS.contains(&keyword.as_str()) => {
                    listed.iter().try_for_each(|schema| self.walk(schema, None))?;
                }
                _ if SINGLE_SCHEMAS.contains(&keyword.as_str()) => self.walk(value, None)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn add(
        &mut self,
        path: Vec<String>,
        annotation: &Value,
        kind: Option<&Value>,
    ) -> Result<(), BadAnnotation> {
        let name = annotation.as_str().filter(|name| !name.is_empty()).ok_or(BadAnnotation::NoToken)?;
        let header = HeaderName::from_bytes(format!("{MCP_PARAM_PREFIX}{name}").as_bytes())
            .map_err(|_| BadAnnotation::NoToken)?;
        if !matches!(kind.and_then(Value::as_str), Some("integer" | "string" | "boolean")) {
            return Err(BadAnnotation::NotPrimitive);
        }
        if self.0.iter().any(|other| other.header == header) {
            return Err(BadAnnotation::Twice);
        }
        self.0.push(Repeated { path, header });
        Ok(())
    }
}

/// A text as the value of a header: `=?base64?...?=` where it is not plain visible ASCII, could lose a space at its ends, or looks encoded already.
pub fn encode(text: &str) -> Cow<'_, str> {
    let visible = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    let trimmed = text.trim_matches(' ').len() == text.len();
    if visible && trimmed && !text.starts_with("=?base64?") {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(format!("=?base64?{}?=", STANDARD.encode(text)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(properties: &Value) -> Result<RepeatedArguments, BadAnnotation> {
        RepeatedArguments::of_schema(&json!({ "type": "object", "properties": properties }))
    }

    #[test]
    fn an_annotation_that_breaks_the_rules_is_told_by_the_rule() {
        for (properties, why) in [
            (json!({ "a": { "type": "string", "x-mcp-header": "" } }), BadAnnotation::NoToken),
            (json!({ "a": { "type": "string", "x-mcp-header": 3 } }), BadAnnotation::NoToken),
            (json!({ "a": { "type": "string", "x-mcp-header": "My Region" } }), BadAnnotation::NoToken),
            (json!({ "a": { "type": "string", "x-mcp-header": "Region:" } }), BadAnnotation::NoToken),
            (json!({ "a": { "type": "string", "x-mcp-header": "Région" } }), BadAnnotation::NoToken),
            (json!({ "a": { "type": "string", "x-mcp-header": "Region\t" } }), BadAnnotation::NoToken),
            (json!({ "a": { "type": "number", "x-mcp-header": "A" } }), BadAnnotation::NotPrimitive),
            (json!({ "a": { "type": "object", "x-mcp-header": "A" } }), BadAnnotation::NotPrimitive),
            (json!({ "a": { "type": "null", "x-mcp-header": "A" } }), BadAnnotation::NotPrimitive),
            (json!({ "a": { "x-mcp-header": "A" } }), BadAnnotation::NotPrimitive),
            (json!({ "a": { "type": ["string"], "x-mcp-header": "A" } }), BadAnnotation::NotPrimitive),
            (
                json!({ "a": { "type": "string", "x-mcp-header": "A" }, "b": { "type": "string", "x-mcp-header": "a" } }),
                BadAnnotation::Twice,
            ),
            (
                json!({ "a": { "type": "array", "items": { "type": "string", "x-mcp-header": "A" } } }),
                BadAnnotation::Unreachable,
            ),
            (
                json!({ "a": { "anyOf": [{ "properties": { "b": { "type": "string", "x-mcp-header": "A" } } }] } }),
                BadAnnotation::Unreachable,
            ),
        ] {
            assert_eq!(read(&properties), Err(why), "{properties}");
        }
        let root = json!({ "type": "string", "x-mcp-header": "A" });
        assert_eq!(RepeatedArguments::of_schema(&root), Err(BadAnnotation::Unreachable));
    }

    #[test]
    fn what_only_looks_like_an_annotation_is_none() {
        let example = json!({ "a": { "type": "object", "default": { "x-mcp-header": 1 }, "examples": [{ "x-mcp-header": "" }] } });
        assert_eq!(read(&example), Ok(RepeatedArguments::default()));
        let named_so = json!({ "x-mcp-header": { "type": "string" } });
        assert_eq!(read(&named_so), Ok(RepeatedArguments::default()));
        assert_eq!(RepeatedArguments::of_schema(&json!(true)), Ok(RepeatedArguments::default()));
    }

    #[test]
    fn arguments_are_repeated_as_their_kind_is_written_and_what_is_not_there_is_not() {
        let repeated = read(&json!({
            "region": { "type": "string", "x-mcp-header": "Region" },
            "deep": { "type": "object", "properties": { "count": { "type": "integer", "x-mcp-header": "Count" } } },
            "dry": { "type": "boolean", "x-mcp-header": "Dry" },
            "none": { "type": "string", "x-mcp-header": "None" },
            "gone": { "type": "string", "x-mcp-header": "Gone" },
        }))
        .expect("good annotations");
        let arguments = json!({ "region": "eu-1", "deep": { "count": -7 }, "dry": false, "none": null });
        let headers = repeated.headers(&arguments);
        let mut told: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (name.as_str(), value.to_str().expect("text"))).collect();
        told.sort_unstable();
        assert_eq!(
            told,
            [("mcp-param-count", "-7"), ("mcp-param-dry", "false"), ("mcp-param-region", "eu-1")]
        );
    }

    #[test]
    fn what_a_header_cannot_carry_as_it_is_is_encoded() {
        for plain in ["", "a b", "us-west1", "=?base64 is plain"] {
            assert_eq!(encode(plain), plain);
        }
        for (text, encoded) in [
            (" a", "=?base64?IGE=?="),
            ("a ", "=?base64?YSA=?="),
            ("日本", "=?base64?5pel5pys?="),
            ("a\r\nb", "=?base64?YQ0KYg==?="),
            ("=?base64?YQ==?=", "=?base64?PT9iYXNlNjQ/WVE9PT89?="),
        ] {
            assert_eq!(encode(text), encoded);
        }
    }
}
