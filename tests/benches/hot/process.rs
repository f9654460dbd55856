//! Processes of their own, and what the kernel says of them.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

/// Kernel ticks in a second: 100 wherever Linux runs, whatever the kernel's own rate is.
const TICKS_PER_SECOND: f64 = 100.0;
const START_SECONDS_MAX: u64 = 60;
const STOP_SECONDS_MAX: u64 = 30;

/// Says where this process listens; whoever started it reads the line.
#[expect(clippy::print_stdout, reason = "one line to the process that started this one")]
pub(crate) fn ready(listener: &TcpListener) {
    println!("serving on http://{}", listener.local_addr().expect("an address"));
}

/// A process that serves. It ends with this one.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    /// Where it serves, without a slash at the end.
    pub(crate) url: String,
}

impl Process {
    /// This program in another mode.
    pub(crate) async fn own(mode: &[&str]) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args(mode);
        Self::start(command).await
    }

    /// Starts one and waits for the line `serving on URL`.
    pub(crate) async fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().expect("a process");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let url = tokio::time::timeout(Duration::from_secs(START_SECONDS_MAX), async {
            while let Ok(Some(line)) = lines.next_line().await {
                if let Some(url) = line.strip_prefix("serving on ") {
                    return url.to_owned();
                }
            }
            panic!("{command:?} ended before it served");
        });
        let url = url.await.expect("it serves within a minute");
        Self { child, url }
    }

    fn entry(&self, file: &str) -> String {
        let pid = self.child.id().expect("it runs");
        std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join(file))
            .expect("Linux tells of its processes")
    }

    /// Processor time that it has used, in seconds.
    pub(crate) fn processor_seconds(&self) -> f64 {
        let stat = self.entry("stat");
        // The name in parentheses may hold anything; the fields after it are numbered from 3 (proc(5)), utime and stime are 14 and 15.
        let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        let ticks: f64 = fields.skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
        ticks / TICKS_PER_SECOND
    }

    /// Memory in MiB: `VmRSS` is what it holds now, `VmHWM` the most that it ever held.
    pub(crate) fn memory_mib(&self, name: &str) -> f64 {
        let status = self.entry("status");
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<f64>().ok());
        kib.unwrap_or(f64::NAN) / 1024.0
    }

    /// Asks it to end, and waits.
    pub(crate) async fn stop(mut self) {
        if let Some(pid) = self.child.id() {
            drop(Command::new("kill").arg(pid.to_string()).status().await);
        }
        drop(tokio::time::timeout(Duration::from_secs(STOP_SECONDS_MAX), self.child.wait()).await);
    }
}

/// What is not to be measured: how often anybody may ask, and where servers may be.
pub(crate) const UNBOUND: [(&str, &str); 10] = [
    ("SEKISHO_TOKEN_PER_ADDRESS_PER_MINUTE", "1000000000"),
    ("SEKISHO_TOKEN_PER_CLIENT_PER_MINUTE", "1000000000"),
    ("SEKISHO_TOKEN_PER_ORGANIZATION_PER_MINUTE", "1000000000"),
    ("SEKISHO_AUTHORIZE_PER_ADDRESS_PER_MINUTE", "1000000000"),
    ("SEKISHO_AUTHORIZE_PER_CLIENT_PER_MINUTE", "1000000000"),
    ("SEKISHO_AUTHORIZE_PER_ORGANIZATION_PER_MINUTE", "1000000000"),
    ("SEKISHO_SIGN_IN_PER_ADDRESS_PER_MINUTE", "1000000000"),
    ("SEKISHO_MCP_PER_ADDRESS_PER_MINUTE", "1000000000"),
    ("SEKISHO_MCP_PER_ORGANIZATION_PER_MINUTE", "1000000000"),
    ("SEKISHO_UPSTREAM_NETWORKS", "127.0.0.0/8,::1"),
];

/// The product as it is shipped, built if need be: in the same folder as this program.
pub(crate) async fn sekisho() -> PathBuf {
    let folder = std::env::current_exe().expect("this program");
    let folder = folder.ancestors().nth(2).expect("target/PROFILE/deps/NAME").to_owned();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let built = Command::new(cargo)
        .args(["build", "--release", "--locked", "--quiet", "--package", "api", "--bin", "sekisho"])
        .current_dir(root)
        .status()
        .await;
    assert!(built.is_ok_and(|status| status.success()), "sekisho cannot be built");
    folder.join("sekisho")
}
