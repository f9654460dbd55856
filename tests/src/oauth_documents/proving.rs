//! Item 54, attacks 12 and 19: at the token endpoint, too, a client is what its document says, not what it said when somebody consented.

use std::time::Duration;

use api::config::{Loopback, PublishedKeyLimits};
use api::oauth::RegistrationPolicy;
use harness::{Answer, Settings};
use serde_json::{Value, json};

use super::CALLBACK;
use super::published::Published;
use crate::oauth_registration::scene::{Scene, post_form, refused, text};
use crate::oauth_registration::signer::{Signer, TYPE, claims};
use crate::people::browser::encoded;

const LONG: Duration = Duration::from_hours(1);
/// Taken for long, and looked for anew whenever there is a reason to.
const EAGER: PublishedKeyLimits =
    PublishedKeyLimits { good_min: LONG, good_max: LONG, rest: Duration::ZERO, stale: LONG };
/// Looked for each time.
const NEVER_GOOD: PublishedKeyLimits =
    PublishedKeyLimits { good_min: Duration::ZERO, good_max: Duration::ZERO, ..EAGER };

async fn following(published_keys: &'static PublishedKeyLimits) -> Scene {
    let published_keys = Some(published_keys);
    Scene::with(Settings { outbound_loopback: Loopback::Allowed, published_keys, ..Settings::default() })
        .await
}

/// The document, with the keys that it names.
fn keyed(document: &Published, signer: &Signer) -> Value {
    let mut described = document.described("Desk", &[CALLBACK]);
    described["token_endpoint_auth_method"] = json!("private_key_jwt");
    described["jwks"] = signer.jwks();
    described
}

/// What proves the client: something that it signed.
fn proof(scene: &Scene, document: &Published, signer: &Signer) -> String {
    signer.assertion(&claims(&document.url, &scene.world.node.running.url))
}

async fn refreshed(scene: &Scene, refresh: &str, proof: &[(&str, &str)]) -> Answer {
    let fields = [&[("grant_type", "refresh_token"), ("refresh_token", refresh)], proof].concat();
    post_form(&scene.anybody(), "/oauth/token", encoded(&fields)).await
}

#[tokio::test]
async fn item_54_attack_19_a_key_that_is_taken_out_of_a_document_proves_nothing_and_its_successor_does() {
    let mut scene = following(&EAGER).await;
    let (old, new) = (Signer::new("EdDSA", "old"), Signer::new("EdDSA", "new"));
    let document = Published::start(CALLBACK).await;
    document.says(&keyed(&document, &old));
    let code = scene.code(&document.url, CALLBACK).await;
    let assertion = proof(&scene, &document, &old);
    let form =
        Scene::form(&code, CALLBACK, &[("client_assertion_type", TYPE), ("client_assertion", &assertion)]);
    let answer = post_form(&scene.anybody(), "/oauth/token", form).await.good();

    document.says(&keyed(&document, &new));
    let by = async |signer: &Signer, refresh: &str| {
        let assertion = proof(&scene, &document, signer);
        let proof = [("client_assertion_type", TYPE), ("client_assertion", assertion.as_str())];
        refreshed(&scene, refresh, &proof).await
    };
    let answer = by(&new, &text(&answer, "refresh_token")).await.good();
    refused(&by(&old, &text(&answer, "refresh_token")).await, 401, "invalid_client");
    by(&new, &text(&answer, "refresh_token")).await.good();
}

