//! The tools of an instance as the API writes them: `"all"`, or the list of their names.

use std::collections::BTreeSet;
use std::fmt;

use domain::value::{ToolName, ToolSelection};
use serde::de::{Deserializer, Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

const ALL: &str = "all";

/// Which tools an instance exposes.
#[derive(Debug)]
pub(super) struct Tools(pub(super) ToolSelection);

impl Serialize for Tools {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            ToolSelection::All => ALL.serialize(serializer),
            ToolSelection::Only(names) => names.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Tools {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Selection).map(Self)
    }
}

/// Reads either form; an untagged enum would refuse without saying what is wrong.
struct Selection;

impl<'de> Visitor<'de> for Selection {
    type Value = ToolSelection;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"all\" or a list of tool names")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<ToolSelection, E> {
        if text == ALL {
            Ok(ToolSelection::All)
        } else {
            Err(E::custom("tools are \"all\" or a list of their names"))
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut names: A) -> Result<ToolSelection, A::Error> {
        let mut only = BTreeSet::new();
        while let Some(name) = names.next_element::<ToolName>()? {
            if !only.insert(name) {
                return Err(A::Error::custom("a tool is named twice"));
            }
        }
        Ok(ToolSelection::Only(only))
    }
}

impl PartialSchema for Tools {
    fn schema() -> RefOr<Schema> {
        let text = |about| ObjectBuilder::new().schema_type(Type::String).description(Some(about));
        let all = text("Whatever the server offers, now and later").enum_values(Some([ALL]));
        let only = ArrayBuilder::new()
            .items(text("The name of a tool as its server spells it"))
            .unique_items(true)
            .description(Some("Exactly these; an empty list exposes nothing"));
        let about = "Which tools an instance exposes: `all`, or the list of their names";
        OneOfBuilder::new().item(all).item(only).description(Some(about)).into()
    }
}

impl ToSchema for Tools {}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, String> {
        let tools: Tools = serde_json::from_str(text).map_err(|error| error.to_string())?;
        Ok(serde_json::to_string(&tools).unwrap())
    }

    #[test]
    fn what_is_neither_all_nor_a_list_is_refused_and_said_so() {
        for text in ["\"some\"", "{}", "3", "null", "[\"a\", 1]", "[\"a b\"]", "[\"a\", \"a\"]"] {
            let refused = read(text).unwrap_err();
            assert!(refused.contains("tool") || refused.contains("string"), "{text}: {refused}");
        }
    }

    #[test]
    fn both_forms_are_written_as_they_are_read() {
        assert_eq!(read("\"all\"").unwrap(), "\"all\"");
        assert_eq!(read("[\"echo\", \"add\"]").unwrap(), "[\"add\",\"echo\"]");
        assert_eq!(read("[]").unwrap(), "[]");
    }
}
