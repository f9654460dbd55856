//! One's own organization in the path, and inside it the real id of somebody else's thing: not found, like an id of nothing, and nothing
//! happens.
//!
//! The routes and their bodies come from the served OpenAPI document, so a new route is covered when it is written; a new noun in a path
//! fails here until it is told what to put in its place.

use harness::{Http, World};
use hyper::Method;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::access::a_second_owner;

/// Another tenant with one of everything.
struct Rival {
    user: String,
    server: String,
    connection: String,
    instance: String,
    api_key: String,
    client: String,
    grant: String,
    call: String,
}

impl Rival {
    async fn of(world: &World) -> Self {
        let body = json!({ "slug": "rival", "name": "Rival" });
        let organization = world.admin().post("/v1/organizations", &body).await.good();
        let owner = world.node.http().as_key(organization["api_key"].as_str().unwrap());
        let base = format!("/v1/organizations/{}", organization["id"].as_str().unwrap());
        let made = async |path: &str, body: Value| {
            let made = owner.post(&format!("{base}{path}"), &body).await.good();
            made["id"].as_str().unwrap_or_else(|| panic!("no id in {made}")).to_owned()
        };
        let user = made("/users", json!({ "name": "Rita" })).await;
        let member = format!("{base}/members/{user}");
        owner.json(Method::PUT, &member, &json!({ "role": "member" })).await.good();
        let field = json!({ "name": "api_token", "header": "authorization", "required": false });
        let server = json!({
            "name": "Wiki", "visibility": "organization", "credential_fields": [field],
            "transport": { "http": { "url": "https://mcp.example.com/mcp" } },
        });
        let server = made("/servers", server).await;
        let connection = made("/connections", json!({ "server": server, "name": "Wiki" })).await;
        let instance = json!({ "name": "Desk", "connections": [connection], "tools": "all", "authentication": "api_key" });
        let instance = made("/instances", instance).await;
        let api_key = made("/api-keys", json!({ "name": "Key", "scopes": ["mcp:read"] })).await;
        let client =
            json!({ "name": "App", "kind": "confidential", "redirect_uris": [], "scopes": ["mcp:read"] });
        let client = made("/clients", client).await;
        let grant = world.consent(&user, &client, &instance, &["mcp:read"]).await.id.to_string();
        let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" });
        owner.post(&format!("/mcp/{instance}"), &ping).await;
        let call = loop {
            let recorded = owner.get(&format!("{base}/calls")).await.good();
            if let Some(id) = recorded["items"][0]["id"].as_str() {
                break id.to_owned();
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        };
        Self { user, server, connection, instance, api_key, client, grant, call }
    }

    fn id(&self, parameter: &str) -> &str {
        match parameter {
            "{user}" => &self.user,
            "{server}" => &self.server,
            "{connection}" => &self.connection,
            "{instance}" => &self.instance,
            "{api_key}" => &self.api_key,
            "{client}" => &self.client,
            "{grant}" => &self.grant,
            "{call}" => &self.call,
            other => panic!("what is a rival's {other}? say it in this test"),
        }
    }
}

/// One operation on something inside an organization, with a body that it takes.
struct Operation {
    method: Method,
    path: String,
    body: Value,
}

impl Operation {
    fn with(&self, organization: &str, id: impl Fn(&str) -> String) -> String {
        let part = |part: &str| match part {
            "{organization}" => organization.to_owned(),
            parameter if parameter.starts_with('{') => id(parameter),
            fixed => fixed.to_owned(),
        };
        self.path.split('/').map(part).collect::<Vec<_>>().join("/")
    }
}

async fn operations_with_two_ids(world: &World) -> Vec<Operation> {
    let document = world.node.http().get("/openapi.json").await.good();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        if !path.starts_with("/v1/organizations/{organization}/") || path.matches('{').count() < 2 {
            continue;
        }
        for (method, operation) in item.as_object().unwrap() {
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            let method = method.to_uppercase().parse().unwrap();
            let body = if schema.is_null() { json!({}) } else { example(&document, schema) };
            operations.push(Operation { method, path: path.clone(), body });
        }
    }
    assert!(operations.len() > 25, "only {} operations", operations.len());
    operations
}

