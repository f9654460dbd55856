//! Items 39, 40, 47 and 49: what a client that has never heard of us finds, and that it finds nothing else.

use harness::Settings;
use hyper::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::scene::Scene;

#[tokio::test]
async fn item_39_the_metadata_names_what_is_there_and_is_found_in_both_forms() {
    let scene = Scene::start().await;
    let issuer = scene.world.node.running.url.clone();
    let metadata = scene.anybody().get("/.well-known/oauth-authorization-server").await;
    assert_eq!(metadata.header("content-type"), Some("application/json"));
    assert_eq!(metadata.header("access-control-allow-origin"), Some("*"));
    let metadata = metadata.good();
    assert_eq!(metadata, scene.anybody().get("/.well-known/openid-configuration").await.good());
    assert_eq!(metadata["issuer"], issuer);
    assert_eq!(metadata["token_endpoint"], format!("{issuer}/oauth/token"));
    assert_eq!(metadata["jwks_uri"], format!("{issuer}/oauth/jwks"));
}

#[tokio::test]
async fn item_40_what_the_metadata_offers_is_answered_and_no_list_is_empty() {
    let scene = Scene::start().await;
    let metadata = scene.anybody().get("/.well-known/oauth-authorization-server").await.good();
    for (name, value) in metadata.as_object().expect("an object") {
        assert!(value.as_array().is_none_or(|list| !list.is_empty()), "{name}");
    }
    for grant_type in ["authorization_code", "refresh_token", "client_credentials", "password", "implicit"] {
        let offered =
            metadata["grant_types_supported"].as_array().expect("a list").contains(&json!(grant_type));
        let answer = scene.ask(&format!("grant_type={grant_type}")).await;
        let unsupported = answer.body()["error"] == "unsupported_grant_type";
        assert_eq!(offered, !unsupported, "{grant_type}: {}", answer.body());
    }
}

#[tokio::test]
async fn attack_09_no_header_of_a_request_is_in_what_is_named() {
    let scene = Scene::start().await;
    let paths = [
        "/.well-known/oauth-authorization-server".to_owned(),
        format!("/.well-known/oauth-protected-resource{}", scene.instance.path()),
    ];
    for path in paths {
        let plain = scene.anybody().get(&path).await;
        for (name, value) in [
            ("x-forwarded-host", "evil.example"),
            ("x-forwarded-proto", "https"),
            ("forwarded", "host=evil.example"),
            ("host", "evil.example"),
        ] {
            let answer = scene.anybody().with(name, value).get(&path).await;
            assert_eq!(answer.bytes, plain.bytes, "{name}");
        }
    }
}

#[tokio::test]
async fn item_39_an_issuer_with_a_path_is_found_by_insertion_and_by_appending() {
    let settings = Settings { public_url: Some("https://example.com/tools"), ..Settings::default() };
    let scene = Scene::with(harness::Scripted::Tools(vec![]), settings).await;
    for path in [
        "/.well-known/oauth-authorization-server/tools",
        "/.well-known/openid-configuration/tools",
        "/tools/.well-known/openid-configuration",
        "/.well-known/openid-configuration", // appended, behind a proxy that takes the path off
    ] {
        let metadata = scene.anybody().get(path).await.good();
        assert_eq!(metadata["issuer"], "https://example.com/tools", "{path}");
        assert_eq!(metadata["token_endpoint"], "https://example.com/tools/oauth/token", "{path}");
    }
    let metadata = format!("/.well-known/oauth-protected-resource/tools{}", scene.instance.path());
    let metadata = scene.anybody().get(&metadata).await.good();
    assert_eq!(metadata["resource"], format!("https://example.com/tools{}", scene.instance.path()));
    scene.anybody().get("/.well-known/oauth-authorization-server/other").await.refused(404, "not-found");
}

#[tokio::test]
async fn item_47_a_resource_names_itself_and_its_authorization_server() {
    let scene = Scene::start().await;
    let path = format!("/.well-known/oauth-protected-resource{}", scene.instance.path());
    let answer = scene.anybody().get(&path).await;
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    let metadata = answer.good();
    assert_eq!(metadata["resource"], scene.resource());
    assert_eq!(metadata["authorization_servers"], json!([scene.world.node.running.url]));
    assert_eq!(metadata["bearer_methods_supported"], json!(["header"]));
    assert_eq!(metadata["scopes_supported"], json!(["mcp:read", "mcp:write"]));
}

#[tokio::test]
async fn item_49_whether_there_is_an_instance_is_told_neither_by_metadata_nor_by_challenges() {
    let scene = Scene::start().await;
    let unknown = Uuid::new_v4().to_string();
    let metadata = async |id: &str| {
        let answer = scene.anybody().get(&format!("/.well-known/oauth-protected-resource/mcp/{id}")).await;
        (answer.status, String::from_utf8_lossy(&answer.bytes).replace(id, "ID"))
    };
    assert_eq!(metadata(&scene.instance.id).await, metadata(&unknown).await);
    let challenge = async |id: &str| {
        let answer = scene.anybody().post(&format!("/mcp/{id}"), &json!({})).await;
        let challenge = answer.header("www-authenticate").expect("a challenge").replace(id, "ID");
        (answer.status, challenge, answer.bytes)
    };
    let told = challenge(&scene.instance.id).await;
    for authentication in ["both", "api_key"] {
        scene.takes(authentication).await;
        assert_eq!(challenge(&scene.instance.id).await, told, "{authentication}");
    }
    assert_eq!(challenge(&unknown).await, told);
    for odd in ["x", "", &scene.instance.id.to_uppercase(), &scene.instance.id.replace('-', "")] {
        let path = format!("/.well-known/oauth-protected-resource/mcp/{odd}");
        scene.anybody().get(&path).await.refused(404, "not-found");
    }
}

#[tokio::test]
async fn item_40_a_page_in_a_browser_may_read_what_is_public_and_asks_before_it_does() {
    let scene = Scene::start().await;
    let protected = format!("/.well-known/oauth-protected-resource{}", scene.instance.path());
    for path in [
        "/.well-known/oauth-authorization-server",
        "/.well-known/openid-configuration",
        "/oauth/jwks",
        &protected,
    ] {
        let page = scene.anybody().with("origin", "https://inspector.example");
        let asked = page
            .clone()
            .with("access-control-request-method", "GET")
            .with("access-control-request-headers", "mcp-protocol-version")
            .send(Method::OPTIONS, path, "")
            .await;
        assert_eq!(asked.status.as_u16(), 204, "{path}");
        assert_eq!(asked.header("access-control-allow-origin"), Some("*"), "{path}");
        assert_eq!(asked.header("access-control-allow-headers"), Some("*"), "{path}");
        let answer = page.get(path).await;
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{path}");
        assert_eq!(answer.header("access-control-allow-credentials"), None, "{path}");
    }
}

#[tokio::test]
async fn the_keys_are_public_ones_under_the_names_that_tokens_say() {
    let scene = Scene::start().await;
    let answer = scene.anybody().get("/oauth/jwks").await;
    assert!(answer.header("cache-control").expect("a life").starts_with("public, max-age="));
    let keys = answer.good();
    let keys = keys["keys"].as_array().expect("a list");
    assert_eq!(keys.len(), 1);
    for key in keys {
        assert_eq!((&key["use"], &key["alg"]), (&json!("sig"), &json!("EdDSA")));
        for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            assert_eq!(key.get(private), None::<&Value>);
        }
    }
    let token = scene.token("mcp:read").await;
    assert_eq!(super::scene::header(&token)["kid"], keys[0]["kid"]);
}
