//! Documents over https, as clients publish them: who vouches for their place counts, and nobody is followed elsewhere.

use std::fs::File;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use harness::{Answer, Http, folder};
use hyper::Method;
use serde_json::{Value, json};
use url::Url;

use super::authority::Authority;
use super::published::Published;
use crate::people::browser::{encoded, text as shown};
use crate::program::Demo;

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"; // RFC 7636, appendix B
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const CALLBACK: &str = "http://127.0.0.1:3055/callback";
const HERE: &str = "127.0.0.1";

/// A client by this document asks in a browser of somebody who allows everything.
async fn asked(demo: &Demo, client: &str) -> Answer {
    let query = encoded(&[
        ("response_type", "code"),
        ("client_id", client),
        ("redirect_uri", CALLBACK),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("resource", demo.word("mcp_url")),
    ]);
    Http::new(demo.word("url")).get(&format!("/oauth/authorize?{query}")).await
}

/// A page of ours that says what is wrong, and no way to anywhere.
#[track_caller]
fn told(page: &Answer) {
    assert_eq!(page.status.as_u16(), 400);
    assert!(page.header("location").is_none());
    assert!(shown(page).contains("describes"), "it says what is wrong: {}", shown(page));
}

#[tokio::test]
async fn item_54_attack_22_a_document_is_fetched_over_https_from_a_place_that_a_known_authority_vouches_for()
{
    let known = Authority::new("The authority");
    let data = folder("documents-over-https");
    let (trusted, log) = (known.trusted(data.with_extension("pem")), data.with_extension("log"));
    let demo = Demo::start(&data, |command| {
        command.args(["--auto-consent", "--outbound-loopback", "on"]);
        command.env("SEKISHO_LOG", "info"); // which tells why
        command.env("SSL_CERT_FILE", trusted).env_remove("SSL_CERT_DIR");
        command.stderr(File::create(&log).expect("a log"));
    });

    for unknown in [Authority::new("Another"), Authority::new("The authority")] {
        let strange = Published::behind(CALLBACK, Some(unknown.says(HERE))).await;
        told(&asked(&demo, &strange.url).await);
        assert_eq!(strange.came(), 0, "nothing was asked of somebody whom nobody vouches for");
    }
    let other = Published::behind(CALLBACK, Some(known.says("desk.example.com"))).await;
    told(&asked(&demo, &other.url).await);
    assert_eq!(other.came(), 0, "nor of somebody else than was named");
    let logged = std::fs::read_to_string(&log).expect("the log");
    for why in ["UnknownIssuer", "BadSignature", "not valid for name"] {
        assert!(logged.contains(why), "{why}: {logged}");
    }

    let good = Published::behind(CALLBACK, Some(known.says(HERE))).await;
    let moved = Published::behind(CALLBACK, Some(known.says(HERE))).await;
    let elsewhere = format!("location: {}\r\ncontent-type: application/json\r\n", good.url);
    moved.answers("302 Found", &elsewhere, moved.described("Desk", &[CALLBACK]).to_string().as_bytes());
    told(&asked(&demo, &moved.url).await);
    assert_eq!((moved.came(), good.came()), (1, 0), "nobody is followed elsewhere");

    let answer = asked(&demo, &good.url).await;
    let back = Url::parse(answer.header("location").unwrap_or_else(|| panic!("{}", shown(&answer)))).unwrap();
    let code = back.query_pairs().find(|(name, _)| name == "code").expect("a code").1.into_owned();
    let form = encoded(&[
        ("grant_type", "authorization_code"),
        ("client_id", &good.url),
        ("code", &code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ]);
    let http = Http::new(demo.word("url")).with("content-type", "application/x-www-form-urlencoded");
    let tokens = http.send(Method::POST, "/oauth/token", form).await.good();
    let claims = tokens["access_token"].as_str().and_then(|token| token.split('.').nth(1)).expect("a token");
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    assert_eq!(claims["client_id"], json!(good.url));
    assert_eq!(good.came(), 1);
    assert_eq!(demo.stop(), Some(0));
}
