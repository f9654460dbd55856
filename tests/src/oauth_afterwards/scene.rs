//! What every test here begins with: a member who let a client act in their name at an instance, and the first refresh token of that.

use std::time::Duration;

use api::adapters::refresh_tokens::RefreshTokens;
use api::token::{FamilyId, KeepRefreshTokens as _, RefreshFamily};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::Facts as _;
use domain::grant::{GrantEvent, place};
use domain::value::{
    ClientId, GrantId, InstanceId, OrganizationId, Scope, Scopes, UserId, compose_refresh_token,
};
use harness::{Answer, Http, Instance, Node, Scripted, ScriptedUpstream, Settings, World};
use hyper::Method;
use serde_json::{Value, json};
use uuid::Uuid;

/// How long anything may take that is not about time.
const DEADLINE: Duration = Duration::from_mins(1);

/// Several nodes are one issuer.
pub(super) fn settings() -> Settings {
    Settings { public_url: Some("https://mcp.example.com"), ..Settings::default() }
}

pub(super) struct Scene {
    pub(super) world: World,
    _upstream: ScriptedUpstream,
    pub(super) instance: Instance,
    /// A member of the organization.
    pub(super) user: String,
    /// A confidential client.
    pub(super) desk: Client,
    /// A public one.
    pub(super) app: Client,
}

/// A registered client.
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub(super) id: String,
    secret: Option<String>,
}

/// What a user granted, with its first refresh token.
#[derive(Debug, Clone)]
pub(super) struct Granted {
    pub(super) grant: String,
    pub(super) token: String,
}

impl Client {
    pub(super) async fn register(admin: &Http, path: &str, kind: &str) -> Self {
        let body = json!({ "name": "Desk", "kind": kind, "redirect_uris": ["https://desk.example.com/cb"], "scopes": ["mcp:write"] });
        let made = admin.post(path, &body).await.good();
        Self { id: text(&made, "id"), secret: made["client_secret"].as_str().map(str::to_owned) }
    }

    /// Sends a form, proving to be this client.
    pub(super) async fn send(&self, http: Http, path: &str, form: &str) -> Answer {
        let http = http.with("content-type", "application/x-www-form-urlencoded");
        match &self.secret {
            Some(secret) => {
                let basic = STANDARD.encode(format!("{}:{secret}", self.id));
                let http = http.with("authorization", &format!("Basic {basic}"));
                http.send(Method::POST, path, form.to_owned()).await
            }
            None => http.send(Method::POST, path, format!("{form}&client_id={}", self.id)).await,
        }
    }

    pub(super) async fn refresh_at(&self, http: Http, token: &str, more: &str) -> Answer {
        let form = format!("grant_type=refresh_token&refresh_token={token}{more}");
        self.send(http, "/oauth/token", &form).await
    }
}

impl Scene {
    pub(super) async fn start() -> Self {
        Self::with(settings()).await
    }

    pub(super) async fn with(settings: Settings) -> Self {
        let world = World::with(settings).await;
        let upstream = ScriptedUpstream::start(Scripted::Tools(vec![("echo", false)])).await;
        let instance = world.instance_in_front_of(&upstream.url).await;
        let path = world.path(&format!("/instances/{}/authentication", instance.id));
        world.admin().json(Method::PUT, &path, &json!({ "authentication": "oauth" })).await.good();
        let person = json!({ "name": "Bob", "email": "bob@example.com" });
        let user = text(&world.admin().post(&world.path("/users"), &person).await.good(), "id");
        let member = world.path(&format!("/members/{user}"));
        world.admin().json(Method::PUT, &member, &json!({ "role": "member" })).await.good();
        let clients = world.path("/clients");
        let desk = Client::register(&world.admin(), &clients, "confidential").await;
        let app = Client::register(&world.admin(), &clients, "public").await;
        Self { world, _upstream: upstream, instance, user, desk, app }
    }

    pub(super) fn http(&self) -> Http {
        self.world.node.http()
    }

    pub(super) fn resource(&self) -> String {
        format!("{}/mcp/{}", self.world.node.running.url, self.instance.id)
    }

    /// The member lets the client act, and it has its first refresh token.
    pub(super) async fn granted(&self, client: &Client) -> Granted {
        let grant = Uuid::new_v4();
        let fact = GrantEvent::Granted {
            organization: OrganizationId::new(id(&self.world.organization)),
            user: UserId::new(id(&self.user)),
            client: ClientId::new(id(&client.id)),
            instance: InstanceId::new(id(&self.instance.id)),
            scopes: scopes(),
            expires_at: None,
        };
        self.append(grant, 1, &fact).await;
        let token = self.family(client, grant).await;
        Granted { grant: grant.to_string(), token }
    }

    /// Another family of the same grant, and its first token.
    pub(super) async fn family(&self, client: &Client, grant: Uuid) -> String {
        let family = RefreshFamily {
            id: FamilyId(Uuid::new_v4()),
            grant: GrantId::new(grant),
            client: ClientId::new(id(&client.id)),
            instance: InstanceId::new(id(&self.instance.id)),
            scopes: scopes(),
        };
        let mut bytes = [0; 32];
        let (one, two) = bytes.split_at_mut(16);
        one.copy_from_slice(Uuid::new_v4().as_bytes());
        two.copy_from_slice(Uuid::new_v4().as_bytes());
        let token = compose_refresh_token(&bytes);
        let tokens = RefreshTokens::new(self.world.node.running.pool.clone());
        tokens.begin(&family, &token, None).await.expect("a family begins");
        token.reveal().to_owned()
    }

