//! What every test here begins with: an instance that takes tokens, and a confidential client of its organization.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use harness::{Answer, Http, Instance, Node, Scripted, ScriptedUpstream, Settings, World};
use hyper::Method;
use serde_json::{Value, json};

/// How long anything may take that is not about time.
pub(super) const DEADLINE: Duration = Duration::from_secs(30);

/// A world, an instance that takes tokens, and a client.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) world: World,
    pub(super) upstream: ScriptedUpstream,
    pub(super) instance: Instance,
    pub(super) client: Client,
}

/// A registered client.
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub(super) id: String,
    pub(super) secret: String,
}

impl Client {
    /// The header that proves it.
    pub(super) fn basic(&self) -> String {
        basic(&self.id, &self.secret)
    }
}

/// A header of HTTP Basic.
pub(super) fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

impl Scene {
    pub(super) async fn start() -> Self {
        Self::with(Scripted::Tools(vec![("echo", false), ("look", true)]), Settings::default()).await
    }

    pub(super) async fn with(script: Scripted, settings: Settings) -> Self {
        let world = World::with(settings).await;
        let upstream = ScriptedUpstream::start(script).await;
        let instance = world.instance_in_front_of(&upstream.url).await;
        let client = register(&world.admin(), &world.path("/clients"), &["mcp:write"]).await;
        let scene = Self { world, upstream, instance, client };
        scene.takes("oauth").await;
        scene
    }

    /// From now on the instance takes these callers.
    pub(super) async fn takes(&self, authentication: &str) {
        let path = self.world.path(&format!("/instances/{}/authentication", self.instance.id));
        self.world
            .admin()
            .json(Method::PUT, &path, &json!({ "authentication": authentication }))
            .await
            .good();
    }

    /// The resource that the instance is.
    pub(super) fn resource(&self) -> String {
        format!("{}{}", self.world.node.running.url, self.instance.path())
    }

    pub(super) fn anybody(&self) -> Http {
        self.world.node.http()
    }

    /// Asks for a token with this form, proving to be the client.
    pub(super) async fn ask(&self, form: &str) -> Answer {
        ask(&self.world.node, &self.client.basic(), form).await
    }

    /// A token in the client's own name, with these scopes.
    pub(super) async fn token(&self, scope: &str) -> String {
        let answer = self.ask(&format!("grant_type=client_credentials&scope={scope}")).await;
        text(&answer.good(), "access_token")
    }

    /// Calls a tool with this token.
    pub(super) async fn call(&self, token: &str, tool: &str) -> Answer {
        call(&self.world.node, &self.instance, token, tool).await
    }
}

/// A confidential client with these scopes.
pub(super) async fn register(admin: &Http, path: &str, scopes: &[&str]) -> Client {
    let body = json!({ "name": "Robot", "kind": "confidential", "redirect_uris": [], "scopes": scopes });
    let made = admin.post(path, &body).await.good();
    Client { id: text(&made, "id"), secret: text(&made, "client_secret") }
}

/// Asks a node for a token.
pub(super) async fn ask(node: &Node, authorization: &str, form: &str) -> Answer {
    let client = node.http().with("authorization", authorization);
    post_form(&client, form).await
}

/// Sends a form to the token endpoint.
pub(super) async fn post_form(http: &Http, form: &str) -> Answer {
    let http = http.clone().with("content-type", "application/x-www-form-urlencoded");
    http.send(Method::POST, "/oauth/token", form.to_owned()).await
}

/// Calls a tool at a node.
pub(super) async fn call(node: &Node, instance: &Instance, token: &str, tool: &str) -> Answer {
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": tool, "arguments": {} } });
    node.http().with("authorization", &format!("Bearer {token}")).post(&instance.path(), &message).await
}

/// The answer is this OAuth error, and says so as it must.
#[track_caller]
pub(super) fn refused(answer: &Answer, status: u16, code: &str) {
    let text = String::from_utf8_lossy(&answer.bytes).into_owned();
    assert_eq!(answer.status.as_u16(), status, "{text}");
    assert_eq!(answer.body()["error"], code, "{text}");
    assert_eq!(answer.header("content-type"), Some("application/json"), "{text}");
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{text}");
    assert_eq!(answer.header("pragma"), Some("no-cache"), "{text}");
    let description = answer.body()["error_description"].as_str().unwrap_or_default().to_owned();
    let may_stand = |letter: char| matches!(letter, ' '..='!' | '#'..='[' | ']'..='~');
    assert!(description.chars().all(may_stand), "{description:?}");
}

/// The claims of a token, as they are written.
pub(super) fn claims(token: &str) -> Value {
    part(token, 1)
}

/// The header of a token.
pub(super) fn header(token: &str) -> Value {
    part(token, 0)
}

fn part(token: &str, number: usize) -> Value {
    let part = token.split('.').nth(number).expect("three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("JSON")
}

pub(super) fn text(answer: &Value, name: &str) -> String {
    answer[name].as_str().unwrap_or_else(|| panic!("{name} in {answer}")).to_owned()
}

/// Waits until something holds.
pub(super) async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    let waited = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(DEADLINE, waited).await.unwrap_or_else(|_| panic!("not in time: {what}"));
}
