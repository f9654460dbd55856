//! Erasure: what was personal is found nowhere any more, whoever died in between, and everything that reads the log goes on.

mod command;
mod killed;
mod nowhere;
mod refused;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use harness::{Database, World, sekisho};
use hyper::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

const DEADLINE: Duration = Duration::from_secs(30);

/// A person as the management API takes them.
fn person(name: &str, email: &str) -> Value {
    json!({ "name": name, "email": email, "picture": "https://cdn.example.com/canary-picture-77aa.png" })
}

/// Somebody who was registered and taken into the founded organization.
async fn registered(world: &World, name: &str, email: &str) -> String {
    let made = world.admin().post(&world.path("/users"), &person(name, email)).await.good();
    let user = made["id"].as_str().unwrap().to_owned();
    let member = json!({ "role": "member" });
    world.admin().json(Method::PUT, &world.path(&format!("/members/{user}")), &member).await.good();
    user
}

fn because() -> Value {
    json!({ "reason": "request 4711" })
}

fn erase_path(user: &str) -> String {
    format!("/v1/deployment/users/{user}/erase")
}

/// `sekisho erase` on this database, with nothing else of this environment.
fn erase_command(database: &Database, master_key: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(sekisho());
    command.env_clear().arg("erase").args(arguments).stdin(Stdio::null());
    command.env("DATABASE_URL", &database.url).env("SEKISHO_MASTER_KEY", master_key);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Whether the key is destroyed.
async fn is_forgotten(pool: &PgPool, user: &str) -> bool {
    let query = "select wrapped_key is null from subject_keys where subject_id = $1::uuid";
    sqlx::query_scalar(query).bind(user).fetch_one(pool).await.unwrap()
}

async fn events(pool: &PgPool) -> i64 {
    sqlx::query_scalar("select max(global_position) from events").fetch_one(pool).await.unwrap()
}

async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let patience = Instant::now() + DEADLINE;
    while !is_so().await {
        assert!(Instant::now() < patience, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
