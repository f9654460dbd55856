//! The seed of the demonstration, through the management API. Every step has an idempotency key, so a second start finds the first one's
//! organization, instance and keys again.

use http::Method;
use serde_json::{Value, json};

use super::rest::{Credential, Rest};
use crate::wiring::Running;

/// What the demonstration stands on.
#[derive(Debug)]
pub(super) struct Seeded {
    pub(super) mcp_url: String,
    pub(super) api_key: String,
    pub(super) admin_key: String,
    pub(super) organization: String,
    pub(super) instance: String,
}

/// Makes organization, server, connection, instance and key.
pub(super) async fn seed(running: &Running, upstream: &str) -> Result<Seeded, String> {
    let base = format!("http://{}", running.address);
    let rest = Rest::new(&base);
    let founder = Credential::Bootstrap(running.bootstrap_token.clone());
    let founding = json!({ "organization": { "slug": "demo", "name": "Demo" }, "owner": { "name": "Demo" } });
    let answer = rest.send(Method::POST, "/v1/bootstrap", &founder, Some("demo-1"), &founding).await?;
    let organization = text(&answer, "organization_id")?;
    let admin_key = text(&answer, "api_key")?;
    let admin = Credential::Key(admin_key.clone());
    let root = format!("/v1/organizations/{organization}");

    // The demo server listens on another port at every start: registered once, then moved.
    let registered = json!({ "name": "Demo tools", "transport": { "http": { "url": "http://127.0.0.1:9/mcp" } }, "credential_fields": [], "visibility": "organization" });
    let server =
        rest.send(Method::POST, &format!("{root}/servers"), &admin, Some("demo-2"), &registered).await?;
    let server = text(&server, "id")?;
    let moved = json!({ "name": "Demo tools", "transport": { "http": { "url": upstream } }, "credential_fields": [], "visibility": "organization" });
    rest.send(Method::PUT, &format!("{root}/servers/{server}"), &admin, None, &moved).await?;

    let connection = json!({ "server": server, "name": "Demo" });
    let connection =
        rest.send(Method::POST, &format!("{root}/connections"), &admin, Some("demo-3"), &connection).await?;
    let instance = json!({ "name": "Demo", "connections": [text(&connection, "id")?], "tools": "all", "authentication": "api_key" });
    let instance =
        rest.send(Method::POST, &format!("{root}/instances"), &admin, Some("demo-4"), &instance).await?;
    let instance = text(&instance, "id")?;
    let key = json!({ "name": "Demo", "scopes": ["mcp:write"], "instance": instance });
    let key = rest.send(Method::POST, &format!("{root}/api-keys"), &admin, Some("demo-5"), &key).await?;
    Ok(Seeded {
        mcp_url: format!("{}/mcp/{instance}", running.url),
        api_key: text(&key, "api_key")?,
        admin_key,
        organization,
        instance,
    })
}

fn text(answer: &Value, name: &str) -> Result<String, String> {
    let found = answer.get(name).and_then(Value::as_str).map(str::to_owned);
    found.ok_or_else(|| format!("the management API answered without {name}"))
}
