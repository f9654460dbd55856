//! Attack case 14: every token that is none of ours, whatever it resembles.

use aws_lc_rs::hmac;
use domain::value::{ClientId, GrantId, InstanceId, Scope, Timestamp, TokenId, UserId};
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::pair::{FreshKey, SigningPair, make};
use super::*;
use crate::token::CLOCK_LEEWAY_SECONDS;
use crate::token::base64url as base64;
use projections::access::{TokenClaims, TokenHolder};

const URL: &str = "https://mcp.example.com";
const INSTANCE: InstanceId = InstanceId::new(Uuid::from_u128(1));
const CLIENT: ClientId = ClientId::new(Uuid::from_u128(2));
const USER: UserId = UserId::new(Uuid::from_u128(3));
const GRANT: GrantId = GrantId::new(Uuid::from_u128(4));

struct Bench {
    fresh: FreshKey,
    pair: SigningPair,
    verifier: TokenVerifier,
}

impl Bench {
    fn of(algorithm: SigningAlgorithm) -> Self {
        let fresh = make(algorithm).unwrap();
        let pair = SigningPair::parse(algorithm, &fresh.pkcs8).unwrap();
        Self { fresh, pair, verifier: TokenVerifier::new(PublicUrl::parse(URL).unwrap()) }
    }

    fn check(&self, token: &str) -> Result<AccessToken, TokenFault> {
        let known = (self.pair.algorithm(), Arc::from(self.fresh.public_jwk.as_str()));
        let keys = |kid: &str| (kid == self.fresh.kid.as_str()).then(|| known.clone());
        self.verifier.check(token, &keys).map(|(token, _)| token)
    }

    fn jwk(&self) -> Value {
        serde_json::from_str(self.fresh.public_jwk.as_str()).unwrap()
    }

    fn header(&self) -> Value {
        json!({ "alg": self.pair.algorithm().as_str(), "typ": "at+jwt", "kid": self.fresh.kid.as_str() })
    }

    /// A token of this header and these claims, as text, whose signature holds.
    fn signed(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", base64(header.as_bytes()), base64(claims.as_bytes()));
        format!("{message}.{}", base64(&self.pair.sign(message.as_bytes()).unwrap()))
    }

    fn with_header(&self, header: &Value) -> String {
        self.signed(&header.to_string(), &claims().to_string())
    }

    fn with_claims(&self, claims: &Value) -> String {
        self.signed(&self.header().to_string(), &claims.to_string())
    }

    #[track_caller]
    fn refuses(&self, token: &str, fault: TokenFault) {
        assert_eq!(self.check(token), Err(fault), "{}", token.chars().take(200).collect::<String>());
    }
}

fn now() -> Timestamp {
    Timestamp::parse("2026-11-22T12:00:00Z").unwrap()
}

fn good() -> AccessToken {
    let says = TokenClaims {
        token: TokenId::new(Uuid::from_u128(5)),
        client: CLIENT,
        holder: TokenHolder::User { user: USER, grant: GRANT },
        instance: INSTANCE,
        scopes: [Scope::McpRead].into_iter().collect(),
        expires_at: now().plus_seconds(600),
    };
    AccessToken { says, document: None, issued_at: now(), not_before: None }
}

fn claims() -> Value {
    serde_json::to_value(good().claims(&PublicUrl::parse(URL).unwrap())).unwrap()
}

fn changed(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

#[test]
fn attack_14_an_algorithm_that_the_key_does_not_have_is_refused_however_it_is_spelled() {
    let bench = Bench::of(SigningAlgorithm::Es256);
    for alg in ["none", "None", "NONE", "nOnE", "", "HS256", "RS256", "PS256", "ES384", "EdDSA", "es256"] {
        let mut header = bench.header();
        header["alg"] = json!(alg);
        bench.refuses(&bench.with_header(&header), TokenFault::Signature);
        let text = bench.with_header(&header);
        let (unsigned, _) = text.rsplit_once('.').unwrap();
        bench.refuses(&format!("{unsigned}."), TokenFault::Signature);
    }
}

#[test]
fn attack_14_a_mac_under_the_public_key_is_no_signature() {
    let bench = Bench::of(SigningAlgorithm::Es256);
    for alg in ["HS256", "ES256"] {
        let header = json!({ "alg": alg, "typ": "at+jwt", "kid": bench.fresh.kid.as_str() });
        let message =
            format!("{}.{}", base64(header.to_string().as_bytes()), base64(claims().to_string().as_bytes()));
        for secret in [bench.fresh.public_jwk.as_str(), bench.jwk()["x"].as_str().unwrap(), ""] {
            let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), message.as_bytes());
            bench.refuses(&format!("{message}.{}", base64(mac.as_ref())), TokenFault::Signature);
        }
    }
}

