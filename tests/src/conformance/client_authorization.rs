//! What the suite, as a protected server and its authorization server, says of the gateway as its client.
//!
//! The client in front of the gateway shows an API key and knows of nothing else. Somebody at the door, an owner with a browser, authorizes the
//! connection on the gateway's own pages whenever the gateway wants that; the suite's authorization server agrees to everything by itself.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use harness::{Http, Instance, Settings, World};
use hyper::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use url::Url;

use super::client::line;
use super::suite::{Findings, serve};
use crate::people::Person;
use crate::people::browser::Browser;
use crate::upstream_oauth::scene::{begin, page, protected};

/// Where the suite wants clients to say what they are (`auth/basic-cimd`): the deployment must be known by that name.
const PUBLIC_URL: &str = "https://conformance-test.local";

const BOTH: [&str; 14] = [
    "metadata-default",
    "metadata-var1",
    "metadata-var2",
    "metadata-var3",
    "basic-cimd",
    "scope-from-www-authenticate",
    "scope-from-scopes-supported",
    "scope-omitted-when-undefined",
    "scope-step-up",
    "scope-retry-limit",
    "token-endpoint-auth-basic",
    "token-endpoint-auth-post",
    "token-endpoint-auth-none",
    "pre-registration",
];
const MODERN: [&str; 11] = [
    "resource-mismatch",
    "offline-access-scope",
    "offline-access-not-supported",
    "authorization-server-migration",
    "iss-supported",
    "iss-not-advertised",
    "iss-supported-missing",
    "iss-wrong-issuer",
    "iss-unexpected",
    "iss-normalized",
    "metadata-issuer-mismatch",
];
const EARLIER: [&str; 2] = ["2025-03-26-oauth-metadata-backcompat", "2025-03-26-oauth-endpoint-fallback"];

/// Whoever authorizes what clients come for.
struct Door {
    world: World,
    owner: Person,
    instances: Mutex<HashMap<String, Instance>>,
}

