//! `sekisho demo --auto-consent`: for black-box tools, on this machine alone. With the option off nothing of it is reached (`oauth.md`, attack 37).

use harness::{Answer, Http, folder};
use hyper::Method;
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

use super::{Demo, call, output, text};

/// Verifier and challenge of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const CALLBACK: &str = "http://127.0.0.1:3055/callback";

fn encoded(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// What a client asks in a browser.
async fn authorize(demo: &Demo, client: &str, http: &Http) -> Answer {
    let query = encoded(&[
        ("response_type", "code"),
        ("client_id", client),
        ("redirect_uri", CALLBACK),
        ("state", "mine"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("resource", demo.word("mcp_url")),
    ]);
    http.get(&format!("/oauth/authorize?{query}")).await
}

/// One parameter of the address that an answer leads to.
fn said(answer: &Answer, name: &str) -> Option<String> {
    let address = Url::parse(CALLBACK).unwrap().join(answer.header("location")?).unwrap();
    address.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

fn leads_to_sign_in(answer: &Answer) -> bool {
    answer.header("location").is_some_and(|address| address.starts_with("/sign-in"))
}

async fn redeemed(demo: &Demo, code: &str) -> Value {
    let form = encoded(&[
        ("grant_type", "authorization_code"),
        ("client_id", demo.word("public_client_id")),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ]);
    let http = Http::new(demo.word("url")).with("content-type", "application/x-www-form-urlencoded");
    http.send(Method::POST, "/oauth/token", form).await.good()
}

#[tokio::test]
async fn attack_37_with_auto_consent_a_tool_gets_through_without_a_page_and_without_it_nothing_of_that_is_left()
 {
    let data = folder("demo-auto-consent");
    let demo = Demo::start(&data, |command| {
        command.arg("--auto-consent");
    });
    let tool = Http::new(demo.word("url"));
    let public = demo.word("public_client_id");
    let answer = authorize(&demo, public, &tool).await;
    assert!(answer.header("location").unwrap().starts_with(CALLBACK), "{:?}", answer.headers);
    assert_eq!(said(&answer, "state").as_deref(), Some("mine"));
    assert_eq!(said(&answer, "iss").as_deref(), Some(demo.word("issuer")));
    let cookie = answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();

    let tokens = redeemed(&demo, &said(&answer, "code").unwrap()).await;
    let called = Http::new(demo.word("mcp_url"))
        .with("authorization", &format!("Bearer {}", tokens["access_token"].as_str().unwrap()))
        .with("accept", "application/json, text/event-stream")
        .with("mcp-protocol-version", "2026-07-28")
        .with("mcp-method", "tools/call")
        .with("mcp-name", "echo");
    called.post("", &call("echo", &json!({ "text": "through" }))).await.good();

    // The confidential client gets through too, in a session that is there already.
    let here = tool.clone().with("cookie", &cookie);
    let again = authorize(&demo, demo.word("client_id"), &here).await;
    assert!(said(&again, "code").is_some() && again.header("set-cookie").is_none(), "{:?}", again.headers);

    // A name of elsewhere that was made to lead here, as a page that rebinds its own does it.
    let rebound = authorize(&demo, public, &tool.clone().with("host", "rebound.example")).await;
    assert!(leads_to_sign_in(&rebound), "{:?}", rebound.headers);

    // The log says that nobody was asked.
    let replayed = output(&["replay", "--data", data.to_str().unwrap(), "--aggregate", "grant"]);
    let granted = text(&replayed.stdout);
    assert!(granted.contains("auto_consent"), "{granted} {}", text(&replayed.stderr));
    assert_eq!(demo.stop(), Some(0));

    let demo = Demo::start(&data, |_| {});
    for http in [Http::new(demo.word("url")), Http::new(demo.word("url")).with("cookie", &cookie)] {
        let answer = authorize(&demo, demo.word("public_client_id"), &http).await;
        assert!(leads_to_sign_in(&answer), "{:?}", answer.headers);
    }
    assert_eq!(demo.stop(), Some(0));
}

#[test]
fn attack_37_auto_consent_is_refused_wherever_others_could_come() {
    for more in [
        &["--listen", "0.0.0.0:0"][..],
        &["--listen", "127.0.0.1:0", "--public-url", "https://mcp.example.com"],
    ] {
        let ended = output(&[&["demo", "--auto-consent"][..], more].concat());
        assert_eq!(ended.status.code(), Some(2), "{more:?}");
        let told = text(&ended.stderr);
        assert!(told.contains("--auto-consent: "), "{told}");
    }
    let ended = output(&["serve", "--auto-consent"]);
    assert_eq!(ended.status.code(), Some(2), "only the demonstration has it");
}
