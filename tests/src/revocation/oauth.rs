//! The authorization server on a node that has lost its servers: what cannot be known is refused for now, never taken for good (item 32, attack 19).

use harness::{Answer, Http, Weather};
use hyper::Method;
use serde_json::{Value, json};

use super::scene::{BOUND, Scene, until};
use crate::oauth_registration::scene::{basic, post_form, refused, text};
use crate::oauth_registration::signer::{Signer, TYPE, claims};
use crate::people::browser::encoded;

/// Clients of the organization, and the issuer as the far node names itself.
struct Clients {
    signer: Signer,
    signing: String,
    basic: String,
    issuer: String,
}

impl Clients {
    async fn of(scene: &Scene) -> Self {
        let path = scene.world.path(&format!("/instances/{}/authentication", scene.instance.id));
        scene.world.admin().json(Method::PUT, &path, &json!({ "authentication": "both" })).await.good();
        let signer = Signer::new("EdDSA", "one");
        let mut body =
            json!({ "name": "Robot", "kind": "confidential", "redirect_uris": [], "scopes": ["mcp:write"] });
        let made =
            async |body: &Value| scene.world.admin().post(&scene.world.path("/clients"), body).await.good();
        let secret = made(&body).await;
        body["token_endpoint_auth_method"] = json!("private_key_jwt");
        body["jwks"] = signer.jwks();
        let signing = text(&made(&body).await, "id");
        let metadata = scene.far.http().get("/.well-known/oauth-authorization-server").await.good();
        let basic = basic(&text(&secret, "id"), &text(&secret, "client_secret"));
        Self { signer, signing, basic, issuer: text(&metadata, "issuer") }
    }

    fn assertion(&self) -> String {
        self.signer.assertion(&claims(&self.signing, &self.issuer))
    }

    async fn by_assertion(&self, http: &Http, path: &str, assertion: &str) -> Answer {
        let form = [
            ("grant_type", "client_credentials"),
            ("token", "x"),
            ("client_assertion_type", TYPE),
            ("client_assertion", assertion),
        ];
        post_form(http, path, encoded(&form)).await
    }

    async fn by_secret(&self, http: &Http, path: &str, form: &[(&str, &str)]) -> Answer {
        post_form(&http.clone().with("authorization", &self.basic), path, encoded(form)).await
    }
}

#[track_caller]
fn come_back(answer: &Answer) {
    refused(answer, 503, "temporarily_unavailable");
    assert!(answer.header("retry-after").is_some());
}

#[tokio::test]
async fn attack_19_an_assertion_that_nobody_can_write_down_proves_nothing_and_is_not_used_up() {
    let scene = Scene::start().await;
    let clients = Clients::of(&scene).await;
    let far = scene.far.http();
    until("the far node knows the client", async || {
        clients.by_assertion(&far, "/oauth/token", &clients.assertion()).await.status == 200
    })
    .await;
    let assertion = clients.assertion();
    scene.postgres.turn(Weather::Reset); // its view stays fresh by NATS
    for path in ["/oauth/token", "/oauth/revoke", "/oauth/introspect"] {
        come_back(&clients.by_assertion(&far, path, &assertion).await);
    }
    scene.postgres.heal();
    until("it is taken once Postgres is back", async || {
        clients.by_assertion(&far, "/oauth/token", &assertion).await.status == 200
    })
    .await;
    refused(&clients.by_assertion(&far, "/oauth/token", &assertion).await, 401, "invalid_client");
}

#[tokio::test]
async fn item_32_a_node_that_can_know_nothing_gives_out_and_takes_back_nothing_and_says_to_come_back() {
    let scene = Scene::start().await;
    let clients = Clients::of(&scene).await;
    let far = scene.far.http();
    let ask = [("grant_type", "client_credentials")];
    until("the far node knows the client", async || {
        clients.by_secret(&far, "/oauth/token", &ask).await.status == 200
    })
    .await;
    let token = text(&clients.by_secret(&far, "/oauth/token", &ask).await.good(), "access_token");
    scene.postgres.turn(Weather::Dark);
    scene.nats.turn(Weather::Dark);
    tokio::time::sleep(BOUND * 2).await;
    come_back(&clients.by_secret(&far, "/oauth/token", &ask).await);
    let about = [("token", token.as_str())];
    for path in ["/oauth/revoke", "/oauth/introspect"] {
        come_back(&clients.by_secret(&far, path, &about).await);
    }
    scene.postgres.heal();
    scene.nats.heal();
    until("the far node is fresh again", async || scene.far_state().await == "ready").await;
    let told = clients.by_secret(&far, "/oauth/introspect", &about).await.good();
    assert_eq!(told["active"], true, "nothing was taken back");
    clients.by_secret(&far, "/oauth/revoke", &about).await.good();
    let told = clients.by_secret(&far, "/oauth/introspect", &about).await.good();
    assert_eq!(told, json!({ "active": false }));
}
