//! OpenAPI 3.1, generated from the table of routes: what is not in the table does not exist, what is in it is documented.

mod oauth;
mod pages;
mod schema;

use commands::Ports;
use serde_json::{Map, Value, json};

use crate::admin::{Access, Area, Route};
use crate::oauth::OauthRoute;
use crate::people::PageRoute;

use schema::in_path;
pub use schema::{Parameter, ParameterKind, SchemaOf};

/// Its events come one after the other, each with data of its own.
const EVENT_STREAM: &str = "text/event-stream";

/// The document. `cookie` is the name of the one that stands for a session.
pub(crate) fn document<P: Ports>(
    areas: &[Area<P>],
    oauth: &[OauthRoute<P>],
    pages: &[PageRoute<P>],
    cookie: &str,
) -> Value {
    let mut paths = Map::new();
    let mut schemas = Map::new();
    for area in areas {
        for route in &area.routes {
            for schema in route.request.iter().chain([&route.response.1]) {
                for (name, schema) in &schema.needs {
                    schemas.insert(name.clone(), json!(schema));
                }
            }
            let item = paths.entry(route.path).or_insert_with(|| json!({}));
            if let Some(item) = item.as_object_mut() {
                item.insert(route.method.as_str().to_ascii_lowercase(), operation(area.name, route));
            }
        }
    }
    oauth::insert(oauth, &mut paths, &mut schemas);
    pages::insert(pages, &mut paths, &mut schemas);
    schemas.insert("Problem".to_owned(), problem());
    let mut tags: Vec<Value> =
        areas.iter().map(|area| json!({ "name": area.name, "description": area.about })).collect();
    tags.push(json!({ "name": oauth::TAG, "description": oauth::ABOUT }));
    tags.push(json!({ "name": pages::TAG, "description": pages::ABOUT }));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Sekisho management API",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Every write answers with its Position (header Sekisho-Position and field position) and is visible on the answering node, unless the header Sekisho-Visible says false; every read takes at_least to wait for one. Errors are problem details (RFC 9457) with a stable type.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "apiKey": { "type": "apiKey", "in": "header", "name": "x-api-key", "description": "sk_<env>_<id>_<secret><checksum>" },
                "client": { "type": "http", "scheme": "basic", "description": "An OAuth client: its id and its secret, each form-encoded; or both in the form, where it is registered so" },
                "session": { "type": "apiKey", "in": "cookie", "name": cookie, "description": "The browser of somebody who is signed in" },
                "registration": { "type": "http", "scheme": "bearer", "description": "What lets somebody register a client: an API key; and what a client then manages its registration with: the token that it was given" },
                "bootstrapToken": { "type": "http", "scheme": "bearer", "description": "The token that founds a deployment" },
            },
        },
    })
}

fn operation<P>(area: &str, route: &Route<P>) -> Value {
    let (status, response) = &route.response;
    let mut operation = json!({
        "operationId": route.operation,
        "tags": [area],
        "summary": route.summary,
        "description": access_text(&route.access),
        "security": [security(&route.access)],
        "x-sekisho-access": access_name(&route.access),
        "parameters": parameters(route),
        "responses": {
            status.as_str(): {
                "description": route.summary,
                "headers": headers(route),
                "content": content(route, &json!(response.schema)),
            },
            "default": {
                "description": "A problem",
                "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
            },
        },
    });
    if let (Some(request), Some(operation)) = (&route.request, operation.as_object_mut()) {
        let body = json!({ "required": must_have_body(request), "content": { "application/json": { "schema": request.schema } } });
        operation.insert("requestBody".to_owned(), body);
    }
    operation
}

/// The answer in each media type that it comes in. Where one is a line or an event after the other, the schema is that of one of them.
fn content<P>(route: &Route<P>, schema: &Value) -> Value {
    let schema = answer(route, schema.clone());
    let each = |media_type: &&str| {
        let schema = if *media_type == EVENT_STREAM { server_sent(&schema) } else { schema.clone() };
        ((*media_type).to_owned(), json!({ "schema": schema }))
    };
    Value::Object(route.media_types.iter().map(each).collect())
}

/// An event of a stream (HTML, 9.2.6), whose data are of this schema.
fn server_sent(schema: &Value) -> Value {
    let data = "In JSON; none where only the time to wait before coming back is told";
    let end =
        json!({ "type": "object", "properties": { "reason": { "type": "string" } }, "required": ["reason"] });
    let schema = json!({ "anyOf": [schema, end] });
    json!({
        "type": "object",
        "description": "A server-sent event",
        "properties": {
            "id": { "type": "string", "description": "The position; give it as Last-Event-ID to go on behind it" },
            "event": { "type": "string", "description": "`end` for the last one, whose data are a reason" },
            "retry": { "type": "integer", "description": "Milliseconds to wait before coming back" },
            "data": { "type": "string", "description": data, "contentMediaType": "application/json", "contentSchema": schema },
        },
    })
}