/// A value that a schema describes: its example where it has one, else as little as is required.
fn example(document: &Value, schema: &Value) -> Value {
    if let Some(example) = schema.get("example").or_else(|| schema["examples"].get(0)) {
        return example.clone();
    }
    if let Some(target) = schema["$ref"].as_str() {
        return example(document, document.pointer(target.trim_start_matches('#')).unwrap());
    }
    if let Some(one) = schema["oneOf"].as_array().and_then(|of| of.iter().find(|one| one["type"] != "null")) {
        return example(document, one);
    }
    if let Some(name) = schema["enum"].as_array().and_then(|names| names.first()) {
        return name.clone();
    }
    match schema["type"].as_str() {
        Some("object") => {
            let required = schema["required"].as_array().into_iter().flatten();
            let member = |name: &Value| {
                let name = name.as_str().unwrap();
                (name.to_owned(), example(document, &schema["properties"][name]))
            };
            Value::Object(required.map(member).collect::<Map<_, _>>())
        }
        Some("array") => json!([example(document, &schema["items"])]),
        Some("string") if schema["format"] == "uuid" => json!(Uuid::new_v4()),
        Some("string") => json!("text"),
        Some("boolean") => json!(false),
        _ => panic!("what is an example of {schema}? say it in this test"),
    }
}

async fn head(world: &World) -> i64 {
    let head = sqlx::query_scalar("select coalesce(max(global_position), 0) from events");
    head.fetch_one(&world.node.running.pool).await.unwrap()
}

#[tokio::test]
async fn a_real_id_of_another_tenant_under_the_own_organization_is_not_found_and_nothing_happens() {
    let world = World::start().await;
    let rival = Rival::of(&world).await;
    let ben = a_second_owner(&world).await;
    let before = head(&world).await;
    for operation in &operations_with_two_ids(&world).await {
        let Operation { method, path, body } = operation;
        let foreign = operation.with(&world.organization, |parameter| rival.id(parameter).to_owned());
        let nothing = operation.with(&world.organization, |_| Uuid::new_v4().to_string());
        let send = async |http: &Http, path: &str| http.json(method.clone(), path, body).await;
        let answer = send(&ben, &foreign).await;
        assert_eq!(answer.status.as_u16(), 404, "{method} {path} {body} {:?}", answer.bytes);
        assert_eq!(answer.bytes, send(&ben, &nothing).await.bytes, "{method} {path} tells the two apart");
    }
    assert_eq!(head(&world).await, before, "something happened");
}

#[tokio::test]
async fn a_real_id_of_another_tenant_in_a_body_is_not_found_and_nothing_happens() {
    let world = World::start().await;
    let rival = Rival::of(&world).await;
    let ben = a_second_owner(&world).await;
    let before = head(&world).await;
    let instance = |connection: &str| json!({ "name": "Desk", "connections": [connection], "tools": "all", "authentication": "api_key" });
    let key = |bound: &str, id: &str| json!({ "name": "Key", "scopes": ["org:read"], bound: id });
    let nothing = Uuid::new_v4().to_string();
    for (path, foreign, none) in [
        (
            "/connections",
            json!({ "server": rival.server, "name": "Wiki" }),
            json!({ "server": nothing, "name": "Wiki" }),
        ),
        ("/instances", instance(&rival.connection), instance(&nothing)),
        ("/api-keys", key("instance", &rival.instance), key("instance", &nothing)),
        ("/api-keys", key("principal", &rival.user), key("principal", &nothing)),
    ] {
        let answer = ben.post(&world.path(path), &foreign).await;
        assert_eq!(answer.status.as_u16(), 404, "{path} {foreign} {:?}", answer.bytes);
        assert_eq!(answer.bytes, ben.post(&world.path(path), &none).await.bytes, "{path} {foreign}");
    }
    assert_eq!(head(&world).await, before, "something happened");
}
