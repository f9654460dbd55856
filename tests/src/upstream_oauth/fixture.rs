//! A protected MCP server and its authorization server in one process, which keep the rules unless they are told otherwise: for what real ones do not
//! offer on demand. They remember what they saw.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::Url;
use uuid::Uuid;

type Fields = BTreeMap<String, String>;

/// What it does wrong, or otherwise than usual.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ways {
    /// Replaces members of the authorization server's metadata; null takes them away.
    pub(crate) server: BTreeMap<&'static str, Value>,
    /// The same for the metadata of the resource.
    pub(crate) resource: BTreeMap<&'static str, Value>,
    /// Whether there are no metadata of the resource, as in 2025-03-26.
    pub(crate) no_resource: bool,
    /// What stands as `iss` in answers; none where it says nothing.
    pub(crate) iss: Option<String>,
    /// Answers the person's way with this error.
    pub(crate) denies: Option<&'static str>,
    /// How long access tokens are good, in seconds.
    pub(crate) life: Option<u64>,
    /// Gives out no refresh token.
    pub(crate) no_refresh: bool,
    /// Answers renewals with this status and error.
    pub(crate) refuses_renewal: Option<(u16, &'static str)>,
    /// How long a renewal takes.
    pub(crate) renewal_takes: Duration,
    /// The scopes without which the server does nothing.
    pub(crate) needs: &'static str,
    /// Whether the scope that is wanted is another one each time.
    pub(crate) never_enough: bool,
}

#[derive(Debug, Default)]
struct Facts {
    ways: Ways,
    /// Codes, with what they were asked for.
    codes: HashMap<String, Fields>,
    /// Access tokens that are good, with their scopes.
    access: HashMap<String, String>,
    /// Refresh tokens that were not spent.
    refresh: HashMap<String, String>,
    /// Those that were spent.
    spent: Vec<String>,
    counts: BTreeMap<String, usize>,
    /// Forms sent to the token endpoint, with the header that came along.
    asked: Vec<(Fields, Option<String>)>,
    /// What was asked at the authorization endpoint.
    ways_in: Vec<Fields>,
    registered: Vec<Value>,
    /// What stood in `Authorization` at the server itself.
    shown: Vec<Option<String>>,
}

/// Both of them.
#[derive(Debug, Clone)]
pub(crate) struct Fixture {
    pub(crate) origin: String,
    facts: Arc<Mutex<Facts>>,
}

impl Fixture {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let origin = format!("http://{}", listener.local_addr().expect("an address"));
        let fixture = Self { origin, facts: Arc::default() };
        fixture.facts().ways.iss = Some(fixture.origin.clone());
        let router = axum::Router::new().fallback(answer).with_state(fixture.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        fixture
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().expect("nobody panics with it")
    }

    /// The server's endpoint.
    pub(crate) fn url(&self) -> Url {
        Url::parse(&format!("{}/mcp", self.origin)).expect("an address")
    }

    /// From now on it does things this way.
    pub(crate) fn now(&self, change: impl FnOnce(&mut Ways)) {
        change(&mut self.facts().ways);
    }

    /// How many requests there were to this path.
    pub(crate) fn count(&self, path: &str) -> usize {
        self.facts().counts.get(path).copied().unwrap_or_default()
    }

    /// How many requests there were at all.
    pub(crate) fn count_of_all(&self) -> usize {
        self.facts().counts.values().sum()
    }

    /// The forms that were sent to the token endpoint.
    pub(crate) fn asked(&self) -> Vec<(Fields, Option<String>)> {
        self.facts().asked.clone()
    }

    /// What was asked at the authorization endpoint.
    pub(crate) fn ways_in(&self) -> Vec<Fields> {
        self.facts().ways_in.clone()
    }

    /// What clients said of themselves.
    pub(crate) fn registered(&self) -> Vec<Value> {
        self.facts().registered.clone()
    }