#[test]
fn attack_14_a_token_that_was_changed_cut_or_continued_is_refused() {
    let bench = Bench::of(SigningAlgorithm::EdDsa);
    let token = bench.with_claims(&claims());
    let parts: Vec<&str> = token.split('.').collect();
    let other = base64(changed("scope", json!("mcp:admin")).to_string().as_bytes());
    bench.refuses(&format!("{}.{other}.{}", parts[0], parts[2]), TokenFault::Signature);
    bench.refuses(&format!("{}.{}.", parts[0], parts[1]), TokenFault::Signature);
    bench.refuses(&format!("{}.{}", parts[0], parts[1]), TokenFault::Malformed);
    for tail in [".", ".x", "=", "==", " ", "\n", "\0", "A", "%00"] {
        assert!(bench.check(&format!("{token}{tail}")).is_err(), "{tail:?}");
        assert!(bench.check(&format!("{tail}{token}")).is_err(), "{tail:?}");
    }
    for length in 0..token.len() {
        assert!(bench.check(&token[..length]).is_err(), "cut to {length}");
    }
    bench.refuses(&format!("{}.{}.{}", parts[0], "A".repeat(200_000), parts[2]), TokenFault::Malformed);
}

#[test]
fn attack_14_a_header_that_says_where_its_key_is_or_what_must_be_understood_is_refused() {
    let bench = Bench::of(SigningAlgorithm::EdDsa);
    for (name, value) in [
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("jku", json!("https://evil.example/jwks")),
        ("x5u", json!("https://evil.example/x5u")),
        ("jwk", bench.jwk()),
        ("x5c", json!(["MIIB"])),
        ("zip", json!("DEF")),
        ("cty", json!("JWT")),
        ("b64", json!(false)),
    ] {
        let mut header = bench.header();
        header[name] = value;
        bench.refuses(&bench.with_header(&header), TokenFault::Malformed);
    }
}

#[test]
fn attack_14_a_name_of_a_key_that_is_none_leads_nowhere() {
    let bench = Bench::of(SigningAlgorithm::EdDsa);
    let odd = [
        "",
        "../../../../dev/null",
        "' or 1=1 --",
        "a\u{0}b",
        &"k".repeat(1_000),
        "https://evil.example/key",
    ];
    for kid in odd {
        let mut header = bench.header();
        header["kid"] = json!(kid);
        bench.refuses(&bench.with_header(&header), TokenFault::Malformed);
    }
    let mut header = bench.header();
    header["kid"] = json!("k".repeat(100_000));
    bench.refuses(&bench.with_header(&header), TokenFault::Malformed);
    header["kid"] = json!(make(SigningAlgorithm::EdDsa).unwrap().kid.as_str());
    bench.refuses(&bench.with_header(&header), TokenFault::KeyUnknown);
    for missing in ["kid", "typ", "alg"] {
        let mut header = bench.header();
        header.as_object_mut().unwrap().remove(missing);
        bench.refuses(&bench.with_header(&header), TokenFault::Malformed);
    }
}

