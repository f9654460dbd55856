//! A what-if about calls with access tokens: what would become of them, were their client disabled or their grant revoked.

use harness::{Scripted, ScriptedUpstream, World};
use hyper::Method;
use serde_json::{Value, json};

use crate::calls::tokens::client;

async fn what_if(world: &World, command: &Value) -> Value {
    let question = json!({ "organization": world.organization, "commands": [command] });
    world.admin().post("/v1/authz/what-if", &question).await.good()
}

#[tokio::test]
async fn calls_with_tokens_are_judged_by_their_client_their_grant_and_their_own_scopes() {
    let world = World::start().await;
    let upstream = ScriptedUpstream::start(Scripted::Tools(vec![("echo", false)])).await;
    let instance = world.instance_in_front_of(&upstream.url).await;
    let path = world.path(&format!("/instances/{}/authentication", instance.id));
    world.admin().json(Method::PUT, &path, &json!({ "authentication": "oauth" })).await.good();
    let robot = client(&world, &["mcp:write"]).await;
    let consent = world.consent(&world.founder, &robot.id, &instance.id, &["mcp:write"]).await;
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "echo", "arguments": {} } });
    for token in [
        robot.token(&world, &instance.id, "mcp:write").await,
        world.token_of(&consent, &["mcp:write"]).await,
        world.token_of(&consent, &["mcp:write"]).await,
        world.token_of(&consent, &["mcp:read"]).await,
    ] {
        let http = world.node.http().with("authorization", &format!("Bearer {token}"));
        http.post(&instance.path(), &message).await;
    }
    crate::calls::records(&world.admin(), &world.path("/calls"), 4).await;

    let answer = what_if(&world, &json!({ "command": "disable_client", "client": robot.id })).await;
    assert_eq!((&answer["calls"], &answer["not_judged"]), (&json!(4), &json!({})), "{answer}");
    assert_eq!((&answer["newly_denied"], &answer["denied_as_before"]), (&json!(3), &json!(1)), "{answer}");
    assert_eq!(answer["changes"][0]["reason_with_commands"], "client-inactive");

    let answer = what_if(&world, &json!({ "command": "revoke_grant", "grant": consent.id })).await;
    assert_eq!((&answer["newly_denied"], &answer["allowed_as_before"]), (&json!(2), &json!(1)), "{answer}");
    let change = &answer["changes"][0];
    assert_eq!((&change["grant"], &change["client"]), (&json!(consent.id), &json!(robot.id)));
    assert_eq!((&change["calls"], &change["reason_with_commands"]), (&json!(2), &json!("grant-revoked")));

    let path = world.path(&format!("/grants/{}", consent.id));
    world.admin().json(Method::DELETE, &path, &json!({})).await.good();
    let answer = what_if(&world, &json!({ "command": "disable_client", "client": robot.id })).await;
    assert_eq!((&answer["newly_denied"], &answer["denied_as_before"]), (&json!(1), &json!(3)), "{answer}");
}