    /// What stood in `Authorization` at the server.
    pub(crate) fn shown(&self) -> Vec<Option<String>> {
        self.facts().shown.clone()
    }

    /// How many refresh tokens were spent a second time.
    pub(crate) fn spent_twice(&self) -> usize {
        let facts = self.facts();
        facts.spent.len() - facts.spent.iter().collect::<std::collections::BTreeSet<_>>().len()
    }

    /// Access tokens that are out are good no more.
    pub(crate) fn forget_access(&self) {
        self.facts().access.clear();
    }
}

async fn answer(State(fixture): State<Fixture>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.expect("a body").to_bytes();
    let path = parts.uri.path().to_owned();
    *fixture.facts().counts.entry(path.clone()).or_default() += 1;
    let shown = parts.headers.get("authorization").map(|value| value.to_str().expect("text").to_owned());
    let fields = |text: &[u8]| -> Fields { url::form_urlencoded::parse(text).into_owned().collect() };
    match path.as_str() {
        "/mcp" => fixture.serve(shown, &body),
        "/.well-known/oauth-protected-resource/mcp" => fixture.resource(),
        "/.well-known/oauth-authorization-server" => fixture.metadata(),
        "/authorize" => fixture.authorize(fields(parts.uri.query().unwrap_or_default().as_bytes())),
        "/register" => fixture.register(&body),
        "/token" => fixture.token(fields(&body), shown).await,
        _ => told(404, &json!({})),
    }
}

fn told(status: u16, body: &Value) -> Response {
    let answer = Response::builder().status(status).header("content-type", "application/json");
    answer.body(Body::from(body.to_string())).expect("an answer")
}

fn changed(mut document: Value, by: &BTreeMap<&'static str, Value>) -> Value {
    for (name, value) in by {
        document[*name] = value.clone();
    }
    document.as_object_mut().expect("an object").retain(|_, value| !value.is_null());
    document
}

fn challenge(status: u16, parameters: &str) -> Response {
    let mut answer = told(status, &json!({ "error": "no" }));
    let value = format!("Bearer {parameters}").parse().expect("a header");
    answer.headers_mut().insert("www-authenticate", value);
    answer
}

impl Fixture {
    fn resource(&self) -> Response {
        let ways = self.facts().ways.clone();
        if ways.no_resource {
            return told(404, &json!({}));
        }
        let document = json!({ "resource": self.url(), "authorization_servers": [self.origin], "scopes_supported": ["read"] });
        told(200, &changed(document, &ways.resource))
    }

    fn metadata(&self) -> Response {
        let at = |path: &str| format!("{}{path}", self.origin);
        let document = json!({
            "issuer": self.origin, "authorization_endpoint": at("/authorize"), "token_endpoint": at("/token"),
            "registration_endpoint": at("/register"), "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": true,
        });
        told(200, &changed(document, &self.facts().ways.server))
    }

    fn serve(&self, shown: Option<String>, body: &[u8]) -> Response {
        let metadata =
            format!("resource_metadata=\"{}/.well-known/oauth-protected-resource/mcp\"", self.origin);
        let mut facts = self.facts();
        let token = shown.as_deref().and_then(|value| value.strip_prefix("Bearer ")).map(str::to_owned);
        facts.shown.push(shown);
        let Some(scopes) = token.and_then(|token| facts.access.get(&token).cloned()) else {
            return challenge(401, &metadata);
        };
        if facts.ways.never_enough {
            let scope = format!("scope-{}", facts.shown.len());
            return challenge(403, &format!("error=\"insufficient_scope\", scope=\"{scope}\", {metadata}"));
        }
        let needs = facts.ways.needs;
        if !needs.split_whitespace().all(|need| scopes.split(' ').any(|scope| scope == need)) {
            return challenge(403, &format!("error=\"insufficient_scope\", scope=\"{needs}\", {metadata}"));
        }
        let message: Value = serde_json::from_slice(body).expect("a message");
        told(200, &json!({ "jsonrpc": "2.0", "id": message["id"], "result": { "content": [] } }))
    }

