//! Who may do what, changing all the time: instances are stopped and started, tools hidden and shown, roles taken and given, keys issued and
//! revoked, each through any node and with an idempotency key. At the end every node must judge as the log says.

use std::time::{Duration, Instant};

use harness::{Scripted, ScriptedUpstream};
use hyper::Method;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::world::World;
use crate::kill::dice::Dice;
use crate::kill::ledger::Doors;

/// Keys and instances of one upstream.
#[derive(Debug)]
pub(super) struct Cast {
    pub(super) instances: Vec<String>,
    pub(super) keys: Vec<Key>,
    bob: String,
    _upstream: ScriptedUpstream,
}

/// An issued key.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) id: String,
    pub(super) text: String,
}

/// What one changes, and how it stands.
#[derive(Debug)]
pub(super) struct Changer {
    doors: Doors,
    dice: Dice,
    root: String,
    instances: Vec<String>,
    bob: String,
    /// Of each thing that is changed to and fro: whether it is not as it was at first.
    changed: [bool; 4],
}

impl Cast {
    /// Comes on before anything goes wrong; answers how many commands that took, too.
    pub(super) async fn enter(world: &World) -> (Self, usize) {
        let upstream = ScriptedUpstream::start(Scripted::Tools(vec![("echo", false), ("grep", false)])).await;
        let admin = &world.doors().nodes[0];
        let mut commands = 1; // the membership
        let mut make = async |rest: &str, body: Value| {
            commands += 1;
            admin.post(&world.path(rest), &body).await.good()
        };
        let id = |made: &Value| made["id"].as_str().unwrap().to_owned();
        let server = json!({ "name": "Upstream", "transport": { "http": { "url": upstream.url } }, "visibility": "organization" });
        let server = id(&make("/servers", server).await);
        let connection = id(&make("/connections", json!({ "server": server, "name": "Upstream" })).await);
        let mut instances = Vec::new();
        for name in ["One", "Two"] {
            let body = json!({ "name": name, "connections": [connection], "tools": "all", "authentication": "api_key" });
            instances.push(id(&make("/instances", body).await));
        }
        let bob = id(&make("/users", json!({ "name": "Bob" })).await);
        let membership = world.path(&format!("/members/{bob}"));
        admin.json(Method::PUT, &membership, &json!({ "role": "member" })).await.good();
        let mut keys = Vec::new();
        for body in [
            json!({ "scopes": ["mcp:write"] }),
            json!({ "scopes": ["mcp:read"] }),
            json!({ "scopes": ["tool:grep"], "principal": bob }),
            json!({ "scopes": ["mcp:write"], "principal": bob, "instance": instances[0] }),
        ] {
            let mut body = body;
            body["name"] = json!("A key");
            keys.push(Key::of(&make("/api-keys", body).await));
        }
        (Self { instances, keys, bob, _upstream: upstream }, commands)
    }

    /// Somebody who changes what they may.
    pub(super) fn changer(&self, world: &World, dice: Dice) -> Changer {
        let (doors, root) = (world.doors(), world.path(""));
        let (instances, bob) = (self.instances.clone(), self.bob.clone());
        Changer { doors, dice, root, instances, bob, changed: [false; 4] }
    }
}

impl Key {
    pub(super) fn of(issued: &Value) -> Self {
        let text = |name: &str| issued[name].as_str().unwrap().to_owned();
        Self { id: text("id"), text: text("api_key") }
    }
}

impl Changer {
    /// Changes something until told to stop; answers how often, each time acknowledged.
    pub(super) async fn change_until(mut self, stop: CancellationToken) -> usize {
        let mut changes = 0;
        while !stop.is_cancelled() {
            self.change(changes).await;
            changes += 1;
            self.dice.wait(20..120).await;
        }
        changes
    }

    async fn change(&mut self, number: usize) {
        let thing = self.dice.below(self.changed.len());
        let back = self.changed[thing];
        self.changed[thing] = !back;
        let nothing = json!({});
        let (method, rest, body) = match thing {
            0 => {
                let step = if back { "start" } else { "stop" };
                (Method::POST, format!("/instances/{}/{step}", self.instances[0]), nothing)
            }
            1 | 2 => {
                let tools = if back { json!("all") } else { json!(["grep"]) };
                let path = format!("/instances/{}/tools", self.instances[thing - 1]);
                (Method::PUT, path, json!({ "tools": tools }))
            }
            _ => {
                let role = if back { "member" } else { "auditor" };
                (Method::PUT, format!("/members/{}", self.bob), json!({ "role": role }))
            }
        };
        let path = format!("{}{rest}", self.root);
        self.doors.carry_out(&mut self.dice, &format!("change-{number}"), &method, &path, &body).await;
    }
}

/// A key that was revoked, and when that was acknowledged.
#[derive(Debug, Clone)]
pub(super) struct Revoked {
    pub(super) key: Key,
    pub(super) at: Instant,
}

/// Issues keys and revokes them until told to stop, telling of each revocation as soon as it is acknowledged.
pub(super) async fn revoke_until(
    world: &World,
    instance: &str,
    mut dice: Dice,
    stop: CancellationToken,
    told: tokio::sync::broadcast::Sender<Revoked>,
) -> Vec<Key> {
    let (doors, keys) = (world.doors(), world.path("/api-keys"));
    let mut revoked = Vec::new();
    while !stop.is_cancelled() {
        let number = revoked.len();
        let body = json!({ "name": "Short-lived", "scopes": ["mcp:write"], "instance": instance });
        let issued =
            doors.carry_out(&mut dice, &format!("issue-{number}"), &Method::POST, &keys, &body).await.0;
        let key = Key::of(&issued);
        dice.wait(50..400).await;
        let (path, why) = (format!("{keys}/{}", key.id), json!({ "reason": "Enough" }));
        doors.carry_out(&mut dice, &format!("revoke-{number}"), &Method::DELETE, &path, &why).await;
        let _ = told.send(Revoked { key: key.clone(), at: Instant::now() }); // nobody listens when all is over
        revoked.push(key);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    revoked
}
