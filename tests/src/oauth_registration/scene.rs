//! An instance that takes tokens, a person who is signed in, and clients that register themselves or are known by a document.

use api::config::Loopback;
use api::oauth::RegistrationPolicy;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use harness::{Answer, Http, Scripted, ScriptedUpstream, Settings, World};
use hyper::Method;
use serde_json::{Value, json};
use url::Url;

use crate::people::Person;
use crate::people::browser::{Browser, encoded, location};

/// The verifier and its challenge of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// Where clients are sent back to.
pub(crate) const CALLBACK: &str = "http://127.0.0.1:3000/callback";

/// A world in which clients register.
pub(crate) struct Scene {
    pub(crate) world: World,
    pub(crate) instance: String,
    pub(crate) browser: Browser,
    person: Person,
    /// The node that is asked.
    url: String,
    _upstream: ScriptedUpstream,
}

impl Scene {
    /// Where anybody may.
    pub(crate) async fn open() -> Self {
        Self::with(Settings { registration: RegistrationPolicy::Open, ..Settings::default() }).await
    }

    /// Where what clients publish lies on this machine, as it does in tests.
    pub(crate) async fn following() -> Self {
        Self::with(Settings { outbound_loopback: Loopback::Allowed, ..Settings::default() }).await
    }

    pub(crate) async fn with(settings: Settings) -> Self {
        let world = World::with(settings).await;
        let (instance, upstream) = instance(&world).await;
        let person = Person::member(&world, "Bea", "member").await;
        let browser = person.browser(&world).await;
        let url = world.node.running.url.clone();
        Self { world, instance, browser, person, url, _upstream: upstream }
    }

    /// From now on another node is asked, which keeps nothing yet.
    pub(crate) async fn elsewhere(&mut self, url: &str) {
        self.browser = self.person.browser_at(url).await;
        url.clone_into(&mut self.url);
    }

    pub(crate) fn anybody(&self) -> Http {
        self.world.node.http()
    }

    /// Registers, showing nothing.
    pub(crate) async fn register(&self, metadata: &Value) -> Answer {
        self.anybody().post("/oauth/register", metadata).await
    }

    /// What the client at this address asks about itself, with this token.
    pub(crate) fn as_itself(&self, token: &str) -> Http {
        self.anybody().with("authorization", &format!("Bearer {token}"))
    }

    /// The resource that the instance is.
    pub(crate) fn resource(&self) -> String {
        format!("{}/mcp/{}", self.url, self.instance)
    }

    /// What a client asks for, by way of a browser.
    pub(crate) fn request(&self, client: &str, redirect_uri: &str) -> String {
        let resource = self.resource();
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

    /// What the person is asked, or where they are sent.
    pub(crate) async fn asked(&mut self, client: &str, redirect_uri: &str) -> Answer {
        let request = self.request(client, redirect_uri);
        self.browser.get(&request).await
    }

    /// The person allows what the page asks; the code that the client gets.
    pub(crate) async fn allow(&mut self, page: &Answer) -> String {
        assert_eq!(page.status.as_u16(), 200, "{}", crate::people::browser::text(page));
        let fields = [("decision", "allow"), ("allow mcp:read", "on"), ("allow mcp:write", "on")];
        code_in(&location(&self.browser.fill(page, "/oauth/authorize", &fields).await))
    }

    /// The person is asked, and allows it.
    pub(crate) async fn code(&mut self, client: &str, redirect_uri: &str) -> String {
        let page = self.asked(client, redirect_uri).await;
        self.allow(&page).await
    }

    /// What is answered to a code of a public client.
    pub(crate) async fn redeem(&self, client: &str, code: &str, redirect_uri: &str) -> Answer {
        let form = Self::form(code, redirect_uri, &[("client_id", client)]);
        post_form(&self.anybody(), "/oauth/token", form).await
    }

    /// What a client sends for a code, without what proves it.
    pub(crate) fn form(code: &str, redirect_uri: &str, more: &[(&str, &str)]) -> String {
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", VERIFIER),
        ];
        fields.extend_from_slice(more);
        encoded(&fields)
    }

    /// Calls a tool with this token.
    pub(crate) async fn call(&self, token: &str) -> u16 {
        let http = self.anybody().with("authorization", &format!("Bearer {token}"));
        let message =
            json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "echo" } });
        http.post(&format!("/mcp/{}", self.instance), &message).await.status.as_u16()
    }

    /// The events about clients, in order: whose, and which.
    pub(crate) async fn told(&self) -> Vec<(String, String)> {
        let told = sqlx::query_as(
            "select aggregate_id, event_type from events where aggregate_type = 'client' order by global_position",
        );
        told.fetch_all(&self.world.node.running.pool).await.unwrap()
    }
}

/// The code with which somebody is sent back.
pub(crate) fn code_in(back: &str) -> String {
    let url = Url::parse(back).unwrap_or_else(|_| panic!("no way back: {back}"));
    let code = url.query_pairs().find(|(name, _)| name == "code");
    code.unwrap_or_else(|| panic!("no code: {back}")).1.into_owned()
}

/// An instance that takes tokens, and what is behind it.
pub(crate) async fn instance(world: &World) -> (String, ScriptedUpstream) {
    let upstream = ScriptedUpstream::start(Scripted::Result(json!({}))).await;
    let instance = world.instance_in_front_of(&upstream.url).await.id;
    let path = world.path(&format!("/instances/{instance}/authentication"));
    world.admin().json(Method::PUT, &path, &json!({ "authentication": "both" })).await.good();
    (instance, upstream)
}

/// Sends a form to an OAuth endpoint.
pub(crate) async fn post_form(http: &Http, path: &str, form: String) -> Answer {
    let http = http.clone().with("content-type", "application/x-www-form-urlencoded");
    http.send(Method::POST, path, form).await
}

/// The answer is this OAuth error, and says so as it must.
#[track_caller]
pub(crate) fn refused(answer: &Answer, status: u16, code: &str) {
    let text = String::from_utf8_lossy(&answer.bytes).into_owned();
    assert_eq!(answer.status.as_u16(), status, "{text}");
    assert_eq!(answer.body()["error"], code, "{text}");
    assert_eq!(answer.header("content-type"), Some("application/json"), "{text}");
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{text}");
    let challenged = answer.headers.contains_key("www-authenticate");
    assert!(status != 401 || challenged || code == "invalid_client", "a 401 without a challenge: {text}");
}

pub(crate) fn text(answer: &Value, name: &str) -> String {
    answer[name].as_str().unwrap_or_else(|| panic!("{name} in {answer}")).to_owned()
}

/// A public client on the person's own computer.
pub(crate) fn on_loopback() -> Value {
    json!({ "client_name": "Desk", "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none" })
}

/// A header of HTTP Basic.
pub(crate) fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}