    fn authorize(&self, asked: Fields) -> Response {
        let mut facts = self.facts();
        let mut back = Url::parse(&asked["redirect_uri"]).expect("an address");
        back.query_pairs_mut().append_pair("state", &asked["state"]);
        if let Some(iss) = &facts.ways.iss {
            back.query_pairs_mut().append_pair("iss", iss);
        }
        if let Some(error) = facts.ways.denies {
            back.query_pairs_mut().append_pair("error", error);
        } else {
            let code = format!("code-{}", Uuid::new_v4());
            facts.codes.insert(code.clone(), asked.clone());
            back.query_pairs_mut().append_pair("code", &code);
        }
        facts.ways_in.push(asked);
        Response::builder()
            .status(302)
            .header("location", back.as_str())
            .body(Body::empty())
            .expect("an answer")
    }

    fn register(&self, body: &[u8]) -> Response {
        let client: Value = serde_json::from_slice(body).expect("a client");
        let mut facts = self.facts();
        facts.registered.push(client.clone());
        let id = format!("client-{}", facts.registered.len());
        let mut registered = client;
        registered["client_id"] = json!(id);
        registered["client_secret"] = json!("a secret: of+tests");
        told(201, &registered)
    }

    async fn token(&self, form: Fields, header: Option<String>) -> Response {
        self.facts().asked.push((form.clone(), header));
        match form["grant_type"].as_str() {
            "authorization_code" => {
                let Some(asked) = self.facts().codes.remove(&form["code"]) else {
                    return told(400, &json!({ "error": "invalid_grant" }));
                };
                let digest =
                    aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, form["code_verifier"].as_bytes());
                assert_eq!(URL_SAFE_NO_PAD.encode(digest), asked["code_challenge"], "PKCE");
                assert_eq!(
                    (&form["redirect_uri"], &form["resource"]),
                    (&asked["redirect_uri"], &asked["resource"])
                );
                self.give(asked.get("scope").cloned().unwrap_or_default())
            }
            "refresh_token" => {
                let (takes, refuses) = {
                    let ways = &self.facts().ways;
                    (ways.renewal_takes, ways.refuses_renewal)
                };
                tokio::time::sleep(takes).await;
                if let Some((status, error)) = refuses {
                    return told(status, &json!({ "error": error }));
                }
                let token = form["refresh_token"].clone();
                let scopes = {
                    let mut facts = self.facts();
                    facts.spent.push(token.clone());
                    facts.refresh.remove(&token)
                };
                scopes.map_or_else(
                    || told(400, &json!({ "error": "invalid_grant" })),
                    |scopes| self.give(scopes),
                )
            }
            "client_credentials" => self.give(form.get("scope").cloned().unwrap_or_default()),
            _ => told(400, &json!({ "error": "unsupported_grant_type" })),
        }
    }

    fn give(&self, scopes: String) -> Response {
        let mut facts = self.facts();
        let access = format!("access-{}", Uuid::new_v4());
        let refresh = format!("refresh-{}", Uuid::new_v4());
        facts.access.insert(access.clone(), scopes.clone());
        let mut given = json!({ "access_token": access, "token_type": "Bearer", "expires_in": facts.ways.life.unwrap_or(3600) });
        if !scopes.is_empty() {
            given["scope"] = json!(scopes);
        }
        if !facts.ways.no_refresh {
            facts.refresh.insert(refresh.clone(), scopes);
            given["refresh_token"] = json!(refresh);
        }
        told(200, &given)
    }
}

/// The id and the secret in a Basic header, as they were written into it.
pub(crate) fn basic(header: &str) -> (String, String) {
    let pair = STANDARD.decode(header.strip_prefix("Basic ").expect("Basic")).expect("base64");
    let pair = String::from_utf8(pair).expect("text");
    let (id, secret) = pair.split_once(':').expect("a pair");
    (id.to_owned(), secret.to_owned())
}
