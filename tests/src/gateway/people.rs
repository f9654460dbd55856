//! Other people than the founder, made through the management API.

use harness::World;
use hyper::Method;
use serde_json::{Value, json};

/// A member of the founded organization.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) id: String,
}

impl Member {
    /// Registers somebody and takes them in.
    pub(super) async fn join(world: &World, role: &str) -> Self {
        let person = json!({ "name": "Bob", "email": format!("{role}@example.com") });
        let id = made(world, "/v1/users", &person).await;
        let body = json!({ "user": id, "role": role });
        world.admin().post(&world.path("/members"), &body).await.good();
        Self { id }
    }

    /// A key in their name.
    pub(super) async fn key(&self, world: &World, scopes: &[&str]) -> String {
        let body = json!({ "name": "Theirs", "scopes": scopes, "principal": self.id });
        let issued = world.admin().post(&world.path("/api-keys"), &body).await.good();
        issued["api_key"].as_str().expect("a key").to_owned()
    }

    /// They are shown out.
    pub(super) async fn leave(&self, world: &World) {
        let path = world.path(&format!("/members/{}", self.id));
        world.admin().json(Method::DELETE, &path, &json!({})).await.good();
    }

    /// Suspended by the deployment's administrator.
    pub(super) async fn suspend(&self, world: &World) {
        let path = format!("/v1/users/{}/suspend", self.id);
        world.admin().post(&path, &json!({ "reason": "A test" })).await.good();
    }

    /// Let in again.
    pub(super) async fn resume(&self, world: &World) {
        world.admin().post(&format!("/v1/users/{}/resume", self.id), &json!({})).await.good();
    }
}

/// A second organization of the founder, and a key that opens all of its endpoints.
pub(super) async fn key_of_another_organization(world: &World) -> String {
    let id = made(world, "/v1/organizations", &json!({ "slug": "rival", "name": "Rival" })).await;
    // The founder's first key belongs to the first organization; the new one gets its keys from the log's own commands.
    let body = json!({ "name": "Foreign", "scopes": ["mcp:write"] });
    let issued = world.admin().post(&format!("/v1/organizations/{id}/api-keys"), &body).await.good();
    issued["api_key"].as_str().expect("a key").to_owned()
}

async fn made(world: &World, path: &str, body: &Value) -> String {
    let made = world.admin().post(path, body).await.good();
    made["id"].as_str().expect("an id").to_owned()
}
