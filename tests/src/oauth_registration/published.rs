//! Clients that publish their keys under an address of their own: items 28 and 29, attacks 20 and 22.

use std::time::Duration;

use api::config::{Loopback, PublishedKeyLimits};
use api::oauth::RegistrationPolicy;
use futures_util::future::join_all;
use harness::{Answer, Http, Settings, World};
use hyper::Method;
use serde_json::{Value, json};

use super::scene::{CALLBACK, Scene, instance, post_form, refused, text};
use super::signer::{Signer, TYPE, claims};
use crate::oauth_documents::published::Published;
use crate::people::browser::encoded;

const PUBLIC_URL: &str = "http://sekisho.test";
const LONG: Duration = Duration::from_hours(1);
const JSON: &str = "content-type: application/jwk-set+json\r\n";
/// What a client is told whose keys are not to be had.
const NO_KEYS: &str = "the keys of this client cannot be had from its jwks_uri";

/// Kept for long, and looked for anew whenever there is a reason to.
const EAGER: PublishedKeyLimits =
    PublishedKeyLimits { good_min: LONG, good_max: LONG, rest: Duration::ZERO, stale: LONG };
/// The same, but looked for once.
const LAZY: PublishedKeyLimits = PublishedKeyLimits { rest: LONG, ..EAGER };
/// Looked for each time.
const NEVER_GOOD: PublishedKeyLimits =
    PublishedKeyLimits { good_min: Duration::ZERO, good_max: Duration::ZERO, ..EAGER };
/// The same, and not trusted for long when there is nobody.
const SHORT: PublishedKeyLimits = PublishedKeyLimits { stale: Duration::from_secs(2), ..NEVER_GOOD };

fn following(published_keys: &'static PublishedKeyLimits) -> Settings {
    Settings {
        outbound_loopback: Loopback::Allowed,
        registration: RegistrationPolicy::Open,
        published_keys: Some(published_keys),
        ..Settings::default()
    }
}

/// Keys at an address.
async fn keys_of(signers: &[&Signer]) -> Published {
    let published = Published::start(CALLBACK).await;
    show(&published, signers);
    published
}

fn show(published: &Published, signers: &[&Signer]) {
    let keys: Vec<Value> = signers.iter().map(|signer| signer.jwk()).collect();
    published.answers("200 OK", JSON, json!({ "keys": keys }).to_string().as_bytes());
}

/// A client of the organization whose keys lie there.
async fn robot(world: &World, jwks_uri: &str) -> String {
    let body = json!({ "name": "Robot", "kind": "confidential", "token_endpoint_auth_method": "private_key_jwt",
        "jwks_uri": jwks_uri, "redirect_uris": [], "scopes": ["mcp:write"] });
    text(&world.admin().post(&world.path("/clients"), &body).await.good(), "id")
}

async fn ask(http: &Http, assertion: &str) -> Answer {
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", TYPE),
        ("client_assertion", assertion),
    ];
    post_form(http, "/oauth/token", encoded(&fields)).await
}

/// The client asks with what this key signed.
async fn proves(scene: &Scene, client: &str, signer: &Signer) -> Answer {
    let issuer = scene.world.node.http().get("/.well-known/oauth-authorization-server").await.good();
    ask(&scene.anybody(), &signer.assertion(&claims(client, issuer["issuer"].as_str().unwrap()))).await
}

/// It is told why it cannot be taken for who it says.
#[track_caller]
fn without_keys(answer: &Answer) {
    refused(answer, 401, "invalid_client");
    assert_eq!(answer.body()["error_description"], NO_KEYS);
}

#[tokio::test]
async fn attack_22_keys_at_an_address_that_leads_inside_are_not_fetched() {
    let signer = Signer::new("EdDSA", "one");
    let published = keys_of(&[&signer]).await;
    let scene = Scene::with(Settings { outbound_loopback: Loopback::Refused, ..following(&EAGER) }).await;
    let port = published.url.rsplit(':').next().unwrap().to_owned(); // with the path
    for jwks_uri in [
        published.url.clone(),
        format!("https://127.0.0.1:{port}"),
        format!("https://localhost:{port}"),
        format!("https://[::1]:{port}"),
        format!("https://2130706433:{port}"),
        "https://169.254.169.254/latest/meta-data".to_owned(),
        "https://10.0.0.1/jwks".to_owned(),
        "https://[fd00::1]/jwks".to_owned(),
    ] {
        let client = robot(&scene.world, &jwks_uri).await;
        without_keys(&proves(&scene, &client, &signer).await);
    }
    assert_eq!(published.came(), 0, "nobody came");
}

