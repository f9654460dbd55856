//! What calls with access tokens leave behind: the client, the grant if there is one, and what the token said of itself.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use harness::{Scripted, World};
use hyper::Method;
use serde_json::{Value, json};

use super::{Scene, call, records};

/// A confidential client, which may act in its own name.
pub(crate) struct Client {
    pub(crate) id: String,
    secret: String,
}

/// A client of the organization with these scopes.
pub(crate) async fn client(world: &World, scopes: &[&str]) -> Client {
    let body = json!({ "name": "Robot", "kind": "confidential", "redirect_uris": [], "scopes": scopes });
    let made = world.admin().post(&world.path("/clients"), &body).await.good();
    let text = |name: &str| made[name].as_str().expect("a text").to_owned();
    Client { id: text("id"), secret: text("client_secret") }
}

impl Client {
    /// A token of its own, for an instance.
    pub(crate) async fn token(&self, world: &World, instance: &str, scope: &str) -> String {
        let resource = format!("{}/mcp/{instance}", world.node.running.url);
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs([("grant_type", "client_credentials"), ("scope", scope), ("resource", &resource)]);
        let proof = STANDARD.encode(format!("{}:{}", self.id, self.secret));
        let http = world.node.http().with("authorization", &format!("Basic {proof}"));
        let http = http.with("content-type", "application/x-www-form-urlencoded");
        let answer = http.send(Method::POST, "/oauth/token", form.finish()).await.good();
        answer["access_token"].as_str().expect("a token").to_owned()
    }
}

#[tokio::test]
async fn attack_45_a_call_with_a_token_is_recorded_under_its_client_and_grant_with_what_it_said() {
    let scene = Scene::of(Scripted::Tools(vec![("echo", false)])).await;
    let world = &scene.world;
    let path = world.path(&format!("/instances/{}/authentication", scene.instance.id));
    world.admin().json(Method::PUT, &path, &json!({ "authentication": "both" })).await.good();
    let robot = client(world, &["mcp:write"]).await;
    let consent = world.consent(&world.founder, &robot.id, &scene.instance.id, &["mcp:write"]).await;
    let own = robot.token(world, &scene.instance.id, "mcp:write").await;
    let granted = world.token_of(&consent, &["mcp:read"]).await;
    let with = |token: &str| world.node.http().with("authorization", &format!("Bearer {token}"));
    let message = call(1, "echo", &json!({}));
    scene.client().post(&scene.instance.path(), &message).await.good();
    with(&own).post(&scene.instance.path(), &message).await.good();
    with(&granted).post(&scene.instance.path(), &message).await.refused_call(
        403,
        "insufficient-scope",
        &json!(1),
    );

    let all = scene.records(3).await;
    assert_eq!(all[0].get("token"), None, "{}", all[0]);
    assert_eq!((&all[1]["credential"], &all[1]["principal"]), (&json!(robot.id), &json!(robot.id)));
    assert_eq!(all[1]["token"]["grant"], Value::Null);
    assert_eq!(
        (&all[2]["credential"], &all[2]["principal"]),
        (&json!(consent.id), &json!(world.founder)),
        "{}",
        all[2]
    );
    let token = &all[2]["token"];
    assert_eq!((&token["client"], &token["grant"]), (&json!(robot.id), &json!(consent.id)));
    assert_eq!((&token["scopes"], &token["instance"]), (&json!(["mcp:read"]), &json!(scene.instance.id)));
    for part in own.split('.').chain(granted.split('.')) {
        assert!(!json!(all).to_string().contains(part), "a part of a token is in a record");
    }

    let admin = world.admin();
    let of =
        async |filter: String, count| records(&admin, &world.path(&format!("/calls?{filter}")), count).await;
    assert_eq!(of(format!("client={}", robot.id), 2).await, all[1..]);
    assert_eq!(of(format!("grant={}", consent.id), 1).await, all[2..]);
    assert_eq!(of(format!("credential={}", robot.id), 1).await, all[1..2]);
    admin.get(&world.path("/calls?client=x")).await.refused(400, "bad-filter");
    admin.get(&world.path("/calls?grant=x")).await.refused(400, "bad-filter");
}