    /// Writes one event of a grant, and waits until the node has read it.
    pub(super) async fn append(&self, grant: Uuid, sequence: u64, fact: &GrantEvent) {
        let (kind, version) = (fact_type(fact), "1");
        let place = match fact {
            GrantEvent::Granted { user, client, instance, .. } => Some(place(*user, *client, *instance)),
            GrantEvent::ScopesChanged { .. }
            | GrantEvent::Revoked { .. }
            | GrantEvent::TokenRevoked { .. } => None,
        };
        let takes: Vec<Value> = place
            .map(
                |value| json!({ "scope": "grant", "value": value, "owner_type": "grant", "owner_id": grant }),
            )
            .into_iter()
            .collect();
        let metadata = json!({
            "command_id": Uuid::new_v4(), "actor": format!("user:{}", self.user), "credential": "session", "correlation": "a test",
            "occurred_at": "2026-11-22T10:50:00Z", "organization": self.world.organization,
        });
        let event = json!({
            "aggregate_type": "grant", "aggregate_id": grant, "sequence": sequence, "event_type": kind, "event_version": version,
            "payload": fact, "metadata": metadata,
        });
        let batch = json!([{
            "command_id": Uuid::new_v4(), "request_digest": "", "answer": "", "events": [event], "releases": [], "takes": takes,
        }]);
        let (outcome, position): (String, i64) =
            sqlx::query_as("select outcome, position_last from append_commands($1)")
                .bind(batch)
                .fetch_one(&self.world.node.running.pool)
                .await
                .expect("the log takes it");
        assert_eq!(outcome, "ok");
        let position = domain::value::Position::new(u64::try_from(position).expect("a position"));
        self.world.node.running.view.reached(position).await;
    }

    /// Waits until another node has read what this one has.
    pub(super) async fn keeps_up(&self, node: &Node) {
        let position = self.world.node.running.view.load().position();
        node.running.view.reached(position).await;
    }

    pub(super) async fn refresh(&self, client: &Client, token: &str, more: &str) -> Answer {
        client.refresh_at(self.http(), token, more).await
    }

    pub(super) async fn revoke(&self, client: &Client, form: &str) -> Answer {
        client.send(self.http(), "/oauth/revoke", form).await
    }

    pub(super) async fn introspect(&self, client: &Client, form: &str) -> Answer {
        client.send(self.http(), "/oauth/introspect", form).await
    }

    pub(super) async fn is_active(&self, client: &Client, token: &str) -> bool {
        let told = self.introspect(client, &format!("token={token}")).await.good();
        told["active"].as_bool().expect("it is told")
    }

    /// Calls a tool with this token.
    pub(super) async fn call(&self, token: &str) -> Answer {
        let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "echo", "arguments": {} } });
        let http = self.http().with("authorization", &format!("Bearer {token}"));
        http.post(&self.instance.path(), &message).await
    }

    /// As if whatever was spent had been spent so long ago.
    pub(super) async fn seconds_pass(&self, seconds: i32) {
        sqlx::query("update refresh_tokens set consumed_at = consumed_at - make_interval(secs => $1)")
            .bind(f64::from(seconds))
            .execute(&self.world.node.running.pool)
            .await
            .expect("time passes");
    }

    /// Why a grant ended, as often as the log says that it did.
    pub(super) async fn ends(&self, grant: &str) -> Vec<String> {
        let query = "select payload -> 'revoked' ->> 'reason' from events where aggregate_id = $1 and event_type = 'revoked'";
        sqlx::query_scalar(query)
            .bind(grant)
            .fetch_all(&self.world.node.running.pool)
            .await
            .expect("the log answers")
    }

    /// How many tokens there are.
    pub(super) async fn tokens(&self) -> i64 {
        self.count("select count(*) from refresh_tokens").await
    }

    pub(super) async fn count(&self, query: &str) -> i64 {
        sqlx::query_scalar(query).fetch_one(&self.world.node.running.pool).await.expect("a number")
    }
}

fn fact_type(fact: &GrantEvent) -> String {
    let written = serde_json::to_value(fact).expect("JSON");
    assert!(GrantEvent::TYPES.iter().any(|(name, _)| written.get(name).is_some()));
    written.as_object().and_then(|object| object.keys().next().cloned()).expect("one name")
}

fn scopes() -> Scopes {
    std::iter::once(Scope::parse("mcp:write").expect("a scope")).collect()
}

pub(super) fn id(text: &str) -> Uuid {
    text.parse().expect("an id")
}

pub(super) fn text(answer: &Value, name: &str) -> String {
    answer[name].as_str().unwrap_or_else(|| panic!("{name} in {answer}")).to_owned()
}

/// The answer is this OAuth error.
#[track_caller]
pub(super) fn refused(answer: &Answer, status: u16, code: &str) {
    let said = String::from_utf8_lossy(&answer.bytes).into_owned();
    assert_eq!(answer.status.as_u16(), status, "{said}");
    assert_eq!(answer.body()["error"], code, "{said}");
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{said}");
}

/// The token is of no use, and no more is told.
#[track_caller]
pub(super) fn is_inactive(answer: &Answer) {
    assert_eq!(answer.good(), json!({ "active": false }));
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
