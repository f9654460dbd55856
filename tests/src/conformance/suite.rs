//! Runs the suite against a server, or has it play the server, and reads what it found.
//!
//! It gives streams 800 ms by its own clock, which on a machine with other work to do is at times too little: a scenario that finds fault is run
//! again by itself. One that is right to does so each time.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use harness::folder;
use serde_json::Value;
use tokio::process::Command;
use url::Url;
use uuid::Uuid;

use crate::installed::installed;

const RUN_WAIT: Duration = Duration::from_mins(5);
const ATTEMPTS_MAX: usize = 6;
const CLIENT_WAIT_MILLISECONDS: &str = "120000";
/// `-2026-07-28T03-10-00-579Z`, which it puts behind the name of a scenario.
const MOMENT_BYTES: usize = 25;

/// A check and how it ended.
type Check = (String, String);

/// What was found, by scenario. What only informs is left out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Findings(BTreeMap<String, Vec<Check>>);

impl Findings {
    /// The names of all that was run.
    pub(super) fn scenarios(&self) -> BTreeSet<&str> {
        self.0.keys().map(String::as_str).collect()
    }

    /// Those in which fault was found: a warning is one.
    pub(super) fn faulty(&self) -> BTreeSet<&str> {
        let faulty = |checks: &&Vec<Check>| checks.iter().any(|(_, status)| is_fault(status));
        self.0.iter().filter(|(_, checks)| faulty(checks)).map(|(name, _)| name.as_str()).collect()
    }

    /// How many checks were passed.
    pub(super) fn passed(&self) -> usize {
        self.0.values().flatten().filter(|(_, status)| status == "SUCCESS").count()
    }
}

fn is_fault(status: &str) -> bool {
    matches!(status, "FAILURE" | "WARNING")
}

/// What the suite finds in all that a revision requires of a server, and in what it runs beside that.
pub(super) async fn judge(revision: &str, url: &Url, accepted: &BTreeSet<String>) -> Findings {
    let mut found = once(revision, url).await;
    for _ in 1..ATTEMPTS_MAX {
        let again: Vec<String> = found.faulty().into_iter().map(str::to_owned).collect();
        for scenario in again.iter().filter(|scenario| !accepted.contains(*scenario)) {
            let Findings(alone) = run(url, &["--scenario", scenario, "--spec-version", revision]).await;
            found.0.extend(alone);
        }
    }
    found
}

/// The same without a second look at anything.
pub(super) async fn once(revision: &str, url: &Url) -> Findings {
    run(url, &["--requirements", revision]).await
}

/// What it finds as the server of one scenario, when this command asks it. The command may find whoever listens at `door`.
pub(super) async fn serve(revision: &str, scenario: &str, asked_by: &str, door: Option<&Url>) -> Findings {
    let mut found = serve_once(revision, scenario, asked_by, door).await;
    for _ in 1..ATTEMPTS_MAX {
        if !found.faulty().is_empty() {
            found = serve_once(revision, scenario, asked_by, door).await;
        }
    }
    found
}

/// The same without a second look.
pub(super) async fn serve_once(
    revision: &str,
    scenario: &str,
    asked_by: &str,
    door: Option<&Url>,
) -> Findings {
    // Scenarios of extensions are of no revision, and a machine with other work to do takes its time.
    let patiently = ["--force", "--timeout", CLIENT_WAIT_MILLISECONDS];
    let what = ["client", "--command", asked_by, "--scenario", scenario, "--spec-version", revision];
    finds(&[&what[..], &patiently].concat(), door).await
}

/// One run of `conformance server`.
async fn run(url: &Url, what: &[&str]) -> Findings {
    finds(&[&["server", "--url", url.as_str()], what].concat(), None).await
}

async fn finds(what: &[&str], door: Option<&Url>) -> Findings {
    let results = folder(&format!("conformance-{}", Uuid::new_v4()));
    let mut command = Command::new(installed("conformance.env", "NODE"));
    command.arg(installed("conformance.env", "SUITE")).args(what).env("PYTHONDONTWRITEBYTECODE", "1");
    command.envs(door.map(|door| ("DOOR", door.as_str())));
    command.arg("-o").arg(&results).stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(RUN_WAIT, command.output()).await.expect("in time").expect("Node runs");
    let found = read(&results);
    std::fs::remove_dir_all(&results).expect("its notes");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(!found.0.is_empty(), "nothing was run: {said}{}", String::from_utf8_lossy(&output.stderr));
    found
}

/// Reads the folders that it wrote, one for each scenario: `auth/NAME` lies in a folder of that name.
fn read(results: &Path) -> Findings {
    let entries = |folder: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).expect("results");
        entries.map(|entry| entry.expect("a folder").path()).collect()
    };
    let folders = entries(results).into_iter();
    let folders =
        folders.flat_map(|folder| if folder.ends_with("auth") { entries(&folder) } else { vec![folder] });
    Findings(folders.map(|folder| (scenario(&folder), checks(&folder))).collect())
}

/// `server-NAME-MOMENT`, or without the first part where it is the server.
fn scenario(folder: &Path) -> String {
    let name = folder.file_name().and_then(|name| name.to_str()).expect("a name");
    let name = name.strip_prefix("server-").unwrap_or(name);
    name[..name.len() - MOMENT_BYTES].to_owned()
}

fn checks(folder: &Path) -> Vec<Check> {
    let Ok(text) = std::fs::read(folder.join("checks.json")) else {
        return vec![("it came to its end".to_owned(), "FAILURE".to_owned())];
    };
    let checks: Vec<Value> = serde_json::from_slice(&text).expect("a list");
    let text = |check: &Value, name: &str| check[name].as_str().expect("a text").to_owned();
    let mut read: Vec<Check> =
        checks.iter().map(|check| (text(check, "id"), text(check, "status"))).collect();
    read.retain(|(_, status)| status != "INFO");
    for check in checks.iter().filter(|check| is_fault(check["status"].as_str().unwrap_or_default())) {
        eprintln!("{}: {} {}", scenario(folder), check["id"], check["errorMessage"]);
    }
    read.sort();
    read
}
