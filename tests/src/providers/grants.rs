//! What somebody allowed who came from a provider, while that is gone: their clients go on for as long as they would.

use harness::{Answer, Scripted, ScriptedUpstream, Settings};
use hyper::Method;
use serde_json::{Value, json};

use super::down::limits;
use super::linked::link;
use super::scene::{Scene, until};
use crate::people::Person;
use crate::people::browser::{Browser, encoded, location};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub(super) const CALLBACK: &str = "http://127.0.0.1:3000/callback";
/// Whoever allowed something to a site is not asked for the same again.
const SITE: &str = "https://app.example.com/callback";

/// A public client.
pub(super) struct Client<'a> {
    scene: &'a Scene,
    id: String,
    resource: String,
}

impl<'a> Client<'a> {
    pub(super) async fn register(scene: &'a Scene, instance: &str) -> Self {
        let world = &scene.world;
        let path = world.path(&format!("/instances/{instance}/authentication"));
        world.admin().json(Method::PUT, &path, &json!({ "authentication": "oauth" })).await.good();
        let body = json!({ "name": "Desk", "kind": "public", "redirect_uris": [CALLBACK, SITE], "scopes": ["mcp:write"] });
        let made = world.admin().post(&world.path("/clients"), &body).await.good();
        let id = made["id"].as_str().unwrap().to_owned();
        Self { scene, id, resource: format!("{}/mcp/{instance}", world.node.running.url) }
    }

    /// What it asks for, by way of a browser.
    fn request(&self, redirect_uri: &str) -> String {
        let query = encoded(&[
            ("response_type", "code"),
            ("client_id", &self.id),
            ("redirect_uri", redirect_uri),
            ("scope", "mcp:write"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
            ("resource", &self.resource),
        ]);
        format!("/oauth/authorize?{query}")
    }

    /// The person allows it in their browser: where that leads.
    pub(super) async fn allowed(&self, browser: &mut Browser, redirect_uri: &str) -> String {
        let page = browser.get(&self.request(redirect_uri)).await;
        let fields = [("decision", "allow"), ("allow mcp:write", "on")];
        location(&browser.fill(&page, "/oauth/authorize", &fields).await)
    }

    /// The person allows it in their browser: its first tokens.
    async fn granted(&self, browser: &mut Browser) -> Value {
        let back = self.allowed(browser, CALLBACK).await;
        self.redeemed(&back).await
    }

    /// The tokens for what came back.
    async fn redeemed(&self, back: &str) -> Value {
        let back = url::Url::parse(back).unwrap();
        let code = back.query_pairs().find(|(name, _)| name == "code").expect("a code").1.into_owned();
        let form = encoded(&[
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("code_verifier", VERIFIER),
            ("client_id", &self.id),
        ]);
        self.send(form).await.good()
    }

    async fn refresh(&self, tokens: &Value) -> Answer {
        let token = tokens["refresh_token"].as_str().expect("a refresh token");
        self.send(encoded(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", token),
            ("client_id", &self.id),
        ]))
        .await
    }

    async fn send(&self, form: String) -> Answer {
        let http = self.scene.world.node.http().with("content-type", "application/x-www-form-urlencoded");
        http.send(Method::POST, "/oauth/token", form).await
    }
}

