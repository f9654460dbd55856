//! Somebody who may sign in: registered by the founder, with a password, a member or not.

use harness::World;
use hyper::Method;
use serde_json::{Value, json};

use super::browser::{Browser, location};

/// Everybody's password, unless a test says otherwise.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// Somebody.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    /// Their id.
    pub(crate) id: String,
    /// Their address.
    pub(crate) email: String,
}

impl Person {
    /// Somebody who belongs to nothing yet.
    pub(crate) async fn registered(world: &World, name: &str) -> Self {
        let email = format!("{}@example.com", name.to_lowercase());
        let body = json!({ "name": name, "email": email });
        let made = world.admin().post(&world.path("/users"), &body).await.good();
        let person = Self { id: made["id"].as_str().expect("an id").to_owned(), email };
        person.set_password(world, PASSWORD).await;
        person
    }

    /// A member of the founded organization.
    pub(crate) async fn member(world: &World, name: &str, role: &str) -> Self {
        let person = Self::registered(world, name).await;
        let path = world.path(&format!("/members/{}", person.id));
        world.admin().json(Method::PUT, &path, &json!({ "role": role })).await.good();
        person
    }

    /// Sets their password.
    pub(crate) async fn set_password(&self, world: &World, password: &str) -> Value {
        let path = format!("/v1/users/{}/password", self.id);
        world.admin().json(Method::PUT, &path, &json!({ "password": password })).await.good()
    }

    /// A browser in which they are signed in.
    pub(crate) async fn browser(&self, world: &World) -> Browser {
        self.browser_at(&world.node.running.url).await
    }

    /// The same, at another node.
    pub(crate) async fn browser_at(&self, url: &str) -> Browser {
        let mut browser = Browser::new(url);
        location(&browser.sign_in(&self.email, PASSWORD).await);
        browser
    }
}
