//! Clients that prove themselves by what they sign (RFC 7523): attacks 14, 19 and 31, and what is right.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use harness::{Answer, Http, ScriptedUpstream, Settings, World};
use hyper::Method;
use serde_json::{Value, json};

use super::scene::{CALLBACK, Scene, instance, post_form, refused, text};
use super::signer::{Signer, TYPE, base64, claims, now};
use crate::people::browser::encoded;

const PUBLIC_URL: &str = "http://sekisho.test";

/// A client of an organization, which acts for itself.
struct Robot {
    world: World,
    signer: Signer,
    id: String,
    issuer: String,
    _upstream: ScriptedUpstream,
}

impl Robot {
    async fn with(alg: &'static str, settings: Settings) -> Self {
        let world = World::with(settings).await;
        let (_, upstream) = instance(&world).await;
        let signer = Signer::new(alg, "one");
        let body = json!({ "name": "Robot", "kind": "confidential", "token_endpoint_auth_method": "private_key_jwt",
            "jwks": signer.jwks(), "redirect_uris": [], "scopes": ["mcp:write"] });
        let made = world.admin().post(&world.path("/clients"), &body).await.good();
        assert_eq!(made.get("client_secret"), None, "{made}");
        let issuer = world.node.running.url.clone();
        Self { world, signer, id: text(&made, "id"), issuer, _upstream: upstream }
    }

    async fn start() -> Self {
        Self::with("EdDSA", Settings::default()).await
    }

    fn claims(&self) -> Value {
        claims(&self.id, &self.issuer)
    }

    fn http(&self) -> Http {
        self.world.node.http()
    }

    async fn ask(&self, assertion: &str) -> Answer {
        ask(&self.http(), assertion).await
    }

    async fn refuses(&self, assertion: &str) {
        refused(&self.ask(assertion).await, 401, "invalid_client");
    }
}

async fn ask(http: &Http, assertion: &str) -> Answer {
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", TYPE),
        ("client_assertion", assertion),
    ];
    post_form(http, "/oauth/token", encoded(&fields)).await
}

