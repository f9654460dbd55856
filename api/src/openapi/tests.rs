//! What holds for every row of the table, and for the document made of it.

use std::collections::{BTreeMap, BTreeSet};

use domain::value::Scope;

use super::*;
use crate::admin::areas;
use crate::wiring::RealPorts;

fn rows() -> Vec<Route<RealPorts>> {
    areas::<RealPorts>().into_iter().flat_map(|area| area.routes).collect()
}

fn whole() -> Value {
    let url = crate::token::PublicUrl::parse("https://mcp.example.com").unwrap();
    let pages: Vec<_> = crate::oauth::authorize_routes().into_iter().chain(crate::people::routes()).collect();
    document(&areas::<RealPorts>(), &crate::oauth::routes(&url), &pages, "__Host-sekisho")
}

/// Every object inside a value, itself included.
fn objects(value: &Value) -> Vec<&Map<String, Value>> {
    match value {
        Value::Object(object) => std::iter::once(object).chain(object.values().flat_map(objects)).collect(),
        Value::Array(items) => items.iter().flat_map(objects).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => vec![],
    }
}

fn members(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema.get("properties").and_then(Value::as_object).into_iter().flatten()
}

#[test]
fn no_two_rows_share_an_operation_or_an_address() {
    let (mut operations, mut addresses) = (BTreeSet::new(), BTreeSet::new());
    for row in rows() {
        assert!(!row.operation.is_empty() && !row.summary.is_empty(), "{row:?}");
        assert!(operations.insert(row.operation), "{} twice", row.operation);
        assert!(addresses.insert((row.path, row.method.to_string())), "{row:?} twice");
    }
}

/// Whether an address shows history or what follows from it, which is for auditors.
fn looks_back(path: &str) -> bool {
    path.starts_with("/v1/events")
        || path.starts_with("/v1/authz/")
        || path.starts_with("/v1/audit/")
        || path.starts_with("/v1/log/")
        || path.starts_with("/v1/organizations/{organization}/events")
        || path.starts_with("/v1/calls")
        || path.starts_with("/v1/organizations/{organization}/calls")
}

#[test]
fn whatever_lies_below_an_organization_takes_a_credential_of_it() {
    for row in rows() {
        let expected = match row.access {
            Access::Bootstrap => row.path == "/v1/bootstrap",
            Access::AnyKey => row.path == "/v1/me" && !row.writes,
            // What looks back takes any auditor's key and reaches as far as the key does; it writes nothing.
            Access::Key(Scope::AuditRead) => looks_back(row.path) && !row.writes,
            // Whose password it is, and who answers for them, is the use case's to judge: a person may be a member of many.
            Access::Key(_) => {
                row.path.starts_with("/v1/me/")
                    || row.path == "/v1/organizations"
                    || row.path == "/v1/users/{user}/password"
            }
            Access::Organization(_) => row.path.starts_with("/v1/organizations/{organization}"),
            Access::Administrator(_) => {
                row.path.starts_with("/v1/deployment") || row.path.starts_with("/v1/projections")
            }
        };
        assert!(expected, "{row:?}");
    }
}

#[test]
fn reading_takes_a_scope_that_reads_and_writing_one_that_writes() {
    for row in rows() {
        let scope = match &row.access {
            Access::Bootstrap | Access::AnyKey => continue,
            Access::Key(scope) | Access::Organization(scope) | Access::Administrator(scope) => {
                scope.to_string()
            }
        };
        let of_its_noun = match row.path {
            path if path.contains("/api-keys") => "keys:write",
            path if path.contains("/clients") || path.contains("/grants") => "clients:write",
            _ => "org:write",
        };
        let read = if looks_back(row.path) { "audit:read" } else { "org:read" };
        assert_eq!(scope, if row.writes { of_its_noun } else { read }, "{row:?}");
        // What-if has a body, and writes nothing.
        let asks = row.path == "/v1/authz/what-if";
        assert_eq!(row.writes, row.method != http::Method::GET && !asks, "{row:?}");
    }
}

#[test]
fn one_name_means_one_schema() {
    let mut known = BTreeMap::new();
    for row in rows() {
        for (name, schema) in row.request.iter().chain([&row.response.1]).flat_map(|of| &of.needs) {
            let schema = json!(schema);
            let before = known.entry(name.clone()).or_insert_with(|| schema.clone());
            assert_eq!(*before, schema, "two schemas are called {name}");
        }
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let document = whole();
    for object in objects(&document) {
        if let Some(Value::String(target)) = object.get("$ref") {
            let pointer = target.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{target}");
        }
    }
}

#[test]
fn every_member_of_every_schema_says_what_it_is() {
    for (name, schema) in whole()["components"]["schemas"].as_object().unwrap() {
        assert!(schema.get("description").is_some(), "{name}");
        for (member, of) in members(schema) {
            // of a member that may be null, the one that is not null says it
            let said = std::iter::once(of).chain(of["oneOf"].as_array().into_iter().flatten());
            let about = said.filter_map(|one| one["description"].as_str()).find(|text| !text.is_empty());
            assert!(about.is_some(), "{name}.{member}");
        }
    }
}

#[test]
fn commands_take_no_member_that_they_do_not_know() {
    for row in rows() {
        for (name, schema) in row.request.iter().flat_map(|of| &of.needs) {
            let schema = json!(schema);
            if members(&schema).next().is_some() {
                assert_eq!(schema["additionalProperties"], json!(false), "{name}");
            }
        }
    }
}

#[test]
fn only_commands_take_an_idempotency_key_and_answer_with_a_position_and_say_whether_they_are_visible() {
    let document = whole();
    for row in rows() {
        let operation = &document["paths"][row.path][row.method.as_str().to_ascii_lowercase()];
        let takes = |name| operation["parameters"].as_array().unwrap().iter().any(|one| one["name"] == name);
        assert_eq!(takes("Idempotency-Key"), row.writes, "{row:?}");
        assert_eq!(takes("cursor"), row.paged, "{row:?}");
        let answer =
            &operation["responses"][row.response.0.as_str()]["content"]["application/json"]["schema"];
        let positions = answer.pointer("/allOf/1/properties/position");
        assert_eq!(positions.is_some(), row.writes, "{row:?}");
        let headers = &operation["responses"][row.response.0.as_str()]["headers"];
        assert_eq!(headers.get("Sekisho-Visible").is_some(), row.writes, "{row:?}");
    }
}

#[test]
fn no_read_shows_a_secret() {
    for row in rows().iter().filter(|row| !row.writes) {
        for (name, schema) in &row.response.1.needs {
            for (member, _) in members(&json!(schema)) {
                let shown =
                    ["api_key", "client_secret", "secret", "digest", "hash"].contains(&member.as_str());
                assert!(!shown, "{row:?} shows {name}.{member}");
            }
        }
    }
}

#[test]
fn a_body_is_asked_for_where_a_member_is_and_nowhere_else() {
    let document = whole();
    let required =
        |path: &str, method: &str| document["paths"][path][method]["requestBody"]["required"].clone();
    assert_eq!(required("/v1/organizations", "post"), json!(true));
    assert_eq!(required("/v1/organizations/{organization}/api-keys/{api_key}", "delete"), json!(false));
    assert_eq!(required("/v1/organizations/{organization}/instances/{instance}/start", "post"), Value::Null);
}