#[tokio::test]
async fn attack_36_a_grant_goes_on_while_the_provider_is_gone_until_its_word_is_too_old() {
    let mut scene = Scene::with(Settings { providers: limits(), ..Settings::default() }).await;
    let upstream = ScriptedUpstream::start(Scripted::Result(json!({}))).await;
    let instance = scene.world.instance_in_front_of(&upstream.url).await.id;
    let bea = Person::member(&scene.world, "Bea", "member").await;
    link(&scene, &mut bea.browser(&scene.world).await).await;
    let mut browser = scene.signed_in("ann").await;
    let (tokens, by_password) = {
        let client = Client::register(&scene, &instance).await;
        let tokens = client.granted(&mut browser).await;
        // While the provider answers, what it said long ago is no matter at a token request.
        scene.minutes_pass(10 * 60).await;
        let tokens = client.refresh(&tokens).await.good();
        scene
            .execute("update provider_vouchers set vouched_at = clock_timestamp() - interval '61 minutes'")
            .await;
        // Whoever consented in a session that rests on no provider needs none.
        let other = Client::register(&scene, &instance).await;
        let by_password = other.granted(&mut bea.browser(&scene.world).await).await;
        ((client.id, client.resource, tokens), (other.id, other.resource, by_password))
    };
    scene.provider.kill().await;
    scene.lose_contact().await;
    let client = Client { scene: &scene, id: tokens.0, resource: tokens.1 };
    let other = Client { scene: &scene, id: by_password.0, resource: by_password.1 };
    let tokens = client.refresh(&tokens.2).await.good();
    assert_eq!(scene.told("fallback_began").await, 1);
    let tokens = client.refresh(&tokens).await.good();
    assert_eq!(scene.told("fallback_began").await, 1, "once for as long as it lasts");
    scene.minutes_pass(8 * 60).await;
    let refused = client.refresh(&tokens).await;
    assert_eq!(refused.status.as_u16(), 503);
    assert_eq!(refused.body()["error"], "temporarily_unavailable");
    assert!(refused.body()["error_description"].as_str().unwrap().contains("identity provider"));
    other.refresh(&by_password.2).await.good();
    // The token was not spent for that: it works when the provider is back.
    let (id, resource) = (client.id.clone(), client.resource.clone());
    scene.provider.again().await;
    let client = Client { scene: &scene, id, resource };
    until("the provider is asked again", async || client.refresh(&tokens).await.status.is_success()).await;
}

#[tokio::test]
async fn a_grant_of_somebody_whose_provider_was_taken_away_is_worth_nothing() {
    let scene = Scene::start().await;
    let upstream = ScriptedUpstream::start(Scripted::Result(json!({}))).await;
    let instance = scene.world.instance_in_front_of(&upstream.url).await.id;
    let bea = Person::member(&scene.world, "Bea", "member").await;
    link(&scene, &mut bea.browser(&scene.world).await).await;
    let client = Client::register(&scene, &instance).await;
    let tokens = client.granted(&mut scene.signed_in("ann").await).await;
    let path = "/v1/deployment/identity-providers/acme";
    scene.world.admin().json(Method::DELETE, path, &json!({})).await.good();
    let refused = client.refresh(&tokens).await;
    assert_eq!((refused.status.as_u16(), &refused.body()["error"]), (400, &json!("invalid_grant")));
}

#[tokio::test]
async fn what_a_grant_rests_on_is_known_before_there_is_any_token_of_it() {
    let scene = Scene::start().await;
    let upstream = ScriptedUpstream::start(Scripted::Result(json!({}))).await;
    let instance = scene.world.instance_in_front_of(&upstream.url).await.id;
    let bea = Person::member(&scene.world, "Bea", "member").await;
    link(&scene, &mut bea.browser(&scene.world).await).await;
    let client = Client::register(&scene, &instance).await;
    let mut browser = scene.signed_in("ann").await;
    // The consent is written, and then something happens.
    scene.execute("create function fail() returns trigger language plpgsql as 'begin raise exception ''down''; end'").await;
    scene
        .execute("create trigger fail before insert on provider_grants for each row execute function fail()")
        .await;
    let back = client.allowed(&mut browser, SITE).await;
    assert!(back.contains("error=temporarily_unavailable"), "{back}");
    assert_eq!(scene.number("select count(*) from events where event_type = 'granted'").await, 1);
    assert_eq!(scene.number("select count(*) from authorization_codes").await, 0);
    scene.execute("drop trigger fail on provider_grants").await;
    // The person is not asked again, and what comes of it rests on their provider all the same.
    let back = location(&browser.get(&client.request(SITE)).await);
    let tokens = client.redeemed(&back).await;
    let path = "/v1/deployment/identity-providers/acme";
    scene.world.admin().json(Method::DELETE, path, &json!({})).await.good();
    let refused = client.refresh(&tokens).await;
    assert_eq!((refused.status.as_u16(), &refused.body()["error"]), (400, &json!("invalid_grant")));
}
