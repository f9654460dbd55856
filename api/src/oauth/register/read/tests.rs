//! Items 27 to 29, without a server around them: what is refused, what is left out, what is filled in.

use domain::value::CLIENT_KEYS_MAX;
use serde_json::json;
use uuid::Uuid;

use super::*;

const ID: ClientId = ClientId::new(Uuid::from_u128(7));

fn wish(said: &Value) -> Result<Wish, OauthErrorCode> {
    let metadata: ClientMetadata = serde_json::from_value(said.clone()).unwrap();
    metadata.wish(ID).map_err(|error| error.code())
}

fn with(name: &str, value: Value) -> Value {
    let mut said = json!({ "redirect_uris": ["http://127.0.0.1:3000/callback"] });
    said[name] = value;
    said
}

fn signing(jwks_uri: &Value) -> Value {
    json!({ "redirect_uris": ["https://a.example/cb"], "token_endpoint_auth_method": "private_key_jwt",
        "jwks_uri": jwks_uri })
}

#[test]
fn item_28_keys_are_sent_or_published_and_what_they_sign_with_may_be_said() {
    let mut said = signing(&json!("https://a.example/jwks"));
    said["token_endpoint_auth_signing_alg"] = json!("PS256");
    let url = KeysUrl::parse("https://a.example/jwks").unwrap();
    let published = PublishedKeys { url, algorithm: Some(AssertionAlgorithm::Ps256) };
    assert_eq!(wish(&said).unwrap().proof, Proof::Keys(ClientKeySource::Published(published)));
}

#[test]
fn attack_42_a_name_that_turns_the_text_around_it_is_invalid_metadata() {
    for member in ["client_name", "software_id", "software_version"] {
        for turning in ['\u{202e}', '\u{2066}', '\u{2069}', '\u{200f}'] {
            let refused = wish(&with(member, json!(format!("Ban{turning}k")))).unwrap_err();
            assert_eq!(refused, OauthErrorCode::InvalidClientMetadata, "{member} {turning:?}");
        }
        assert!(wish(&with(member, json!("\u{5d1}\u{5e0}\u{5e7}"))).is_ok(), "a name in any script");
    }
}

#[test]
fn item_28_a_redirect_uri_that_is_none_or_one_too_many_is_refused() {
    let many: Vec<String> = (0..=REDIRECT_URIS_MAX).map(|n| format!("https://a.example/{n}")).collect();
    for uris in [
        json!(null),
        json!([]),
        json!(["/cb"]),
        json!(["https://a.example/cb", "javascript:alert(1)"]),
        json!(["data:text/html,x"]),
        json!(["http://a.example/cb"]),
        json!(["http://localhost.evil/cb"]),
        json!(["https://a.example/cb#f"]),
        json!(["https://*.a.example/cb"]),
        json!(["https://a@a.example/cb"]),
        json!(many),
    ] {
        let refused = wish(&json!({ "redirect_uris": uris })).unwrap_err();
        assert_eq!(refused, OauthErrorCode::InvalidRedirectUri, "{uris}");
    }
}

#[test]
fn item_27_what_cannot_be_is_invalid_metadata() {
    let key = json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
    let keys = json!({ "keys": [key] });
    for said in [
        with("token_endpoint_auth_method", json!("client_secret_jwt")),
        with("token_endpoint_auth_method", json!("")),
        with("token_endpoint_auth_method", json!("private_key_jwt")),
        with("token_endpoint_auth_signing_alg", json!("none")),
        with("jwks", keys.clone()),
        with("jwks_uri", json!("https://a.example/jwks")),
        signing(&json!("http://a.example/jwks")),
        signing(&json!("https://a.example/jwks#a")),
        signing(&json!("https://ann@a.example/jwks")),
        signing(&json!("file:///etc/passwd")),
        signing(&json!("")),
        signing(&json!(null)),
        json!({ "redirect_uris": ["https://a.example/cb"], "jwks": keys, "jwks_uri": "https://a.example/jwks",
            "token_endpoint_auth_method": "private_key_jwt" }),
        with("grant_types", json!([])),
        with("grant_types", json!(["refresh_token"])),
        with("grant_types", json!(["implicit"])),
        with("grant_types", json!(["authorization_code", "client_credentials"])),
        with("grant_types", json!(vec!["authorization_code"; NAMES_MAX + 1])),
        with("response_types", json!([])),
        with("response_types", json!(["token"])),
        with("client_name", json!("")),
        with("client_name", json!("a\u{0}b")),
        with("client_name", json!("x".repeat(201))),
        with("client_uri", json!("javascript:alert(1)")),
        with("logo_uri", json!("data:image/png;base64,AA")),
        with("tos_uri", json!("vbscript:x")),
        with("policy_uri", json!("file:///etc/passwd")),
        with("scope", json!("openid profile")),
        with("scope", json!("")),
        with("scope", json!("mcp:admin org:write")),
        with("scope", json!(vec!["mcp:read"; SCOPES_MAX + 1].join(" "))),
        with("application_type", json!("service")),
        with("software_id", json!("x".repeat(1_000))),
    ] {
        assert_eq!(wish(&said).unwrap_err(), OauthErrorCode::InvalidClientMetadata, "{said}");
    }
    assert_eq!(CLIENT_KEYS_MAX, 8, "named in the description of the endpoint");
    let refused = wish(&with("software_statement", json!("a.b.c"))).unwrap_err();
    assert_eq!(refused, OauthErrorCode::InvalidSoftwareStatement);
}

#[test]
fn item_28_what_is_left_out_is_as_the_rfc_has_it() {
    let Wish { proof, description } = wish(&with("surprise", json!({ "any": ["thing"] }))).unwrap();
    assert_eq!(proof, Proof::SecretBasic);
    assert_eq!(description.grant_types, [GrantType::AuthorizationCode].into());
    assert_eq!(description.name.as_str(), ID.to_string());
    assert_eq!(description.about.application_type, ApplicationType::Native);
    let offered: Scopes = [Scope::McpRead, Scope::McpWrite].into_iter().collect();
    assert_eq!(description.scopes, offered);
}

#[test]
fn what_is_not_offered_is_left_out_and_nothing_is_wider_than_what_is() {
    let said = json!({
        "redirect_uris": ["https://a.example/cb"],
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
        "response_types": ["code", "code id_token"],
        "scope": "openid mcp:read mcp:admin org:read tool:echo",
        "application_type": "web",
    });
    let Wish { proof, description } = wish(&said).unwrap();
    assert_eq!(proof, Proof::Nothing);
    assert_eq!(description.grant_types, [GrantType::AuthorizationCode, GrantType::RefreshToken].into());
    let left: Scopes =
        ["mcp:read", "tool:echo"].into_iter().map(|text| Scope::parse(text).unwrap()).collect();
    assert_eq!(description.scopes, left);
}
