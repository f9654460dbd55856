//! An instance that takes tokens, a client, a person who is signed in, and what the client asks.

use std::collections::BTreeMap;

use harness::{Answer, Scripted, ScriptedUpstream, World};
use hyper::Method;
use serde_json::{Value, json};
use url::Url;

use crate::people::Person;
use crate::people::browser::{Browser, encoded, location};

/// The verifier and its challenge of RFC 7636, appendix B.
pub(super) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// Where the client is sent back to.
pub(super) const CALLBACK: &str = "https://app.example.com/callback";
pub(super) const STATE: &str = "s p+a%c&e=\u{95a2}/?";

/// A world in which a client asks.
pub(super) struct Scene {
    pub(super) world: World,
    pub(super) instance: String,
    pub(super) client: String,
    pub(super) bea: Person,
    pub(super) browser: Browser,
    _upstream: ScriptedUpstream,
}

impl Scene {
    /// With a confidential client of a web site.
    pub(super) async fn start() -> Self {
        Self::with(&json!({
            "name": "Notes <b>&</b>", "kind": "confidential", "redirect_uris": [CALLBACK], "scopes": ["mcp:write"],
        }))
        .await
    }

    /// With a public client on the person's own computer.
    pub(super) async fn on_loopback() -> Self {
        Self::with(&json!({
            "name": "Desk", "kind": "public", "redirect_uris": ["http://127.0.0.1:3000/callback"], "scopes": ["mcp:write"],
        }))
        .await
    }

    async fn with(client: &Value) -> Self {
        let world = World::start().await;
        let upstream = ScriptedUpstream::start(Scripted::Result(json!({}))).await;
        let instance = world.instance_in_front_of(&upstream.url).await.id;
        authentication(&world, &instance, "both").await;
        let client = register(&world, client).await;
        let bea = Person::member(&world, "Bea", "member").await;
        let browser = bea.browser(&world).await;
        Self { world, instance, client, bea, browser, _upstream: upstream }
    }

    /// The resource that the instance is.
    pub(super) fn resource(&self) -> String {
        format!("{}/mcp/{}", self.world.node.running.url, self.instance)
    }

    /// What a good request says.
    pub(super) fn request(&self) -> Request {
        let resource = self.resource();
        let pairs = [
            ("response_type", "code"),
            ("client_id", &self.client),
            ("redirect_uri", CALLBACK),
            ("scope", "mcp:write"),
            ("state", STATE),
            ("code_challenge", challenge()),
            ("code_challenge_method", "S256"),
            ("resource", &resource),
        ];
        Request(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    /// Asks in the person's browser.
    pub(super) async fn ask(&mut self, request: &Request) -> Answer {
        self.browser.get(&request.path()).await
    }

    /// Asks, and the person allows everything that the page offers.
    pub(super) async fn allow(&mut self, request: &Request) -> BTreeMap<String, String> {
        let page = self.ask(request).await;
        assert_eq!(page.status.as_u16(), 200, "{}", crate::people::browser::text(&page));
        back(&self.decide(&page, "allow", &["mcp:read", "mcp:write"]).await)
    }

    /// Sends the page's form.
    pub(super) async fn decide(&mut self, page: &Answer, decision: &str, scopes: &[&str]) -> Answer {
        let boxes: Vec<String> = scopes.iter().map(|scope| format!("allow {scope}")).collect();
        let mut fields = vec![("decision", decision)];
        fields.extend(boxes.iter().map(|name| (name.as_str(), "on")));
        self.browser.fill(page, "/oauth/authorize", &fields).await
    }

    /// What the person has allowed, as the database of reads tells.
    pub(super) async fn grants(&self) -> Vec<(String, Vec<String>, String)> {
        sqlx::query_as("select id::text, scopes, standing from grants order by created_position")
            .fetch_all(&self.world.node.running.pool)
            .await
            .unwrap()
    }
}

pub(super) fn challenge() -> &'static str {
    CHALLENGE
}

/// Sets how callers of an instance prove who they are.
pub(super) async fn authentication(world: &World, instance: &str, authentication: &str) {
    let path = world.path(&format!("/instances/{instance}/authentication"));
    let body = json!({ "authentication": authentication });
    world.admin().json(Method::PUT, &path, &body).await.good();
}

/// Registers a client.
pub(super) async fn register(world: &World, client: &Value) -> String {
    let made = world.admin().post(&world.path("/clients"), client).await.good();
    made["id"].as_str().or(made["client_id"].as_str()).unwrap_or_else(|| panic!("{made}")).to_owned()
}

/// What a client asks.
#[derive(Debug, Clone)]
pub(super) struct Request(Vec<(String, String)>);

impl Request {
    /// With another value.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self = self.without(name);
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Without one.
    pub(super) fn without(mut self, name: &str) -> Self {
        self.0.retain(|(key, _)| key != name);
        self
    }

    /// With one more.
    pub(super) fn and(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    /// As an address.
    pub(super) fn path(&self) -> String {
        let pairs: Vec<(&str, &str)> =
            self.0.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        format!("/oauth/authorize?{}", encoded(&pairs))
    }
}

/// What a redirect takes back to the client; every name once.
#[track_caller]
pub(super) fn back(answer: &Answer) -> BTreeMap<String, String> {
    let location = location(answer);
    let url = Url::parse(&location).unwrap_or_else(|_| panic!("not back to the client: {location}"));
    let pairs: Vec<_> =
        url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    let map: BTreeMap<_, _> = pairs.iter().cloned().collect();
    assert_eq!(map.len(), pairs.len(), "something is there twice: {location}");
    map
}
