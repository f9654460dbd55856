//! The provider that we did not write, as a process of its own: `tests/provider/provider.mjs`, which `tests/provider/setup.sh` installs what it needs
//! for.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use harness::{Http, signal, try_signal};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::installed::installed;

const START_WAIT: Duration = Duration::from_mins(2);

/// A running provider.
pub(crate) struct Process {
    child: Child,
    _said: Lines<BufReader<ChildStdout>>,
    callback: String,
    keys: String,
    pub(super) issuer: String,
}

impl Process {
    /// Starts one that sends browsers back there, and waits until it answers.
    pub(super) async fn start(callback: &str) -> Self {
        Self::at("0", callback, "").await
    }

    async fn at(port: &str, callback: &str, keys: &str) -> Self {
        let installed = Installed::read();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("provider/provider.mjs");
        let mut child = Command::new(&installed.node)
            .arg(script)
            .args([port, callback])
            .env("NODE_MODULES", &installed.node_modules)
            .env("KEYS", keys)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("Node runs");
        let mut said = BufReader::new(child.stdout.take().expect("its output")).lines();
        let line = async {
            while let Some(line) = said.next_line().await.expect("text") {
                if let Ok(told) = serde_json::from_str::<Value>(&line) {
                    return told;
                }
            }
            panic!("the provider says nothing");
        };
        let told = tokio::time::timeout(START_WAIT, line).await.expect("in time");
        let text = |name: &str| told[name].as_str().expect("it is told").to_owned();
        let (issuer, keys) = (text("issuer"), text("keys"));
        Self { child, _said: said, callback: callback.to_owned(), keys, issuer }
    }

    /// Tells it who comes next, and what it does wrong.
    pub(super) async fn control(&self, change: &Value) {
        Http::new(&self.issuer).post("/control", change).await.good();
    }

    /// How many requests there were to this path.
    pub(super) async fn count(&self, path: &str) -> u64 {
        let counts = Http::new(&self.issuer).get("/control").await.good();
        let counts: BTreeMap<String, u64> = serde_json::from_value(counts).expect("numbers");
        counts.get(path).copied().unwrap_or_default()
    }

    /// It answers nothing, and its connections stay open.
    pub(super) fn freeze(&self) {
        signal("STOP", self.child.id().expect("it runs"));
    }

    /// It goes on.
    pub(super) fn thaw(&self) {
        signal("CONT", self.child.id().expect("it runs"));
    }

    /// It is gone at once.
    pub(super) async fn kill(&mut self) {
        self.child.kill().await.expect("it is ours to kill");
    }

    /// It is there again, at the same address and with the same keys. It has forgotten who was signed in.
    pub(super) async fn again(&mut self) {
        let port = self.issuer.rsplit(':').next().expect("a port").to_owned();
        *self = Self::at(&port, &self.callback.clone(), &self.keys.clone()).await;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(pid) = self.child.id() {
            try_signal("CONT", pid); // whoever is frozen dies only then, elsewhere than on Linux
        }
    }
}

/// What `tests/provider/setup.sh` installed.
struct Installed {
    node: PathBuf,
    node_modules: PathBuf,
}

impl Installed {
    fn read() -> Self {
        let path = |name: &str| installed("provider.env", name);
        Self { node: path("NODE"), node_modules: path("NODE_MODULES") }
    }
}
