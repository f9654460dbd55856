//! Whom tests of the past are about: an instance, Bob who calls it, and a key of his of every kind.

use harness::{Instance, Scripted, ScriptedUpstream, World};
use hyper::Method;
use serde_json::{Value, json};

/// An instance, Bob who calls it, and his keys.
#[derive(Debug)]
pub(crate) struct Cast {
    pub(crate) world: World,
    _upstream: ScriptedUpstream,
    pub(crate) instance: Instance,
    pub(crate) bob: String,
    pub(crate) keys: Vec<Key>,
}

/// A key of Bob's.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) public_part: String,
    pub(crate) text: String,
}

impl Cast {
    /// In front of an upstream with these tools.
    pub(crate) async fn of(tools: Vec<(&'static str, bool)>) -> Self {
        let world = World::start().await;
        let upstream = ScriptedUpstream::start(Scripted::Tools(tools)).await;
        let instance = world.instance_in_front_of(&upstream.url).await;
        let other = world.instance_in_front_of(&upstream.url).await;
        let bob =
            world.admin().post(&world.path("/users"), &json!({ "name": "Bob" })).await.good()["id"].clone();
        let bob = bob.as_str().unwrap().to_owned();
        let mut cast = Self { world, _upstream: upstream, instance, bob, keys: Vec::new() };
        cast.role("member").await;
        for mut body in [
            json!({ "scopes": ["mcp:write"] }),
            json!({ "scopes": ["mcp:read", "org:read"] }),
            json!({ "scopes": ["tool:echo"], "instance": cast.instance.id }),
            json!({ "scopes": ["mcp:admin"], "instance": other.id }),
        ] {
            body["name"] = json!("Bob's");
            body["principal"] = json!(cast.bob);
            let issued = cast.manage(Method::POST, "/api-keys", &body).await;
            let text = |name: &str| issued[name].as_str().unwrap().to_owned();
            cast.keys.push(Key { id: text("id"), public_part: text("key_id"), text: text("api_key") });
        }
        cast
    }

    /// The founder changes something in the organization.
    pub(crate) async fn manage(&self, method: Method, rest: &str, body: &Value) -> Value {
        self.world.admin().json(method, &self.world.path(rest), body).await.good()
    }

    /// Bob has this role from now on.
    pub(crate) async fn role(&self, role: &str) {
        self.manage(Method::PUT, &format!("/members/{}", self.bob), &json!({ "role": role })).await;
    }
}
