//! A world with four of everything, one of which may be deleted, so that there is something to be asked about: their ids, and who asks.

use std::fs;
use std::path::Path;

use harness::World;
use hyper::Method;
use serde_json::{Value, json};

use crate::people::Person;
use crate::people::browser::hidden;

/// Of each kind.
const COUNT: usize = 4;

/// Who asks.
pub(super) struct Credentials {
    /// The cookie of a browser in which somebody is signed in.
    pub(super) session: String,
    pub(super) client_id: String,
    pub(super) client_secret: String,
    /// The key of an organization that may go.
    pub(super) leaving_key: String,
}

async fn made(world: &World, path: &str, body: Value) -> Value {
    world.admin().post(&world.path(path), &body).await.good()
}

fn id(made: &Value) -> String {
    made["id"].as_str().expect("an id").to_owned()
}

/// Values as schemathesis reads a dictionary: one in quotes a line.
fn write(folder: &Path, name: &str, values: &[String]) {
    let lines: Vec<_> = values.iter().map(|value| format!("\"{value}\"")).collect();
    fs::write(folder.join(format!("{name}.dict")), lines.join("\n")).expect("it is written");
}

/// Makes them, and writes their ids into the folder.
pub(super) async fn seed(world: &World, folder: &Path) -> Credentials {
    let mut ids: [Vec<String>; 7] = Default::default();
    let [users, clients, api_keys, servers, connections, instances, organizations] = &mut ids;
    for number in 0..COUNT {
        let person = Person::member(world, &format!("Person{number}"), "viewer").await;
        users.push(person.id);
        let client = json!({ "name": "A client", "kind": "confidential", "redirect_uris": ["https://app.example.com/callback"], "scopes": ["mcp:write"] });
        clients.push(id(&made(world, "/clients", client).await));
        let key = json!({ "name": "A key", "scopes": ["mcp:read"] });
        api_keys.push(id(&made(world, "/api-keys", key).await));
        let server = json!({ "name": "A server", "transport": { "http": { "url": "http://127.0.0.1:9/mcp" } }, "credential_fields": [], "visibility": "organization" });
        let server = id(&made(world, "/servers", server).await);
        let connection =
            id(&made(world, "/connections", json!({ "server": server, "name": "A connection" })).await);
        let instance = json!({ "name": "An instance", "connections": [connection], "tools": "all", "authentication": "both" });
        instances.push(id(&made(world, "/instances", instance).await));
        servers.push(server);
        connections.push(connection);
        let other = json!({ "slug": format!("other{number}"), "name": "Another" });
        organizations.push(id(&world.admin().post("/v1/organizations", &other).await.good()));
    }
    let names = ["users", "clients", "api_keys", "servers", "connections", "instances", "organizations"];
    for (name, values) in names.into_iter().zip(&ids) {
        write(folder, name, values);
        write(folder, &format!("leaving_{name}"), values.get(COUNT - 1..).unwrap_or_default());
    }
    write(folder, "organization", std::slice::from_ref(&world.organization));
    let leaving = json!({ "slug": "leaving", "name": "Leaving" });
    let leaving = world.admin().post("/v1/organizations", &leaving).await.good();
    write(folder, "leaving", &[id(&leaving)]);

    let mut browser = Person::member(world, "Bea", "member").await.browser(world).await;
    let page = browser.get("/account/password").await;
    let csrf = hidden(&page).into_iter().find(|(name, _)| name == "csrf").expect("a token in the form");
    write(folder, "csrf", &[csrf.1]);
    let client = json!({ "name": "The client", "kind": "confidential", "redirect_uris": ["https://app.example.com/callback"], "scopes": ["mcp:write"] });
    let client = made(world, "/clients", client).await;
    let text = |value: &Value, name: &str| value[name].as_str().expect("a text").to_owned();
    Credentials {
        session: browser.cookies["sekisho"].clone(),
        client_id: id(&client),
        client_secret: text(&client, "client_secret"),
        leaving_key: text(&leaving, "api_key"),
    }
}

/// The deployment goes on: none of what was asked ended the run.
pub(super) async fn goes_on(world: &World) {
    world.admin().json(Method::GET, "/v1/me", &json!({})).await.good();
    world.admin().get(&world.path("")).await.good();
}