fn headers<P>(route: &Route<P>) -> Value {
    let mut headers = json!({
        "Sekisho-Position": { "schema": { "type": "integer" }, "description": "Position of the write, or the one that was read at" },
    });
    if let (true, Some(headers)) = (route.writes, headers.as_object_mut()) {
        let visible = "Whether this node shows the write already. `false`, after some seconds of waiting: it is written and will not be lost, but a read here may not show it yet; read with at_least";
        let required = json!({ "schema": { "type": "boolean" }, "required": true, "description": visible });
        headers.insert("Sekisho-Visible".to_owned(), required);
        let everywhere = "With wait=all: ?1 when every node has applied the write, ?0 when those that have not must have stopped to decide without it, \
                          but for instances that are set to serve then; \
                          parameters: nodes, how many there are; slowest, the node that came last or has not come; millis, how long that took";
        let schema = json!({ "schema": { "type": "string" }, "description": everywhere, "example": "?1;nodes=3;millis=41" });
        headers.insert("Sekisho-Applied-Everywhere".to_owned(), schema);
    }
    let basis = "Where the view of the node was too old to admit the caller: postgres";
    if let Some(headers) = headers.as_object_mut() {
        let schema = json!({ "schema": { "type": "string", "enum": ["postgres"] }, "description": basis });
        headers.insert("Sekisho-Decision-Basis".to_owned(), schema);
    }
    headers
}

/// No body is read as the object without members, so only a member that is required makes the body so.
fn must_have_body(request: &SchemaOf) -> bool {
    let schema = request.needs.first().map(|(_, schema)| json!(schema)).unwrap_or_default();
    schema.get("required").and_then(Value::as_array).is_some_and(|names| !names.is_empty())
}

/// Writes answer with the position beside what the use case answered.
fn answer<P>(route: &Route<P>, schema: Value) -> Value {
    if !route.writes {
        return schema;
    }
    let position = json!({ "type": "integer", "minimum": 0, "description": "From this position on every reader sees the change" });
    json!({ "allOf": [schema, { "type": "object", "properties": { "position": position }, "required": ["position"] }] })
}

fn parameters<P>(route: &Route<P>) -> Vec<Value> {
    let mut parameters: Vec<Value> = route
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(in_path)
        .collect();
    let position = json!({ "type": "integer", "minimum": 0 });
    parameters.push(json!({ "name": "at_least", "in": "query", "schema": position, "description": "Wait until this node has reached the position" }));
    if route.paged {
        parameters.push(json!({ "name": "cursor", "in": "query", "schema": { "type": "string" }, "description": "next_cursor of the page before" }));
        parameters.push(json!({ "name": "limit", "in": "query", "schema": { "type": "integer", "minimum": 1, "maximum": 200, "default": 50 } }));
    }
    parameters.extend(route.parameters.iter().map(Parameter::described));
    if route.writes {
        let wait = json!({ "type": "string", "enum": ["all"] });
        let about = "Answer when the change holds on every node, or when those that have not heard of it must have stopped to decide without it: \
                     at the latest after the bound of SEKISHO_STALENESS_MAX. The header Sekisho-Applied-Everywhere tells which";
        parameters.push(json!({ "name": "wait", "in": "query", "schema": wait, "description": about }));
        let text = json!({ "type": "string", "minLength": 1, "maxLength": 255 });
        parameters.push(json!({ "name": "Idempotency-Key", "in": "header", "schema": text, "description": "The same key and request answer the same, once carried out" }));
    }
    parameters
}

/// The name of an access rule in the document and in the tests.
pub fn access_name(access: &Access) -> String {
    match access {
        Access::Bootstrap => "bootstrap".to_owned(),
        Access::AnyKey => "any key".to_owned(),
        Access::Key(scope) => format!("key {scope}"),
        Access::Organization(scope) => format!("organization {scope}"),
        Access::Administrator(scope) => format!("administrator {scope}"),
    }
}

fn access_text(access: &Access) -> String {
    match access {
        Access::Bootstrap => "Takes the bootstrap token, once: `Authorization: Bearer TOKEN`. It is the one of `--bootstrap-token`, or the text of the file `bootstrap-token` in the data folder.".to_owned(),
        Access::AnyKey => "Takes any good API key, whatever it opens.".to_owned(),
        Access::Key(scope) => format!("Takes an API key with the scope `{scope}`."),
        Access::Organization(scope) => format!(
            "Takes an API key of this organization with the scope `{scope}` and a role that reaches it."
        ),
        Access::Administrator(scope) => {
            format!("Takes an API key with the scope `{scope}` of an administrator of the deployment.")
        }
    }
}

fn security(access: &Access) -> Value {
    match access {
        Access::Bootstrap => json!({ "bootstrapToken": [] }),
        Access::AnyKey | Access::Key(_) | Access::Organization(_) | Access::Administrator(_) => {
            json!({ "apiKey": [] })
        }
    }
}

fn problem() -> Value {
    json!({
        "type": "object",
        "description": "Problem details (RFC 9457)",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": { "type": "string", "description": "Stable: urn:sekisho:problem:<code>" },
            "title": { "type": "string", "description": "The status in words" },
            "status": { "type": "integer", "description": "The HTTP status" },
            "detail": { "type": "string", "description": "What is wrong with this request, for people" },
        },
    })
}

#[cfg(test)]
mod tests;
