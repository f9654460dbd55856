//! JSON Schemas (2020-12) of every event, made from the types themselves and committed in `schemas/`: the contract with whoever reads them
//! outside of Sekisho. What was released is only ever added to.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Value, json};

use super::Event;
use super::tests::{all_samples, snapshots};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas")
}

fn generator() -> SchemaGenerator {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings.for_serialize().into_generator()
}

/// One schema for each event of a noun, by name and version.
pub(super) fn of_noun<E: JsonSchema>(aggregate_type: &str, types: &[(&str, u32)]) -> BTreeMap<String, Value> {
    let mut schemas = BTreeMap::new();
    let all = serde_json::to_value(generator().into_root_schema_for::<E>()).unwrap();
    for (event_type, version) in types {
        let is_it = |variant: &&Value| variant["required"] == json!([event_type]);
        let variant = all["oneOf"].as_array().unwrap().iter().find(is_it);
        let mut schema = variant.unwrap_or_else(|| panic!("{event_type} in {all}")).clone();
        let name = format!("{aggregate_type}.{event_type}.v{version}");
        schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
        schema["$id"] = json!(format!("urn:sekisho:schema:{name}"));
        schema["title"] = json!(format!("{aggregate_type}.{event_type}, version {version}"));
        schemas.insert(name, schema);
    }
    schemas
}

/// The committed ones, also of versions that nothing writes any more.
fn committed() -> BTreeMap<String, Value> {
    let files = std::fs::read_dir(folder()).into_iter().flatten().map(|entry| entry.unwrap().path());
    let read = |path: PathBuf| {
        let name = path.file_name()?.to_str()?.strip_suffix(".schema.json")?.to_owned();
        let schema = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        (name != "envelope").then_some((name, schema))
    };
    files.filter_map(read).collect()
}

/// Whether everything that read `old` can read `new`: nothing is gone and nothing else is demanded.
fn only_adds(old: &Value, new: &Value) -> bool {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => old.iter().all(|(key, was)| match key.as_str() {
            "description" | "title" => true, // words
            "required" => new.get(key) == Some(was),
            _ => new.get(key).is_some_and(|is| only_adds(was, is)),
        }),
        (Value::Array(old), Value::Array(new)) => {
            old.iter().all(|was| new.iter().any(|is| only_adds(was, is)))
        }
        (
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_),
            _,
        ) => old == new,
    }
}

#[test]
fn what_was_released_is_only_added_to() {
    let old = json!({ "properties": { "a": { "type": "string" } }, "required": ["a"], "enum": ["x"] });
    let with = |change: fn(&mut Value)| {
        let mut new = old.clone();
        change(&mut new);
        only_adds(&old, &new)
    };
    assert!(with(|new| new["properties"]["b"] = json!({ "type": "string" })));
    assert!(with(|new| new["enum"] = json!(["w", "x"])));
    assert!(!with(|new| new["required"] = json!(["a", "b"])));
    assert!(!with(|new| new["required"] = json!([])));
    assert!(!with(|new| new["properties"] = json!({ "b": { "type": "string" } })));
    assert!(!with(|new| new["properties"]["a"] = json!({ "type": "integer" })));
    assert!(!with(|new| new["enum"] = json!(["y"])));
}

#[test]
fn the_committed_schemas_are_those_of_the_types() {
    let write = std::env::var_os("SEKISHO_WRITE_GENERATED").is_some();
    let before = committed();
    for (name, schema) in Event::schemas() {
        if let Some(before) = before.get(&name) {
            assert!(only_adds(before, &schema), "{name} was released: give the event a new version instead");
        }
        if write {
            std::fs::create_dir_all(folder()).unwrap();
            let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
            std::fs::write(folder().join(format!("{name}.schema.json")), text).unwrap();
        }
        let committed = committed();
        assert_eq!(committed.get(&name), Some(&schema), "run the tests once with SEKISHO_WRITE_GENERATED=1");
    }
    let mut catalogue = Event::catalogue();
    for name in committed().keys() {
        let known = catalogue.any(|(aggregate_type, event_type, version)| {
            (1..=version).any(|version| *name == format!("{aggregate_type}.{event_type}.v{version}"))
        });
        catalogue = Event::catalogue();
        assert!(known, "{name} is no event");
    }
}

#[test]
fn everything_that_was_ever_written_is_as_its_schema_says() {
    let schemas = committed();
    let mut checked = 0;
    let written = snapshots().into_iter().map(|(_, place, json)| (place, json));
    let now = all_samples().into_iter().map(|(_, event)| {
        let (aggregate_type, event_type, version) = event.name();
        let place = (aggregate_type.to_owned(), event_type.to_owned(), version);
        (place, serde_json::to_string(&event).unwrap())
    });
    for ((aggregate_type, event_type, version), json) in written.chain(now) {
        let payload: Value = serde_json::from_str(&json).unwrap();
        let name = format!("{aggregate_type}.{event_type}.v{version}");
        let schema = schemas.get(&name).unwrap_or_else(|| panic!("{name} has no schema"));
        let validator = jsonschema::draft202012::new(schema).unwrap();
        let errors: Vec<String> = validator.iter_errors(&payload).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{name}: {errors:?} in {payload}");
        assert!(!validator.is_valid(&json!({ "another": payload })), "{name} takes anything");
        checked += 1;
    }
    assert!(checked > 100, "{checked}");
}