#[tokio::test]
async fn item_29_what_is_no_address_of_keys_is_refused_when_it_is_named() {
    let scene = Scene::with(following(&EAGER)).await;
    for jwks_uri in [
        "http://app.example.com/jwks",
        "https://ann@app.example.com/jwks",
        "https://app.example.com/jwks#a",
        "file:///etc/passwd",
        "gopher://127.0.0.1/x",
        "javascript:alert(1)",
        "/jwks",
    ] {
        let body = json!({ "name": "X", "kind": "confidential", "token_endpoint_auth_method": "private_key_jwt",
            "jwks_uri": jwks_uri, "redirect_uris": [], "scopes": ["mcp:write"] });
        scene.world.admin().post(&scene.world.path("/clients"), &body).await.refused(400, "wrong-shape");
        let said = json!({ "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "private_key_jwt",
            "jwks_uri": jwks_uri });
        refused(&scene.register(&said).await, 400, "invalid_client_metadata");
    }
}

#[tokio::test]
async fn item_28_keys_are_sent_or_published_and_not_both() {
    let scene = Scene::with(following(&EAGER)).await;
    let signer = Signer::new("EdDSA", "one");
    let published = keys_of(&[&signer]).await;
    let both = json!({ "jwks": signer.jwks(), "jwks_uri": published.url });
    let mut body = json!({ "name": "X", "kind": "confidential", "token_endpoint_auth_method": "private_key_jwt",
        "redirect_uris": [], "scopes": ["mcp:write"] });
    let mut said = json!({ "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "private_key_jwt" });
    for target in [&mut body, &mut said] {
        target.as_object_mut().unwrap().extend(both.as_object().unwrap().clone());
    }
    scene.world.admin().post(&scene.world.path("/clients"), &body).await.refused(422, "one-place-of-keys");
    refused(&scene.register(&said).await, 400, "invalid_client_metadata");

    let client = robot(&scene.world, &published.url).await;
    let path = scene.world.path(&format!("/clients/{client}"));
    let shown = scene.world.admin().get(&path).await.good();
    assert_eq!((&shown["jwks_uri"], &shown["key_ids"]), (&json!(published.url), &json!([])));
    let keys = format!("{path}/keys");
    let replace = async |body: &Value| scene.world.admin().json(Method::PUT, &keys, body).await;
    replace(&both).await.refused(422, "one-place-of-keys");
    replace(&json!({})).await.refused(422, "one-place-of-keys");
    let sent = Signer::new("EdDSA", "two");
    replace(&json!({ "jwks": sent.jwks() })).await.good();
    refused(&proves(&scene, &client, &signer).await, 401, "invalid_client");
    proves(&scene, &client, &sent).await.good();
    replace(&json!({ "jwks_uri": published.url })).await.good();
    refused(&proves(&scene, &client, &sent).await, 401, "invalid_client");
    proves(&scene, &client, &signer).await.good();
}

#[tokio::test]
async fn attack_22_what_is_no_set_of_keys_proves_nothing_and_is_not_kept() {
    let scene = Scene::with(following(&EAGER)).await;
    let signer = Signer::new("EdDSA", "one");
    let published = keys_of(&[&signer]).await;
    let client = robot(&scene.world, &published.url).await;
    let good = signer.jwks().to_string();
    let mut private = signer.jwk();
    private["d"] = json!("AQ");
    let elsewhere = format!("location: {}\r\n{JSON}", published.url);
    let packed = format!("content-encoding: gzip\r\n{JSON}");
    let long = json!({ "keys": [signer.jwk()], "padding": "x".repeat(64 * 1024) }).to_string();
    let told = json!({ "keys": [private] }).to_string();
    for (status, headers, body) in [
        ("404 Not Found", JSON, good.as_str()),
        ("500 Internal Server Error", JSON, &good),
        ("302 Found", &elsewhere, &good),
        ("200 OK", "content-type: text/html\r\n", &good),
        ("200 OK", &packed, &good),
        ("200 OK", JSON, &long),
        ("200 OK", JSON, &told),
        ("200 OK", JSON, "{\"keys\":[]}"),
        ("200 OK", JSON, "[]"),
        ("200 OK", JSON, "x"),
    ] {
        published.answers(status, headers, body.as_bytes());
        let before = published.came();
        without_keys(&proves(&scene, &client, &signer).await);
        assert_eq!(published.came(), before + 1, "no redirect is followed: {status} {headers}");
    }
    show(&published, &[&signer]);
    proves(&scene, &client, &signer).await.good();
}

#[tokio::test]
async fn attack_20_a_flood_of_names_of_keys_that_nobody_has_is_one_fetch() {
    let scene = Scene::with(following(&LAZY)).await;
    let signer = Signer::new("EdDSA", "one");
    let published = keys_of(&[&signer]).await;
    let client = robot(&scene.world, &published.url).await;
    let strangers: Vec<Signer> = (0..60).map(|n| Signer::new("EdDSA", &format!("stranger-{n}"))).collect();
    let asked = strangers.iter().map(|stranger| proves(&scene, &client, stranger));
    for answer in join_all(asked).await {
        refused(&answer, 401, "invalid_client");
        assert_ne!(answer.body()["error_description"], NO_KEYS, "there are keys, but not those");
    }
    assert_eq!(published.came(), 1);
    proves(&scene, &client, &signer).await.good();
    assert_eq!(published.came(), 1, "kept as its headers say, within bounds");
}

#[tokio::test]
async fn attack_20_a_key_that_is_new_there_is_taken_and_one_that_is_gone_there_is_not() {
    let scene = Scene::with(following(&EAGER)).await;
    let (old, new) = (Signer::new("EdDSA", "old"), Signer::new("ES256", "new"));
    let published = keys_of(&[&old]).await;
    let client = robot(&scene.world, &published.url).await;
    proves(&scene, &client, &old).await.good();
    show(&published, &[&old, &new]);
    proves(&scene, &client, &old).await.good();
    assert_eq!(published.came(), 1, "nothing was missing");
    proves(&scene, &client, &new).await.good();
    assert_eq!(published.came(), 2);
    let again = Signer::new("ES256", "new"); // another key under the same name
    show(&published, &[&again]);
    proves(&scene, &client, &again).await.good();
    for gone in [&old, &new] {
        refused(&proves(&scene, &client, gone).await, 401, "invalid_client");
    }
}

#[tokio::test]
async fn attack_20_keys_that_a_client_takes_away_prove_nothing_from_then_on() {
    let scene = Scene::with(following(&NEVER_GOOD)).await;
    let signer = Signer::new("EdDSA", "one");
    let published = keys_of(&[&signer]).await;
    let client = robot(&scene.world, &published.url).await;
    let good = signer.jwks().to_string();
    let mut sealing = signer.jwk();
    sealing["use"] = json!("enc");
    let sealing = json!({ "keys": [sealing] }).to_string();
    for (status, headers, body) in [
        ("200 OK", JSON, "{\"keys\":[]}"),
        ("200 OK", JSON, sealing.as_str()),
        ("200 OK", "content-type: text/html\r\n", &good),
        ("404 Not Found", JSON, ""),
        ("410 Gone", JSON, ""),
        ("403 Forbidden", JSON, &good),
    ] {
        show(&published, &[&signer]);
        proves(&scene, &client, &signer).await.good();
        for no_word in ["503 Service Unavailable", "429 Too Many Requests", "408 Request Timeout"] {
            published.answers(no_word, JSON, b"");
            proves(&scene, &client, &signer).await.good(); // whoever is not well, or has no time, says nothing of keys
        }
        published.answers(status, headers, body.as_bytes());
        without_keys(&proves(&scene, &client, &signer).await);
        published.answers("503 Service Unavailable", JSON, b"");
        without_keys(&proves(&scene, &client, &signer).await); // nor do those of before come back
    }
    show(&published, &[&signer]);
    proves(&scene, &client, &signer).await.good();
    published.answers("404 Not Found", JSON, b"");
    without_keys(&proves(&scene, &client, &signer).await);
    published.stop().await;
    without_keys(&proves(&scene, &client, &signer).await);
}

#[tokio::test]
async fn keys_of_a_place_that_is_down_are_taken_for_a_while_and_then_the_client_is_told() {
    let settings = Settings { public_url: Some(PUBLIC_URL), ..following(&NEVER_GOOD) };
    let world = World::with(settings).await;
    let (_, _upstream) = instance(&world).await;
    let other = world.another_node_with(Settings { published_keys: Some(&SHORT), ..settings }).await;
    let signer = Signer::new("EdDSA", "one");
    let published = keys_of(&[&signer]).await;
    let client = robot(&world, &published.url).await;
    let assertion = || signer.assertion(&claims(&client, PUBLIC_URL));
    ask(&world.node.http(), &assertion()).await.good();
    let known = async {
        while ask(&other.http(), &assertion()).await.status != 200 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), known).await.expect("the other node knows the client");

    published.stop().await;
    ask(&world.node.http(), &assertion()).await.good();
    let ended = async {
        loop {
            let answer = ask(&other.http(), &assertion()).await;
            if answer.status != 200 {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    without_keys(&tokio::time::timeout(Duration::from_mins(1), ended).await.expect("a while is over"));
    ask(&world.node.http(), &assertion()).await.good();
}

#[tokio::test]
async fn item_28_clients_that_register_themselves_or_are_known_by_a_document_publish_keys_too() {
    let mut scene = Scene::with(following(&EAGER)).await;
    let issuer = scene.world.node.running.url.clone();
    let (one, two) = (Signer::new("RS256", "one"), Signer::new("PS256", "two"));
    let published = keys_of(&[&one]).await;
    let said = json!({ "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "private_key_jwt",
        "jwks_uri": published.url });
    let made = scene.register(&said).await.good();
    assert_eq!((&made["jwks_uri"], made.get("jwks")), (&json!(published.url), None));
    let own = text(&made, "client_id");

    let document = Published::start(CALLBACK).await;
    let mut described = document.described("Desk", &[CALLBACK]);
    described["token_endpoint_auth_method"] = json!("private_key_jwt");
    described["jwks_uri"] = json!(published.url);
    document.says(&described);
    for client in [&own, &document.url] {
        let code = scene.code(client, CALLBACK).await;
        let form = |signer: &Signer| {
            let assertion = signer.assertion(&claims(client, &issuer));
            Scene::form(&code, CALLBACK, &[("client_assertion_type", TYPE), ("client_assertion", &assertion)])
        };
        refused(&post_form(&scene.anybody(), "/oauth/token", form(&two)).await, 401, "invalid_client");
        let answer = post_form(&scene.anybody(), "/oauth/token", form(&one)).await.good();
        assert_eq!(scene.call(&text(&answer, "access_token")).await, 200);
    }

    let path = format!("/oauth/register/{own}");
    let mut anew = said.clone();
    anew["client_id"] = json!(own);
    anew.as_object_mut().unwrap().remove("jwks_uri");
    let http = scene.as_itself(&text(&made, "registration_access_token"));
    refused(&http.json(Method::PUT, &path, &anew).await, 400, "invalid_client_metadata");
    anew["jwks"] = two.jwks();
    let told = http.json(Method::PUT, &path, &anew).await.good();
    assert_eq!((told.get("jwks_uri"), &told["jwks"]["keys"][0]["kid"]), (None, &json!("two")));
    anew["jwks_uri"] = json!(published.url);
    refused(&http.json(Method::PUT, &path, &anew).await, 400, "invalid_client_metadata");
    anew.as_object_mut().unwrap().remove("jwks");
    let told = http.json(Method::PUT, &path, &anew).await.good();
    assert_eq!((&told["jwks_uri"], told.get("jwks")), (&json!(published.url), None));
}
