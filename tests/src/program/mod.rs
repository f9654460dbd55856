//! The program as a person runs it: options, demonstration, doctor, signals, both ends of the range of Postgres versions.

mod auto_consent;
mod call;
mod demo;
mod doctor;
mod founder;
mod options;
mod output;
mod signals;

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use harness::{Http, sekisho, signal};
use serde_json::{Value, json};

const START_WAIT: Duration = Duration::from_secs(90);

/// `sekisho ARGUMENTS` with none of our variables set by whoever runs the tests.
fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(sekisho());
    for (name, _) in std::env::vars() {
        let kept = ["SEKISHO_CACHE", "SEKISHO_SERVICE_USER"].contains(&name.as_str());
        if name == "DATABASE_URL" || name == "NATS_URL" || (name.starts_with("SEKISHO_") && !kept) {
            command.env_remove(name);
        }
    }
    command.args(arguments).stdin(Stdio::null());
    command
}

/// Runs it to its end.
fn output(arguments: &[&str]) -> Output {
    command(arguments).output().expect("the program runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A demonstration that is up.
pub(crate) struct Demo {
    child: Child,
    ready: Value,
}

impl Demo {
    pub(crate) fn start(data: &PathBuf, set: impl FnOnce(&mut Command)) -> Self {
        let mut command =
            command(&["demo", "--json", "--listen", "127.0.0.1:0", "--grace-seconds", "30", "--data"]);
        command.arg(data);
        Self::started(command, set)
    }

    fn started(mut command: Command, set: impl FnOnce(&mut Command)) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        set(&mut command);
        let mut child = command.spawn().expect("the program starts");
        let stdout = child.stdout.take().expect("its output");
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            let _ = BufReader::new(stdout).read_line(&mut line);
            let _ = sender.send(line);
        });
        let line = receiver.recv_timeout(START_WAIT).unwrap_or_default();
        let ready = serde_json::from_str(&line).unwrap_or_else(|_| {
            let _ = child.kill();
            let mut errors = String::new();
            let _ = child.stderr.take().map(|mut stderr| stderr.read_to_string(&mut errors));
            panic!("not ready: {line:?} {errors}");
        });
        Self { child, ready }
    }

    pub(crate) fn word(&self, name: &str) -> &str {
        self.ready[name].as_str().unwrap_or_else(|| panic!("{name} in {}", self.ready))
    }

    /// A client of its endpoint.
    fn mcp(&self) -> Http {
        Http::new(self.word("mcp_url"))
            .as_key(self.word("api_key"))
            .with("accept", "application/json, text/event-stream")
            .with("mcp-protocol-version", "2026-07-28")
            .with("mcp-method", "tools/call")
    }

    pub(crate) fn stop(mut self) -> Option<i32> {
        signal("TERM", self.child.id());
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A call of a tool in the newest revision.
fn call(tool: &str, arguments: &Value) -> Value {
    json!({
        "jsonrpc": "2.0", "id": 7, "method": "tools/call",
        "params": { "name": tool, "arguments": arguments, "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {} } },
    })
}
