//! Other people than the founder, made through the management API.

use harness::World;
use hyper::Method;
use serde_json::json;

/// A member of the founded organization.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) id: String,
}

impl Member {
    /// Registers somebody and takes them in.
    pub(super) async fn join(world: &World, role: &str) -> Self {
        let person = json!({ "name": "Bob", "email": format!("{role}@example.com") });
        let made = world.admin().post(&world.path("/users"), &person).await.good();
        let id = made["id"].as_str().expect("an id").to_owned();
        let path = world.path(&format!("/members/{id}"));
        world.admin().json(Method::PUT, &path, &json!({ "role": role })).await.good();
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
        world.admin().send(Method::DELETE, &path, "").await.good();
    }

    /// Suspended by the deployment's administrator.
    pub(super) async fn suspend(&self, world: &World) {
        let path = format!("/v1/deployment/users/{}/suspend", self.id);
        world.admin().post(&path, &json!({ "reason": "A test" })).await.good();
    }

    /// Let in again.
    pub(super) async fn resume(&self, world: &World) {
        world.admin().post(&format!("/v1/deployment/users/{}/resume", self.id), &json!({})).await.good();
    }
}
