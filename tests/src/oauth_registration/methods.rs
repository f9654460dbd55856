//! Items 5 and 6: a client proves itself in the way that it is registered for, in one way at a time, however it was registered.

use harness::Settings;
use serde_json::{Value, json};

use super::scene::{CALLBACK, Scene, basic, post_form, refused, text};
use super::signer::{Signer, TYPE, claims};
use crate::people::browser::encoded;

/// Everything that a client may have to show.
struct Shown {
    id: String,
    secret: String,
    assertion: String,
}

const WAYS: [&str; 4] = ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"];

impl Shown {
    /// The header and the form fields of one way.
    fn by(&self, way: &str) -> (Option<String>, Vec<(&str, &str)>) {
        match way {
            "client_secret_basic" => (Some(basic(&self.id, &self.secret)), vec![]),
            "client_secret_post" => (None, vec![("client_id", &self.id), ("client_secret", &self.secret)]),
            "private_key_jwt" => {
                (None, vec![("client_assertion_type", TYPE), ("client_assertion", &self.assertion)])
            }
            _ => (None, vec![("client_id", &self.id)]),
        }
    }

    async fn ask(&self, scene: &Scene, path: &str, ways: &[&str], form: &[(&str, &str)]) -> harness::Answer {
        let (mut http, mut fields) = (scene.anybody(), form.to_vec());
        for way in ways {
            let (header, more) = self.by(way);
            http = header.map_or(http.clone(), |header| http.with("authorization", &header));
            fields.extend(more);
        }
        post_form(&http, path, encoded(&fields)).await
    }
}

/// A client of an organization that is registered for this way.
async fn by_admin(scene: &Scene, way: &str) -> Shown {
    let signer = Signer::new("EdDSA", "one");
    let mut body = json!({ "name": way, "kind": "confidential", "redirect_uris": [], "scopes": ["mcp:write"],
        "token_endpoint_auth_method": way });
    if way == "private_key_jwt" {
        body["jwks"] = signer.jwks();
    }
    let made = scene.world.admin().post(&scene.world.path("/clients"), &body).await.good();
    shown(scene, &made, &signer)
}

fn shown(scene: &Scene, made: &Value, signer: &Signer) -> Shown {
    let id = text(made, "client_id");
    let secret = made["client_secret"].as_str().unwrap_or("cs_none").to_owned();
    let assertion = signer.assertion(&claims(&id, &scene.world.node.running.url));
    Shown { id, secret, assertion }
}

#[tokio::test]
async fn item_06_each_client_passes_in_its_own_way_and_in_no_other() {
    let scene = Scene::with(Settings::default()).await;
    for way in &WAYS[..3] {
        let client = by_admin(&scene, way).await;
        let form = [("grant_type", "client_credentials")];
        for other in WAYS.iter().filter(|other| *other != way) {
            let answer = client.ask(&scene, "/oauth/token", &[other], &form).await;
            refused(&answer, 401, "invalid_client");
        }
        client.ask(&scene, "/oauth/token", &[way], &form).await.good();
    }
}

#[tokio::test]
async fn item_05_two_ways_in_one_request_are_refused_at_every_endpoint() {
    let scene = Scene::with(Settings::default()).await;
    let client = by_admin(&scene, "private_key_jwt").await;
    for path in ["/oauth/token", "/oauth/revoke", "/oauth/introspect"] {
        let form = [("grant_type", "client_credentials"), ("token", "x")];
        for two in [["client_secret_basic", "private_key_jwt"], ["client_secret_post", "private_key_jwt"]] {
            refused(&client.ask(&scene, path, &two, &form).await, 400, "invalid_request");
        }
        let other = uuid::Uuid::new_v4().to_string();
        let named = [("grant_type", "client_credentials"), ("token", "x"), ("client_id", other.as_str())];
        refused(&client.ask(&scene, path, &["private_key_jwt"], &named).await, 400, "invalid_request");
    }
    // None of that used the assertion up.
    client
        .ask(&scene, "/oauth/token", &["private_key_jwt"], &[("grant_type", "client_credentials")])
        .await
        .good();
}

#[tokio::test]
async fn item_06_also_of_those_that_registered_themselves() {
    let mut scene = Scene::open().await;
    for way in WAYS {
        let signer = Signer::new("EdDSA", "one");
        let mut said = json!({ "redirect_uris": [CALLBACK], "token_endpoint_auth_method": way });
        if way == "private_key_jwt" {
            said["jwks"] = signer.jwks();
        }
        let made = scene.register(&said).await.good();
        assert_eq!(made["token_endpoint_auth_method"], way);
        assert_eq!(made.get("client_secret").is_some(), way.starts_with("client_secret"));
        let client = shown(&scene, &made, &signer);
        let code = scene.code(&client.id, CALLBACK).await;
        let form = Scene::form(&code, CALLBACK, &[]);
        let form: Vec<(String, String)> = url::form_urlencoded::parse(form.as_bytes()).into_owned().collect();
        let form: Vec<(&str, &str)> =
            form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        for other in WAYS.iter().filter(|other| **other != way) {
            refused(&client.ask(&scene, "/oauth/token", &[other], &form).await, 401, "invalid_client");
        }
        client.ask(&scene, "/oauth/token", &[way], &form).await.good();
    }
}

#[tokio::test]
async fn what_a_client_has_and_how_it_proves_itself_belong_together() {
    let scene = Scene::with(Settings::default()).await;
    let jwks = Signer::new("EdDSA", "one").jwks();
    for (more, code) in [
        (
            json!({ "kind": "public", "token_endpoint_auth_method": "client_secret_post" }),
            "public-client-authentication",
        ),
        (json!({ "kind": "public", "jwks": jwks }), "public-client-authentication"),
        (
            json!({ "kind": "confidential", "token_endpoint_auth_method": "private_key_jwt" }),
            "other-authentication",
        ),
        (json!({ "kind": "confidential", "jwks": jwks }), "other-authentication"),
    ] {
        let mut body = json!({ "name": "X", "redirect_uris": [CALLBACK], "scopes": ["mcp:read"] });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        scene.world.admin().post(&scene.world.path("/clients"), &body).await.refused(422, code);
    }
    let body = json!({ "name": "X", "kind": "confidential", "redirect_uris": [], "scopes": ["mcp:read"], "jwks_uri": "https://a.example/" });
    scene.world.admin().post(&scene.world.path("/clients"), &body).await.refused(422, "other-authentication");
    for redirect in ["https://@evil.example/cb", "https:app.example.com", "http://127.1/cb"] {
        let body =
            json!({ "name": "X", "kind": "public", "redirect_uris": [redirect], "scopes": ["mcp:read"] });
        scene.world.admin().post(&scene.world.path("/clients"), &body).await.refused(400, "wrong-shape");
    }
}
