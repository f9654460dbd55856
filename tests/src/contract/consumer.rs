//! `examples/consumer/consumer.py` as a process.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use harness::Program;

/// A running consumer.
pub(super) struct Consumer {
    child: Child,
}

/// Where `tests/contract/setup.sh` put the interpreter.
fn python() -> PathBuf {
    let from = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let home = from("XDG_CACHE_HOME").or_else(|| from("HOME").map(|home| home.join(".cache")));
    let folders = from("SEKISHO_CACHE").into_iter().chain([PathBuf::from("/var/cache/sekisho")]);
    let mut folders = folders.chain(home.map(|home| home.join("sekisho")));
    let found = folders.find_map(|folder| {
        let python = folder.join("consumer/venv/bin/python");
        python.is_file().then_some(python)
    });
    found.expect("no Python for the consumer in the cache folder: run ./test, or tests/contract/setup.sh")
}

/// By what a consumer on this machine reads the events of a program.
pub(super) fn reader_file(program: &Program) -> PathBuf {
    program.data().join("nats-reader.env")
}

/// How the program itself reaches its NATS.
pub(super) fn nats_url(program: &Program) -> String {
    let text = std::fs::read_to_string(program.data().join("nats/server.conf")).expect("a configuration");
    let after = |name: &str| {
        let (_, rest) = text.split_once(name).expect("it is in the configuration");
        rest.trim_start().trim_matches('"').split(['"', '\n', ' ', ',']).next().unwrap_or_default().to_owned()
    };
    format!("nats://{}:{}@127.0.0.1:{}", after("user:"), after("password:"), after("port:"))
}

impl Consumer {
    /// Starts one on this copy, as docs/consumers.md says it.
    pub(super) fn start(reader: &Path, copy: &Path) -> Self {
        let log = OpenOptions::new().create(true).append(true).open(copy.with_extension("log")).unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/consumer/consumer.py");
        let mut command = Command::new("sh");
        command
            .args(["-c", "set -a; . \"$0\"; set +a; exec \"$@\""])
            .arg(reader)
            .arg(python())
            .arg(script)
            .arg(copy);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        Self { child: child.expect("Python runs") }
    }

    /// Kills it by SIGKILL. It must have been alive: a consumer that gave up is a failure.
    pub(super) fn kill(mut self) {
        let ended = self.child.try_wait().expect("it is our child");
        assert!(ended.is_none(), "the consumer gave up: {ended:?}");
        self.child.kill().expect("it is ours to kill");
        self.child.wait().expect("it ends");
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Every row of a copy, one JSON array a line, in order.
pub(super) fn rows(copy: &Path) -> Vec<String> {
    const DUMP: &str = "import json, sqlite3, sys
for row in sqlite3.connect(sys.argv[1]).execute('select * from events order by position'): print(json.dumps(row[:-1] + (json.loads(row[-1]),)))";
    let output = Command::new(python()).args(["-c", DUMP]).arg(copy).output().expect("Python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).lines().map(ToOwned::to_owned).collect()
}