#[tokio::test]
async fn attack_14_an_assertion_under_another_algorithm_key_or_kind_proves_nothing() {
    let robot = Robot::start().await;
    let claims = robot.claims().to_string();
    for alg in ["none", "None", "NONE", "HS256", "RS256", "ES256", "PS256", "eddsa", ""] {
        let header = json!({ "alg": alg, "kid": "one" }).to_string();
        let signed = robot.signer.signed(&header, &claims);
        robot.refuses(&signed).await;
        let unsigned = format!("{}.", signed.rsplit_once('.').unwrap().0);
        robot.refuses(&unsigned).await;
    }
    let elsewhere = robot.signer.jwk();
    for (name, value) in [
        ("jku", json!("https://evil.example/jwks")),
        ("x5u", json!("https://evil.example/cert")),
        ("jwk", elsewhere),
        ("crit", json!(["exp"])),
        ("b64", json!(false)),
        ("typ", json!("at+jwt")),
        ("kid", json!("two")),
        ("kid", json!("../../one")),
        ("kid", json!("one' or '1'='1")),
        ("kid", json!("one\u{0}")),
        ("kid", json!(1)),
    ] {
        let mut header = robot.signer.header();
        header[name] = value;
        robot.refuses(&robot.signer.signed(&header.to_string(), &claims)).await;
    }
    let other = Signer::new("EdDSA", "one");
    robot.refuses(&other.assertion(&robot.claims())).await;
    // The public key as a shared secret.
    let x = robot.signer.jwk()["x"].as_str().unwrap().to_owned();
    let message = format!("{}.{}", base64(br#"{"alg":"HS256","kid":"one"}"#), base64(claims.as_bytes()));
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, x.as_bytes());
    let signature = base64(aws_lc_rs::hmac::sign(&key, message.as_bytes()).as_ref());
    robot.refuses(&format!("{message}.{signature}")).await;
    let good = robot.signer.assertion(&robot.claims());
    for broken in
        [&good[..good.len() - 1], &format!("{good}x"), &format!("{good}.x"), &format!(" {good}"), "x"]
    {
        robot.refuses(broken).await;
    }
    robot.ask(&good).await.good();
}

#[tokio::test]
async fn attack_14_claims_that_are_odd_of_others_or_for_others_prove_nothing() {
    let robot = Robot::start().await;
    for (name, value) in [
        ("iss", json!(uuid::Uuid::new_v4())),
        ("sub", json!(uuid::Uuid::new_v4())),
        ("aud", json!(format!("{}/", robot.issuer))),
        ("aud", json!(format!("{}/oauth/revoke", robot.issuer))),
        ("aud", json!("https://other.example")),
        ("aud", json!([robot.issuer, "https://other.example"])),
        ("aud", json!([])),
        ("exp", json!(now() - 120)),
        ("exp", json!(now() + 3_600)),
        ("exp", json!(9_007_199_254_740_993_i64)),
        ("exp", json!((now() + 60).to_string())),
        ("exp", json!(1.5)),
        ("exp", json!(-1)),
        ("nbf", json!(now() + 120)),
        ("iat", json!(now() + 120)),
        ("jti", json!("")),
        ("jti", json!("x".repeat(1_000))),
        ("jti", json!(7)),
        ("jti", Value::Null),
        ("exp", Value::Null),
        ("aud", Value::Null),
    ] {
        let mut claims = robot.claims();
        claims[name] = value.clone();
        robot.refuses(&robot.signer.assertion(&claims)).await;
    }
    let twice = robot.claims().to_string().replacen('{', &format!("{{\"exp\":{},", now() + 30), 1);
    robot.refuses(&robot.signer.signed(&robot.signer.header().to_string(), &twice)).await;
}

#[tokio::test]
async fn attack_19_an_assertion_counts_once_on_however_many_nodes_it_comes() {
    let settings = Settings { public_url: Some(PUBLIC_URL), ..Settings::default() };
    let robot = Robot::with("EdDSA", settings).await;
    let nodes =
        [robot.world.another_node_with(settings).await, robot.world.another_node_with(settings).await];
    let doors = [robot.http(), nodes[0].http(), nodes[1].http()];
    let assertion = robot.signer.assertion(&robot.claims());
    let answers = join_all((0..30).map(|number| ask(&doors[number % 3], &assertion))).await;
    let good = answers.iter().filter(|answer| answer.status == 200).count();
    let told: BTreeSet<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    assert_eq!((good, told), (1, BTreeSet::from([200, 401])));
    refused(&ask(&doors[1], &assertion).await, 401, "invalid_client");
    ask(&doors[2], &robot.signer.assertion(&robot.claims())).await.good();
}

#[tokio::test]
async fn attack_31_what_is_not_signed_by_the_client_fills_no_table_and_what_is_leaves_a_row_of_one_size() {
    let robot = Robot::start().await;
    let other = Signer::new("EdDSA", "one");
    for _ in 0..20 {
        robot.refuses(&other.assertion(&robot.claims())).await;
    }
    let mut late = robot.claims();
    late["exp"] = json!(now() + 10_000_000);
    robot.refuses(&robot.signer.assertion(&late)).await;
    let rows = async || -> Vec<(i32, f64)> {
        sqlx::query_as(
            "select octet_length(digest), extract(epoch from expires_at - now())::float8 from client_assertions",
        )
        .fetch_all(&robot.world.node.running.pool)
        .await
        .unwrap()
    };
    assert_eq!(rows().await, []);
    let mut long = robot.claims();
    long["jti"] = json!("x".repeat(256));
    robot.ask(&robot.signer.assertion(&long)).await.good();
    let rows = rows().await;
    let [(32, seconds)] = rows[..] else { panic!("{rows:?}") };
    assert!(seconds < 600.0, "{seconds}");
}

#[tokio::test]
async fn every_algorithm_that_the_metadata_names_is_taken_and_the_audience_may_be_the_token_endpoint() {
    let scene = Scene::with(Settings::default()).await;
    let metadata = scene.anybody().get("/.well-known/oauth-authorization-server").await.good();
    let names = metadata["token_endpoint_auth_signing_alg_values_supported"].clone();
    assert_eq!(names, json!(["RS256", "PS256", "ES256", "EdDSA"]));
    assert!(
        metadata["token_endpoint_auth_methods_supported"]
            .as_array()
            .unwrap()
            .contains(&json!("private_key_jwt"))
    );
    for alg in ["RS256", "PS256", "ES256", "EdDSA"] {
        let signer = Signer::new(alg, alg);
        let body = json!({ "name": alg, "kind": "confidential", "token_endpoint_auth_method": "private_key_jwt",
            "jwks": signer.jwks(), "redirect_uris": [], "scopes": ["mcp:write"] });
        let id = text(&scene.world.admin().post(&scene.world.path("/clients"), &body).await.good(), "id");
        for audience in [metadata["issuer"].clone(), metadata["token_endpoint"].clone()] {
            let assertion = signer.assertion(&claims(&id, audience.as_str().unwrap()));
            let token = text(&ask(&scene.anybody(), &assertion).await.good(), "access_token");
            assert_eq!(scene.call(&token).await, 200, "{alg}");
        }
        let mut header = signer.header();
        header.as_object_mut().unwrap().remove("kid");
        header["typ"] = json!("JWT");
        let unnamed = signer
            .signed(&header.to_string(), &claims(&id, metadata["issuer"].as_str().unwrap()).to_string());
        ask(&scene.anybody(), &unnamed).await.good(); // there is only one that it can mean
    }
}

#[tokio::test]
async fn keys_are_replaced_by_whoever_answers_for_the_client_and_the_old_ones_prove_nothing_at_once() {
    let robot = Robot::start().await;
    let path = robot.world.path(&format!("/clients/{}", robot.id));
    let shown = robot.world.admin().get(&path).await.good();
    assert_eq!((&shown["key_ids"], &shown["secret_set_at"]), (&json!(["one"]), &Value::Null));
    assert_eq!(shown["token_endpoint_auth_method"], "private_key_jwt");
    let next = Signer::new("ES256", "two");
    let keys = format!("{path}/keys");
    let replace =
        async |jwks: Value| robot.world.admin().json(Method::PUT, &keys, &json!({ "jwks": jwks })).await;
    let mut private = next.jwk();
    private["d"] = json!("AQ");
    let many: Vec<Value> = (0..9)
        .map(|kid| {
            let mut key = next.jwk();
            key["kid"] = json!(kid.to_string());
            key
        })
        .collect();
    for jwks in [
        json!({ "keys": [private] }),
        json!({ "keys": [] }),
        json!({ "keys": many }),
        json!([]),
        json!("https://a.example/jwks"),
    ] {
        replace(jwks).await.refused(400, "wrong-shape");
    }
    replace(json!({ "keys": [robot.signer.jwk(), next.jwk()] })).await.good();
    robot.ask(&robot.signer.assertion(&robot.claims())).await.good();
    robot.ask(&next.assertion(&robot.claims())).await.good();
    replace(next.jwks()).await.good();
    robot.refuses(&robot.signer.assertion(&robot.claims())).await;
    robot.ask(&next.assertion(&robot.claims())).await.good();
    let rotate = format!("{path}/rotate-secret");
    robot.world.admin().post(&rotate, &json!({})).await.refused(409, "client-has-no-secret");
}

#[tokio::test]
async fn a_client_that_registered_itself_with_keys_signs_everywhere_and_replaces_them_itself() {
    let mut scene = Scene::open().await;
    let issuer = scene.world.node.running.url.clone();
    let (one, two) = (Signer::new("EdDSA", "one"), Signer::new("EdDSA", "two"));
    let said = json!({ "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "private_key_jwt", "jwks": one.jwks(),
        "grant_types": ["authorization_code", "refresh_token"] });
    let made = scene.register(&said).await.good();
    assert_eq!(
        (made.get("client_secret"), &made["token_endpoint_auth_signing_alg"]),
        (None, &json!("EdDSA"))
    );
    assert_eq!(made["jwks"]["keys"][0]["kid"], "one");
    let (id, token) = (text(&made, "client_id"), text(&made, "registration_access_token"));
    let proof = |signer: &Signer| signer.assertion(&claims(&id, &issuer));
    let code = scene.code(&id, CALLBACK).await;
    let nothing = Scene::form(&code, CALLBACK, &[("client_id", &id)]);
    refused(&post_form(&scene.anybody(), "/oauth/token", nothing).await, 401, "invalid_client");
    let form = |signer: &Signer| {
        Scene::form(&code, CALLBACK, &[("client_assertion_type", TYPE), ("client_assertion", &proof(signer))])
    };
    let tokens = post_form(&scene.anybody(), "/oauth/token", form(&one)).await.good();
    let access = text(&tokens, "access_token");
    let about = |signer: &Signer| {
        encoded(&[("token", &access), ("client_assertion_type", TYPE), ("client_assertion", &proof(signer))])
    };
    assert_eq!(post_form(&scene.anybody(), "/oauth/introspect", about(&one)).await.good()["active"], true);
    let path = format!("/oauth/register/{id}");
    let mut anew = said.clone();
    anew["client_id"] = json!(id);
    anew["jwks"] = two.jwks();
    let told = scene.as_itself(&token).json(Method::PUT, &path, &anew).await.good();
    assert_eq!(told["jwks"]["keys"][0]["kid"], "two");
    refused(&post_form(&scene.anybody(), "/oauth/introspect", about(&one)).await, 401, "invalid_client");
    post_form(&scene.anybody(), "/oauth/revoke", about(&two)).await.good();
    assert_eq!(scene.call(&access).await, 401);
    anew.as_object_mut().unwrap().remove("jwks");
    let keyless = scene.as_itself(&token).json(Method::PUT, &path, &anew).await;
    refused(&keyless, 400, "invalid_client_metadata");
}
