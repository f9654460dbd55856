//! The seed of the demonstration, through the management API: an organization with an instance and a key, a person, and two OAuth clients. Every step has an idempotency key, so a second start finds the first one's
//! organization, instance and keys again.

use aws_lc_rs::digest;
use http::Method;
use serde_json::{Value, json};

use super::rest::{Credential, Rest};
use crate::hex::hex;
use crate::wiring::Running;

/// Where the demo user is reached, and signs in with.
pub(super) const USER_EMAIL: &str = "demo@example.com";
/// Where clients on this machine are sent back to: what MCP clients, and tools that test us, listen on.
const CALLBACKS: [&str; 2] = ["http://127.0.0.1:3000/callback", "http://127.0.0.1:3055/callback"];
/// Of a digest of 32, so that somebody can type it.
const PASSWORD_BYTES: usize = 10;

/// What the demonstration stands on.
#[derive(Debug)]
pub(super) struct Seeded {
    pub(super) mcp_url: String,
    pub(super) api_key: String,
    pub(super) admin_key: String,
    pub(super) organization: String,
    pub(super) instance: String,
    pub(super) people: People,
}

/// Who may allow what to whom.
#[derive(Debug)]
pub(super) struct People {
    pub(super) user_password: String,
    pub(super) client_id: String,
    pub(super) client_secret: String,
    pub(super) public_client_id: String,
}

/// Makes organization, server, connection, instance, key, user and clients.
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
    // Keys and tokens. Said anew, since a folder of an older version has an instance that takes keys alone.
    let both = json!({ "authentication": "both" });
    rest.send(Method::PUT, &format!("{root}/instances/{instance}/authentication"), &admin, None, &both)
        .await?;
    let key = json!({ "name": "Demo", "scopes": ["mcp:write"], "instance": instance });
    let key = rest.send(Method::POST, &format!("{root}/api-keys"), &admin, Some("demo-5"), &key).await?;
    let people = people(&rest, &admin, &admin_key, &root).await?;
    Ok(Seeded {
        mcp_url: format!("{}/mcp/{instance}", running.url),
        api_key: text(&key, "api_key")?,
        admin_key,
        organization,
        instance,
        people,
    })
}

/// A member of the organization who can sign in, and two clients that may ask them.
async fn people(rest: &Rest, admin: &Credential, admin_key: &str, root: &str) -> Result<People, String> {
    let user = json!({ "name": "Demo user", "email": USER_EMAIL });
    let user = rest.send(Method::POST, &format!("{root}/users"), admin, Some("demo-6"), &user).await?;
    let user = text(&user, "id")?;
    let member = json!({ "role": "member" });
    rest.send(Method::PUT, &format!("{root}/members/{user}"), admin, Some("demo-7"), &member).await?;
    let user_password = password(admin_key);
    let set = json!({ "password": user_password });
    rest.send(Method::PUT, &format!("/v1/users/{user}/password"), admin, Some("demo-8"), &set).await?;
    let client = |name: &str, kind: &str| json!({ "name": name, "kind": kind, "redirect_uris": CALLBACKS, "scopes": ["mcp:write"] });
    let clients = format!("{root}/clients");
    let confidential = client("Demo client", "confidential");
    let confidential = rest.send(Method::POST, &clients, admin, Some("demo-9"), &confidential).await?;
    let public = client("Demo public client", "public");
    let public = rest.send(Method::POST, &clients, admin, Some("demo-10"), &public).await?;
    Ok(People {
        user_password,
        client_id: text(&confidential, "id")?,
        client_secret: text(&confidential, "client_secret")?,
        public_client_id: text(&public, "id")?,
    })
}

/// As random as the key that it is made of, and the same at every start, as that is.
fn password(admin_key: &str) -> String {
    let digest = digest::digest(&digest::SHA256, format!("password of the demo user {admin_key}").as_bytes());
    hex(digest.as_ref().get(..PASSWORD_BYTES).unwrap_or_default())
}

fn text(answer: &Value, name: &str) -> Result<String, String> {
    let found = answer.get(name).and_then(Value::as_str).map(str::to_owned);
    found.ok_or_else(|| format!("the management API answered without {name}"))
}