impl Door {
    async fn open(settings: Settings, grant: &'static str) -> Url {
        let world = World::with(settings).await;
        let owner = Person::member(&world, "Olga", "owner").await;
        let door = Arc::new(Self { world, owner, instances: Mutex::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
        let address = listener.local_addr().expect("a bound address");
        let made = async move |State(door): State<Arc<Self>>,
                               Query(asked): Query<HashMap<String, String>>| {
            Json(door.made(&asked, grant).await)
        };
        let router = axum::Router::new().fallback(made).with_state(door);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Url::parse(&format!("http://{address}/")).expect("an address")
    }

    fn reached_at(&self) -> String {
        format!("http://{}", self.world.node.running.address)
    }

    /// An instance in front of the server, authorized if it must be and can be.
    async fn made(&self, asked: &HashMap<String, String>, grant: &str) -> Value {
        let server = Url::parse(&asked["server"]).expect("an address");
        let instance = self.instance_in_front_of(&server, asked, grant).await;
        let authorized = !self.is_wanted(&instance).await || self.authorize(&instance, grant).await;
        let url = format!("{}{}", self.reached_at(), instance.path());
        json!({ "url": url, "api_key": instance.api_key(), "authorized": authorized })
    }

    async fn instance_in_front_of(
        &self,
        server: &Url,
        asked: &HashMap<String, String>,
        grant: &str,
    ) -> Instance {
        let mut instances = self.instances.lock().await;
        if let Some(instance) = instances.get(server.as_str()) {
            return instance.clone();
        }
        let instance = protected(&self.world, server, &json!({ "grant": grant })).await;
        self.tell_client(asked, server, &instance).await;
        instances.insert(server.to_string(), instance.clone());
        instance
    }

    /// The client that the authorization server knows already, where the suite names one.
    async fn tell_client(&self, asked: &HashMap<String, String>, server: &Url, instance: &Instance) {
        let (Some(id), Some(secret)) = (asked.get("client_id"), asked.get("client_secret")) else { return };
        let mut metadata = server.clone();
        metadata.set_path(&format!("/.well-known/oauth-protected-resource{}", server.path()));
        let mut answer = Http::new(metadata.as_str()).get("").await;
        if !answer.status.is_success() {
            metadata.set_path("/.well-known/oauth-protected-resource");
            answer = Http::new(metadata.as_str()).get("").await;
        }
        let issuer = answer.body()["authorization_servers"][0].clone();
        let fields = json!({ "oauth_client_id": id, "oauth_client_secret": secret, "oauth_issuer": issuer });
        let path = self.world.path(&format!("/connections/{}/secrets", instance.connection));
        self.world.admin().json(Method::PUT, &path, &json!({ "fields": fields })).await.good();
    }

    /// Whether the connection is to be authorized, for the first time or for more.
    async fn is_wanted(&self, instance: &Instance) -> bool {
        let path = self.world.path(&format!("/connections/{}", instance.connection));
        let authorization = self.world.admin().get(&path).await.good()["authorization"].clone();
        authorization["usable"] != true || authorization["wanted_scopes"] != json!([])
    }

    async fn authorize(&self, instance: &Instance, grant: &str) -> bool {
        if grant == "client_credentials" {
            let path = self.world.path(&format!("/connections/{}/authorization", instance.connection));
            return self.world.admin().post(&path, &json!({})).await.status.is_success();
        }
        let mut browser = Browser::behind(&self.world.node.running.url, &self.reached_at());
        browser.sign_in(&self.owner.email, crate::people::PASSWORD).await;
        let begun = begin(&mut browser, &page(&self.world, instance).await).await;
        if !begun.status.is_success() {
            return false;
        }
        let mut address = Url::parse(&crate::upstream_oauth::scene::led_to(&begun)).expect("an address");
        for _ in 0..5 {
            if let Some(path) = address.as_str().strip_prefix(&self.world.node.running.url) {
                return browser.get(path).await.status.is_success();
            }
            let answer = Http::new(address.as_str()).get("").await;
            let Some(location) = answer.header("location") else { return false };
            address = address.join(location).expect("an address");
        }
        false
    }
}

async fn judged(revision: &str, scenarios: &[&str], door: &Url) -> BTreeSet<String> {
    let mut faulty = BTreeSet::new();
    for scenario in scenarios {
        let found: Findings = serve(revision, &format!("auth/{scenario}"), &line(), Some(door)).await;
        if !found.faulty().is_empty() || found.passed() == 0 {
            eprintln!("{revision} {scenario}: {found:?}");
            faulty.insert((*scenario).to_owned());
        }
    }
    faulty
}

fn known_by_name() -> Settings {
    Settings { public_url: Some(PUBLIC_URL), ..Settings::default() }
}

#[tokio::test]
async fn the_official_suite_finds_nothing_wrong_with_how_servers_of_2025_11_25_are_authorized() {
    let door = Door::open(known_by_name(), "authorization_code").await;
    assert_eq!(judged("2025-11-25", &BOTH, &door).await, BTreeSet::new());
}

#[tokio::test]
async fn the_official_suite_finds_nothing_wrong_with_how_servers_of_2026_07_28_are_authorized() {
    let door = Door::open(known_by_name(), "authorization_code").await;
    let scenarios = [&BOTH[..], &MODERN].concat();
    assert_eq!(judged("2026-07-28", &scenarios, &door).await, BTreeSet::new());
}

#[tokio::test]
async fn the_official_suite_finds_nothing_wrong_with_how_servers_of_2025_03_26_are_authorized() {
    let door = Door::open(Settings::default(), "authorization_code").await;
    assert_eq!(judged("2025-03-26", &EARLIER, &door).await, BTreeSet::new());
}

#[tokio::test]
async fn the_official_suite_finds_nothing_wrong_with_clients_that_act_in_their_own_name() {
    let door = Door::open(Settings::default(), "client_credentials").await;
    assert_eq!(judged("2025-11-25", &["client-credentials-basic"], &door).await, BTreeSet::new());
}
