//! One scenario in a browser of its own, against a world of its own.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use harness::{Scripted, ScriptedUpstream, World};
use hyper::Method;
use serde_json::{Value, json};
use tokio::process::Command;
use tokio::sync::Semaphore;

use crate::installed::installed;
use crate::people::{PASSWORD, Person};

/// A browser takes a processor and half a gigabyte.
static PLACES: Semaphore = Semaphore::const_new(2);
const PLAY_WAIT: Duration = Duration::from_mins(8);

/// Who sits in front of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// A member of the organization.
    Member,
    /// Somebody who belongs to none.
    Newcomer,
}

/// Plays a scenario to its end: what it reports.
pub(super) async fn play(scenario: &str, who: Who) -> Value {
    play_in(World::start().await, scenario, who).await
}

/// Plays a scenario in this world.
pub(super) async fn play_in(world: World, scenario: &str, who: Who) -> Value {
    let _place = PLACES.acquire().await.expect("never closed");
    let upstream = ScriptedUpstream::start(Scripted::Result(json!({}))).await;
    let instance = world.instance_in_front_of(&upstream.url).await.id;
    let path = world.path(&format!("/instances/{instance}/authentication"));
    world.admin().json(Method::PUT, &path, &json!({ "authentication": "oauth" })).await.good();
    let client = json!({
        "name": "Notes", "kind": "public", "redirect_uris": ["http://127.0.0.1/callback"], "scopes": ["mcp:write"],
    });
    let client = world.admin().post(&world.path("/clients"), &client).await.good()["id"].clone();
    let person = match who {
        Who::Member => Person::member(&world, "Bea", "member").await,
        Who::Newcomer => Person::registered(&world, "Dora").await,
    };
    let installed = Installed::read();
    let url = world.node.running.url.clone();
    let mut command = Command::new(&installed.node);
    command
        .arg(source("browser.mjs"))
        .arg(scenario)
        .env("URL", &url)
        .env("EMAIL", &person.email)
        .env("PASSWORD", PASSWORD)
        .env("CLIENT", client.as_str().expect("an id"))
        .env("RESOURCE", format!("{url}/mcp/{instance}"))
        .env("CHROMIUM", &installed.chromium)
        .env("NODE_MODULES", &installed.node_modules)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    if std::env::var_os("SEKISHO_WRITE_SCREENSHOTS").is_some() {
        command.env("SHOTS", Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/pages"));
    }
    let output =
        tokio::time::timeout(PLAY_WAIT, command.output()).await.expect("in time").expect("Node runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{scenario}: {said}{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(said.trim()).unwrap_or_else(|error| panic!("{scenario}: {error}: {said}"))
}

/// What `tests/browser/setup.sh` found and installed.
struct Installed {
    chromium: PathBuf,
    node: PathBuf,
    node_modules: PathBuf,
}

impl Installed {
    fn read() -> Self {
        let path = |name: &str| installed("browser.env", name);
        Self { chromium: path("CHROMIUM"), node: path("NODE"), node_modules: path("NODE_MODULES") }
    }
}

fn source(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("browser").join(path)
}