#[test]
fn attack_14_what_is_said_twice_or_is_no_whole_number_is_refused() {
    let bench = Bench::of(SigningAlgorithm::EdDsa);
    let text = claims().to_string();
    let twice = |more: &str| text.replacen('{', &format!("{{{more},"), 1);
    for more in
        [r#""aud":"https://evil.example""#, r#""exp":9999999999"#, r#""sub":"x""#, r#""scope":"mcp:admin""#]
    {
        bench.refuses(&bench.signed(&bench.header().to_string(), &twice(more)), TokenFault::Malformed);
    }
    let header = bench.header().to_string();
    let twice = header.replacen('{', r#"{"alg":"EdDSA","#, 1);
    bench.refuses(&bench.signed(&twice, &text), TokenFault::Malformed);
    let good = claims()["exp"].as_u64().unwrap();
    for exp in [
        json!(good.to_string()),
        json!(1.5e9),
        json!(-1),
        json!(u64::MAX),
        json!(i64::MAX),
        json!(253_402_300_800_u64),
        json!(null),
        json!([good]),
        json!({}),
        json!(true),
        json!(good + 1), // longer than any of ours lasts
        json!(claims()["iat"]),
        json!(0),
    ] {
        bench.refuses(&bench.with_claims(&changed("exp", exp)), TokenFault::Malformed);
    }
    for text in ["", "[]", "null", "1", "{", r#"{"a":"#] {
        bench.refuses(&bench.signed(&header, text), TokenFault::Malformed);
    }
}

#[test]
fn attack_14_a_token_of_another_kind_issuer_or_place_is_refused() {
    let bench = Bench::of(SigningAlgorithm::EdDsa);
    for typ in [
        "JWT",
        "jwt",
        "",
        "at",
        "at+jwt ",
        "id+jwt",
        "rt+jwt",
        "application/jwt",
        "application/application/at+jwt",
        "dpop+jwt",
    ] {
        let mut header = bench.header();
        header["typ"] = json!(typ);
        bench.refuses(&bench.with_header(&header), TokenFault::Malformed);
    }
    for iss in [
        "https://staging.example.com",
        "https://mcp.example.com/",
        "HTTPS://mcp.example.com",
        "http://mcp.example.com",
        "",
    ] {
        bench.refuses(&bench.with_claims(&changed("iss", json!(iss))), TokenFault::Foreign);
    }
    bench.refuses(
        &bench.with_claims(&changed("iss", json!([URL, "https://evil.example"]))),
        TokenFault::Malformed,
    );
    let resource = claims()["aud"].as_str().unwrap().to_owned();
    for aud in [URL, "https://evil.example", "", &format!("{resource}/"), &resource.replace("https", "HTTPS")]
    {
        bench.refuses(&bench.with_claims(&changed("aud", json!(aud))), TokenFault::Foreign);
    }
    bench.refuses(&bench.with_claims(&changed("aud", json!([resource]))), TokenFault::Malformed);
    for name in ["iss", "sub", "aud", "client_id", "iat", "exp", "jti", "scope"] {
        let mut without = claims();
        without.as_object_mut().unwrap().remove(name);
        bench.refuses(&bench.with_claims(&without), TokenFault::Malformed);
    }
}

#[test]
fn attack_14_nobody_is_taken_for_somebody_else() {
    let bench = Bench::of(SigningAlgorithm::EdDsa);
    let client = format!("client:{CLIENT}");
    for sub in ["", "client:", "client:x", &client, "someone", &format!("client:{USER}")] {
        bench.refuses(&bench.with_claims(&changed("sub", json!(sub))), TokenFault::Malformed);
    }
    let mut alone = changed("sub", json!(USER.to_string()));
    alone.as_object_mut().unwrap().remove("gid");
    bench.refuses(&bench.with_claims(&alone), TokenFault::Malformed);
    for scope in ["", " ", "mcp:read  mcp:write", "mcp:everything", "mcp:read\tmcp:write"] {
        bench.refuses(&bench.with_claims(&changed("scope", json!(scope))), TokenFault::Malformed);
    }
}

#[test]
fn attack_43_a_token_ends_on_time_and_begins_within_the_stated_leeway() {
    let token = good();
    assert_eq!(token.must_be_current(token.says.expires_at), Err(TokenFault::Expired));
    assert_eq!(token.must_be_current(token.says.expires_at.plus_seconds(61)), Err(TokenFault::Expired));
    assert_eq!(token.must_be_current(token.issued_at.plus_seconds(-61)), Err(TokenFault::NotYet));
    let early = token.issued_at.plus_seconds(-CLOCK_LEEWAY_SECONDS);
    assert_eq!(token.must_be_current(early.plus_seconds(-1)), Err(TokenFault::NotYet));
    assert_eq!(token.must_be_current(early), Ok(()));
    assert_eq!(token.must_be_current(token.says.expires_at.plus_seconds(-1)), Ok(()));
    let later = AccessToken { not_before: Some(now().plus_seconds(120)), ..good() };
    assert_eq!(later.must_be_current(now()), Err(TokenFault::NotYet));
}

#[test]
fn a_token_of_ours_says_what_was_signed_under_every_algorithm() {
    for algorithm in SigningAlgorithm::ALL {
        let bench = Bench::of(algorithm);
        let says = TokenClaims { holder: TokenHolder::Client, ..good().says };
        let client = AccessToken { says, ..good() };
        for token in [good(), client] {
            let claims = serde_json::to_vec(&token.claims(&PublicUrl::parse(URL).unwrap())).unwrap();
            let text = bench.pair.token(&bench.fresh.kid, ACCESS_TOKEN_TYPE, &claims).unwrap();
            assert_eq!(bench.check(&text), Ok(token));
        }
        for typ in ["AT+JWT", "application/at+jwt", "Application/At+Jwt"] {
            let mut header = bench.header();
            header["typ"] = json!(typ);
            assert_eq!(bench.check(&bench.with_header(&header)), Ok(good()), "{typ}");
        }
    }
}
