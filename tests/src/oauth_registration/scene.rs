//! An instance that takes tokens, a person who is signed in, and clients that register themselves.

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
pub(super) const CALLBACK: &str = "http://127.0.0.1:3000/callback";

/// A world in which clients register.
pub(super) struct Scene {
    pub(super) world: World,
    pub(super) instance: String,
    pub(super) browser: Browser,
    _upstream: ScriptedUpstream,
}

impl Scene {
    /// Where anybody may.
    pub(super) async fn open() -> Self {
        Self::with(Settings { registration: RegistrationPolicy::Open, ..Settings::default() }).await
    }

    pub(super) async fn with(settings: Settings) -> Self {
        let world = World::with(settings).await;
        let (instance, upstream) = instance(&world).await;
        let bea = Person::member(&world, "Bea", "member").await;
        let browser = bea.browser(&world).await;
        Self { world, instance, browser, _upstream: upstream }
    }

    pub(super) fn anybody(&self) -> Http {
        self.world.node.http()
    }

    /// Registers, showing nothing.
    pub(super) async fn register(&self, metadata: &Value) -> Answer {
        self.anybody().post("/oauth/register", metadata).await
    }

    /// What the client at this address asks about itself, with this token.
    pub(super) fn as_itself(&self, token: &str) -> Http {
        self.anybody().with("authorization", &format!("Bearer {token}"))
    }

    /// The resource that the instance is.
    pub(super) fn resource(&self) -> String {
        format!("{}/mcp/{}", self.world.node.running.url, self.instance)
    }

    /// What a client asks for, by way of a browser.
    pub(super) fn request(&self, client: &str, redirect_uri: &str) -> String {
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

    /// The page on which the person is asked.
    pub(super) async fn asked(&mut self, client: &str, redirect_uri: &str) -> Answer {
        let request = self.request(client, redirect_uri);
        self.browser.get(&request).await
    }

    /// The person allows it; the code that the client gets.
    pub(super) async fn code(&mut self, client: &str, redirect_uri: &str) -> String {
        let page = self.asked(client, redirect_uri).await;
        assert_eq!(page.status.as_u16(), 200, "{}", crate::people::browser::text(&page));
        let fields = [("decision", "allow"), ("allow mcp:read", "on"), ("allow mcp:write", "on")];
        let back = location(&self.browser.fill(&page, "/oauth/authorize", &fields).await);
        let url = Url::parse(&back).unwrap();
        let code = url.query_pairs().find(|(name, _)| name == "code");
        code.unwrap_or_else(|| panic!("no code: {back}")).1.into_owned()
    }

    /// What a client sends for a code, without what proves it.
    pub(super) fn form(code: &str, redirect_uri: &str, more: &[(&str, &str)]) -> String {
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
    pub(super) async fn call(&self, token: &str) -> u16 {
        let http = self.anybody().with("authorization", &format!("Bearer {token}"));
        let message =
            json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "echo" } });
        http.post(&format!("/mcp/{}", self.instance), &message).await.status.as_u16()
    }
}

/// An instance that takes tokens, and what is behind it.
pub(super) async fn instance(world: &World) -> (String, ScriptedUpstream) {
    let upstream = ScriptedUpstream::start(Scripted::Result(json!({}))).await;
    let instance = world.instance_in_front_of(&upstream.url).await.id;
    let path = world.path(&format!("/instances/{instance}/authentication"));
    world.admin().json(Method::PUT, &path, &json!({ "authentication": "both" })).await.good();
    (instance, upstream)
}

/// Sends a form to an OAuth endpoint.
pub(super) async fn post_form(http: &Http, path: &str, form: String) -> Answer {
    let http = http.clone().with("content-type", "application/x-www-form-urlencoded");
    http.send(Method::POST, path, form).await
}

/// The answer is this OAuth error, and says so as it must.
#[track_caller]
pub(super) fn refused(answer: &Answer, status: u16, code: &str) {
    let text = String::from_utf8_lossy(&answer.bytes).into_owned();
    assert_eq!(answer.status.as_u16(), status, "{text}");
    assert_eq!(answer.body()["error"], code, "{text}");
    assert_eq!(answer.header("content-type"), Some("application/json"), "{text}");
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{text}");
    let challenged = answer.headers.contains_key("www-authenticate");
    assert!(status != 401 || challenged || code == "invalid_client", "a 401 without a challenge: {text}");
}

pub(super) fn text(answer: &Value, name: &str) -> String {
    answer[name].as_str().unwrap_or_else(|| panic!("{name} in {answer}")).to_owned()
}

/// A public client on the person's own computer.
pub(super) fn on_loopback() -> Value {
    json!({ "client_name": "Desk", "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none" })
}

/// A header of HTTP Basic.
pub(super) fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}
