//! The OAuth endpoints in the document: forms and metadata go in, JSON comes out, errors are those of RFC 6749.

use serde_json::{Map, Value, json};

use super::in_path;
use crate::oauth::{OauthAccess, OauthRoute};

/// The heading in the documentation.
pub(super) const TAG: &str = "OAuth";
/// What it is about, in one sentence.
pub(super) const ABOUT: &str = "Sekisho as authorization server: discovery, keys, tokens and the registration of clients. Errors are those of RFC 6749, 5.2, and RFC 7591, 3.2.2.";

/// The name of an access rule in the document and in the tests.
fn access_name(access: OauthAccess) -> &'static str {
    match access {
        OauthAccess::Anybody => "anybody",
        OauthAccess::Client => "client",
        OauthAccess::Registration => "registration",
        OauthAccess::OwnRegistration => "own registration",
    }
}

/// Adds the operations of these routes.
pub(super) fn insert<P>(
    routes: &[OauthRoute<P>],
    paths: &mut Map<String, Value>,
    schemas: &mut Map<String, Value>,
) {
    for route in routes {
        let request = route.request.as_ref().map(|taken| &taken.schema);
        for schema in request.into_iter().chain(&route.response.1) {
            for (name, schema) in &schema.needs {
                schemas.insert(name.clone(), json!(schema));
            }
        }
        for (number, path) in route.paths.iter().enumerate() {
            let item = paths.entry(path.clone()).or_insert_with(|| json!({}));
            if let Some(item) = item.as_object_mut() {
                let id = if number == 0 {
                    route.operation.to_owned()
                } else {
                    format!("{}{}", route.operation, number + 1)
                };
                item.insert(route.method.as_str().to_ascii_lowercase(), operation(route, path, &id));
            }
        }
    }
    schemas.insert("OauthError".to_owned(), error());
}

fn operation<P>(route: &OauthRoute<P>, path: &str, id: &str) -> Value {
    let problem = json!({ "schema": { "$ref": "#/components/schemas/Problem" } });
    let (status, response) = &route.response;
    let mut answer = json!({ "description": route.summary });
    if let (Some(schema), Some(answer)) = (response, answer.as_object_mut()) {
        let content = json!({ "application/json": { "schema": schema.schema } });
        answer.insert("content".to_owned(), content);
    }
    let mut operation = json!({
        "operationId": id,
        "tags": [TAG],
        "summary": route.summary,
        "description": match route.access {
            OauthAccess::Anybody => "Open to anybody.",
            OauthAccess::Client => "Takes a registered client, which proves who it is in the way that it is registered for.",
            OauthAccess::Registration => "As the deployment has it (`SEKISHO_REGISTRATION`): closed to everybody, open to whoever shows an API key with `clients:write` as the initial access token, or open to anybody.",
            OauthAccess::OwnRegistration => "Takes the registration access token of this very client.",
        },
        "security": match route.access {
            OauthAccess::Anybody => json!([]),
            OauthAccess::Client => json!([{ "client": [] }, {}]),
            OauthAccess::Registration => json!([{ "registration": [] }, {}]),
            OauthAccess::OwnRegistration => json!([{ "registration": [] }]),
        },
        "x-sekisho-access": access_name(route.access),
        "parameters": path_parameters(path),
        "responses": {
            status.as_str(): answer,
            "default": {
                "description": "A refusal",
                "content": {
                    "application/json": { "schema": { "$ref": "#/components/schemas/OauthError" } },
                    "application/problem+json": problem,
                },
            },
        },
    });
    if let (Some(taken), Some(operation)) = (&route.request, operation.as_object_mut()) {
        let content = json!({ taken.media_type: { "schema": taken.schema.schema } });
        operation.insert("requestBody".to_owned(), json!({ "required": true, "content": content }));
    }
    operation
}

/// What stands in an address.
pub(super) fn path_parameters(path: &str) -> Vec<Value> {
    let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    names.map(in_path).collect()
}

fn error() -> Value {
    json!({
        "type": "object",
        "description": "A refusal (RFC 6749, 5.2)",
        "required": ["error"],
        "properties": {
            "error": { "type": "string", "description": "What is wrong, as the RFCs name it" },
            "error_description": { "type": "string", "description": "What is wrong with this request, for people" },
        },
    })
}
