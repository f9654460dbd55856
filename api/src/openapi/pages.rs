//! People's pages in the document: a browser asks for them and sends their forms, and each answers with a page or leads on.

use serde_json::{Map, Value, json};

use super::Parameter;
use super::oauth::path_parameters;
use crate::people::{PageAccess, PageRoute};

/// The heading in the documentation.
pub(super) const TAG: &str = "Pages";
/// What it is about, in one sentence.
pub(super) const ABOUT: &str = "What people see in a browser: signing in, allowing clients, and taking that back. Whatever goes wrong is a page, too.";

/// The name of an access rule in the document and in the tests.
const fn access_name(access: PageAccess) -> &'static str {
    match access {
        PageAccess::Visitor => "visitor",
        PageAccess::Person => "person",
    }
}

/// Adds the operations of these pages.
pub(super) fn insert<P>(
    routes: &[PageRoute<P>],
    paths: &mut Map<String, Value>,
    schemas: &mut Map<String, Value>,
) {
    for route in routes {
        for (name, schema) in route.form.iter().flat_map(|form| &form.needs) {
            schemas.insert(name.clone(), json!(schema));
        }
        let item = paths.entry(route.path).or_insert_with(|| json!({}));
        if let Some(item) = item.as_object_mut() {
            item.insert(route.method.as_str().to_ascii_lowercase(), operation(route));
        }
    }
}

fn operation<P>(route: &PageRoute<P>) -> Value {
    let page = json!({ "text/html": { "schema": { "type": "string" } } });
    let leads = "Where the browser goes on to: a page of ours, or back to the client";
    let location =
        json!({ "Location": { "required": true, "schema": { "type": "string" }, "description": leads } });
    let mut parameters = path_parameters(route.path);
    parameters.extend(route.query.iter().map(Parameter::described));
    let mut operation = json!({
        "operationId": route.operation,
        "tags": [TAG],
        "summary": route.summary,
        "description": match (route.access, &route.form) {
            (PageAccess::Visitor, None) => "Open to anybody.",
            (PageAccess::Visitor, Some(_)) => "Open to anybody, by a form of our own page alone.",
            (PageAccess::Person, None) => "For people who are signed in; whoever is not is led to the sign-in.",
            (PageAccess::Person, Some(_)) => "For people who are signed in, by a form of our own page alone.",
        },
        "security": match route.access {
            PageAccess::Visitor => json!([]),
            PageAccess::Person => json!([{ "session": [] }]),
        },
        "x-sekisho-access": access_name(route.access),
        "parameters": parameters,
        "responses": {
            "200": { "description": route.summary, "content": page },
            "303": { "description": "Leads on", "headers": location },
            "default": { "description": "A page that says what is wrong", "content": page },
        },
    });
    if let (Some(form), Some(operation)) = (&route.form, operation.as_object_mut()) {
        let content = json!({ "application/x-www-form-urlencoded": { "schema": form.schema } });
        operation.insert("requestBody".to_owned(), json!({ "required": true, "content": content }));
    }
    operation
}
