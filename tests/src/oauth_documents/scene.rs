//! A node that takes clients by their documents, a person who is signed in, and what a client asks.

use api::config::Loopback;
use harness::{Answer, Http, Scripted, ScriptedUpstream, Settings, World};
use hyper::Method;
use serde_json::{Value, json};
use url::Url;

use crate::people::Person;
use crate::people::browser::{Browser, encoded, location};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"; // RFC 7636, appendix B
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// Where the client has people sent back to.
pub(super) const CALLBACK: &str = "https://desk.example.com/callback";

pub(super) struct Scene {
    pub(super) world: World,
    pub(super) instance: String,
    pub(super) browser: Browser,
    person: Person,
    /// The node that is asked.
    url: String,
    _upstream: ScriptedUpstream,
}

impl Scene {
    pub(super) async fn start() -> Self {
        Self::with(Settings { outbound_loopback: Loopback::Allowed, ..Settings::default() }).await
    }

    pub(super) async fn with(settings: Settings) -> Self {
        let world = World::with(settings).await;
        let upstream = ScriptedUpstream::start(Scripted::Result(json!({}))).await;
        let instance = world.instance_in_front_of(&upstream.url).await.id;
        let path = world.path(&format!("/instances/{instance}/authentication"));
        world.admin().json(Method::PUT, &path, &json!({ "authentication": "both" })).await.good();
        let person = Person::member(&world, "Bea", "member").await;
        let browser = person.browser(&world).await;
        let url = world.node.running.url.clone();
        Self { world, instance, browser, person, url, _upstream: upstream }
    }

    /// From now on another node is asked, which keeps nothing yet.
    pub(super) async fn elsewhere(&mut self, url: &str) {
        self.browser = self.person.browser_at(url).await;
        url.clone_into(&mut self.url);
    }

    pub(super) fn request(&self, client: &str, redirect_uri: &str) -> String {
        let resource = format!("{}/mcp/{}", self.url, self.instance);
        let pairs = [
            ("response_type", "code"),
            ("client_id", client),
            ("redirect_uri", redirect_uri),
            ("scope", "mcp:write"),
            ("state", "s"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
            ("resource", &resource),
        ];
        format!("/oauth/authorize?{}", encoded(&pairs))
    }

    /// What the person sees, or where they are sent.
    pub(super) async fn asked(&mut self, client: &str, redirect_uri: &str) -> Answer {
        let request = self.request(client, redirect_uri);
        self.browser.get(&request).await
    }

    /// The person allows what the page asks; the code.
    pub(super) async fn allow(&mut self, page: &Answer) -> String {
        assert_eq!(page.status.as_u16(), 200, "{}", crate::people::browser::text(page));
        let fields = [("decision", "allow"), ("allow mcp:read", "on"), ("allow mcp:write", "on")];
        code_in(&location(&self.browser.fill(page, "/oauth/authorize", &fields).await))
    }

    /// What is answered to a code.
    pub(super) async fn redeem(&self, client: &str, code: &str) -> Answer {
        let fields = [
            ("grant_type", "authorization_code"),
            ("client_id", client),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        self.post("/oauth/token", &fields).await
    }

    pub(super) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let http: Http = self.world.node.http().with("content-type", "application/x-www-form-urlencoded");
        http.send(Method::POST, path, encoded(fields)).await
    }

    /// Calls a tool with this token.
    pub(super) async fn call(&self, token: &str) -> u16 {
        let http = self.world.node.http().with("authorization", &format!("Bearer {token}"));
        let message =
            json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "echo" } });
        http.post(&format!("/mcp/{}", self.instance), &message).await.status.as_u16()
    }

    /// The events about clients known by documents, in order.
    pub(super) async fn told(&self) -> Vec<(String, String)> {
        let told = sqlx::query_as(
            "select aggregate_id, event_type from events where aggregate_type = 'client' order by global_position",
        );
        told.fetch_all(&self.world.node.running.pool).await.unwrap()
    }
}

pub(super) fn code_in(back: &str) -> String {
    let url = Url::parse(back).unwrap_or_else(|_| panic!("no way back: {back}"));
    let code = url.query_pairs().find(|(name, _)| name == "code");
    code.unwrap_or_else(|| panic!("no code: {back}")).1.into_owned()
}

pub(super) fn text(answer: &Value, name: &str) -> String {
    answer[name].as_str().unwrap_or_else(|| panic!("{name} in {answer}")).to_owned()
}