#[tokio::test]
async fn item_54_attack_12_a_client_whose_document_is_gone_refreshes_nothing_and_one_whose_place_is_down_does()
 {
    let mut scene = following(&NEVER_GOOD).await;
    let document = Published::start(CALLBACK).await;
    let code = scene.code(&document.url, CALLBACK).await;
    let answer = scene.redeem(&document.url, &code, CALLBACK).await.good();
    let mut refresh = text(&answer, "refresh_token");
    let by_name = async |refresh: &str| refreshed(&scene, refresh, &[("client_id", &document.url)]).await;
    let good = "content-type: application/json\r\n";
    for (status, body) in [("404 Not Found", ""), ("410 Gone", ""), ("200 OK", "{}")] {
        document.answers("503 Service Unavailable", good, b"");
        refresh = text(&by_name(&refresh).await.good(), "refresh_token");
        document.answers(status, good, body.as_bytes());
        refused(&by_name(&refresh).await, 401, "invalid_client");
        document.says(&document.described("Desk", &[CALLBACK]));
        refresh = text(&by_name(&refresh).await.good(), "refresh_token");
    }
    document.says(&keyed(&document, &Signer::new("EdDSA", "one")));
    refused(&by_name(&refresh).await, 401, "invalid_client");
    document.says(&document.described("Desk", &[CALLBACK]));
    refresh = text(&by_name(&refresh).await.good(), "refresh_token");
    document.stop().await;
    by_name(&refresh).await.good();
}

#[tokio::test]
async fn item_32_a_client_whose_document_is_gone_still_gives_its_tokens_back() {
    let mut scene = following(&NEVER_GOOD).await;
    let (own, other) = (Signer::new("EdDSA", "own"), Signer::new("EdDSA", "other"));
    let document = Published::start(CALLBACK).await;
    document.says(&keyed(&document, &own));
    let code = scene.code(&document.url, CALLBACK).await;
    let assertion = proof(&scene, &document, &own);
    let form =
        Scene::form(&code, CALLBACK, &[("client_assertion_type", TYPE), ("client_assertion", &assertion)]);
    let answer = post_form(&scene.anybody(), "/oauth/token", form).await.good();
    document.answers("404 Not Found", "content-type: application/json\r\n", b"");
    let (access, refresh) = (text(&answer, "access_token"), text(&answer, "refresh_token"));
    let assertion = proof(&scene, &document, &own);
    let proven = [("client_assertion_type", TYPE), ("client_assertion", assertion.as_str())];
    refused(&refreshed(&scene, &refresh, &proven).await, 401, "invalid_client");
    let given_back = async |signer: &Signer, token: &str| {
        let assertion = proof(&scene, &document, signer);
        let form = [("token", token), ("client_assertion_type", TYPE), ("client_assertion", &assertion)];
        post_form(&scene.anybody(), "/oauth/revoke", encoded(&form)).await
    };
    refused(&given_back(&other, &access).await, 401, "invalid_client");
    given_back(&own, &access).await.good();
    let told = "select count(*) from events where aggregate_type = 'access_token'";
    let told: i64 = sqlx::query_scalar(told).fetch_one(&scene.world.node.running.pool).await.unwrap();
    assert_eq!(told, 1);
}

#[tokio::test]
async fn attack_37_where_documents_are_not_taken_any_more_no_client_that_is_known_by_one_refreshes() {
    let mut scene = following(&EAGER).await;
    let document = Published::start(CALLBACK).await;
    let code = scene.code(&document.url, CALLBACK).await;
    let answer = scene.redeem(&document.url, &code, CALLBACK).await.good();
    let by_name = [("client_id", document.url.as_str())];
    let answer = refreshed(&scene, &text(&answer, "refresh_token"), &by_name).await.good();
    let off = Settings { registration: RegistrationPolicy::Closed, ..Settings::default() };
    let node = scene.world.another_node_with(off).await;
    let refresh = text(&answer, "refresh_token");
    let form = encoded(&[
        ("grant_type", "refresh_token"),
        ("refresh_token", &refresh),
        ("client_id", &document.url),
    ]);
    refused(&post_form(&node.http(), "/oauth/token", form).await, 401, "invalid_client");
    let form = encoded(&[("token", refresh.as_str()), ("client_id", &document.url)]);
    post_form(&node.http(), "/oauth/revoke", form).await.good();
    refused(&refreshed(&scene, &refresh, &by_name).await, 400, "invalid_grant");
}
