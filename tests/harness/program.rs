//! The real program as a child process on a data folder of its own: built, started, killed, started again.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use hyper::Method;
use serde_json::Value;

use crate::cluster;
use crate::counted::keep_of_program;
use crate::http::Http;
use crate::world::THIS_MACHINE;

const START_WAIT: Duration = Duration::from_mins(1);
const STOP_WAIT: Duration = Duration::from_mins(1);
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How much of the program's log a failed test shows.
const LOG_TAIL_LINES: usize = 60;
/// Below the ports that a machine gives to outgoing connections, so that the port is still free when the program is started again.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// What a program of ours consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Victim {
    /// The program itself.
    Sekisho,
    /// The postmaster of its embedded store.
    Postgres,
    /// The nats-server of its embedded store.
    Nats,
}

/// A running program.
#[derive(Debug)]
pub struct Program {
    child: Child,
    data: PathBuf,
    port: u16,
    token: String,
    environment: Vec<(&'static str, String)>,
}

impl Program {
    /// Starts one on a new data folder of this name, and waits until it answers.
    pub async fn start(name: &str) -> Self {
        let mut program = Self::launch(name, Vec::new());
        program.answers().await;
        program
    }

    /// Starts one with more in its environment, and waits for nothing.
    pub fn launch(name: &str, environment: Vec<(&'static str, String)>) -> Self {
        let (data, port) = (folder(name), free_port());
        let token = format!("the bootstrap token of {name} for tests");
        Self { child: spawn(&data, port, &token, &environment), data, port, token, environment }
    }

    /// Its address, the same after a restart.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A client of it.
    pub fn http(&self) -> Http {
        Http::new(&self.url())
    }

    /// Its data folder.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The token that founds it.
    pub fn bootstrap_token(&self) -> &str {
        &self.token
    }

    /// Its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, when it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("the program is our child")
    }

    /// What it wrote.
    pub fn log(&self) -> PathBuf {
        log_of(&self.data)
    }

    /// Measures the most memory from now on (Linux: proc(5), `clear_refs`).
    pub fn forget_memory_peak(&self) {
        std::fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5").expect("Linux forgets it");
    }

    /// The most memory that it has had so far. Without the servers of its store.
    pub fn memory_peak_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux tells it");
        let kibibytes = line.trim().trim_end_matches(" kB").trim();
        kibibytes.parse::<u64>().expect("a number") * 1024
    }

    /// Kills one of its processes by SIGKILL. Waits until that process is there: it may just be starting again.
    pub async fn kill(&mut self, victim: Victim) {
        if victim == Victim::Sekisho {
            self.child.kill().expect("the program is ours to kill");
            self.child.wait().expect("the program ends");
            return;
        }
        let patience = Instant::now() + START_WAIT;
        while !self.pid(victim).is_some_and(|pid| try_signal("KILL", pid)) {
            assert!(Instant::now() < patience, "{victim:?} does not run");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Starts the killed program again on the same folder and port, and waits until it answers.
    pub async fn start_again(&mut self) {
        self.launch_again();
        self.answers().await;
    }

    /// Starts the ended program again on the same folder and port, and waits for nothing.
    pub fn launch_again(&mut self) {
        self.child = spawn(&self.data, self.port, &self.token, &self.environment);
    }

    /// Asks it to stop, and waits until it has.
    pub async fn stop(mut self) -> ExitStatus {
        self.keep_counted();
        signal("TERM", self.child.id());
        let patience = Instant::now() + STOP_WAIT;
        loop {
            match self.ended() {
                Some(status) => return status,
                None => assert!(Instant::now() < patience, "the program does not stop"),
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    fn keep_counted(&self) {
        let name = self.data.file_name().unwrap_or_default().to_string_lossy();
        keep_of_program(&name, self.port);
    }

    /// The process that serves our folder: its arguments name the folder, and it is no shell that looks after it.
    fn pid(&self, victim: Victim) -> Option<u32> {
        let (name, argument) = match victim {
            Victim::Sekisho => return Some(self.child.id()),
            Victim::Postgres => ("postgres", format!(" -D {}/postgres ", self.data.display())),
            Victim::Nats => ("nats-server", format!(" -c {}/nats/server.conf ", self.data.display())),
        };
        let noted = std::fs::read_to_string(self.data.join("postgres/postmaster.pid")).unwrap_or_default();
        let postmaster: Option<u32> = noted.lines().next().and_then(|pid| pid.trim().parse().ok());
        let listing = Command::new("ps").args(["-A", "-ww", "-o", "pid=,args="]).output().expect("ps runs");
        let text = String::from_utf8_lossy(&listing.stdout).into_owned();
        text.lines().find_map(|line| {
            let (pid, line) = line.trim_start().split_once(' ')?;
            let program = line.split_whitespace().next()?;
            let ours = program.rsplit('/').next() == Some(name) && format!("{line} ").contains(&argument);
            let pid = pid.parse().ok().filter(|_| ours)?;
            // A session that the postmaster has just forked has its arguments too, for a moment.
            (victim != Victim::Postgres || postmaster == Some(pid)).then_some(pid)
        })
    }

    /// Waits until it answers.
    pub async fn answers(&mut self) {
        let patience = Instant::now() + START_WAIT;
        let http = self.http();
        loop {
            let answer = http.attempt(Method::GET, "/healthz", &Value::Null, Duration::from_secs(5)).await;
            if answer.is_ok_and(|answer| answer.status.is_success()) {
                return;
            }
            if let Some(status) = self.ended() {
                panic!("the program ended: {status}");
            }
            assert!(Instant::now() < patience, "the program does not answer");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.keep_counted();
        let _ = self.child.kill(); // its guardians end the two servers
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = std::fs::read_to_string(log_of(&self.data)).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            let tail = lines.get(lines.len().saturating_sub(LOG_TAIL_LINES)..).unwrap_or_default();
            let report = format!("the end of {}:\n{}\n", log_of(&self.data).display(), tail.join("\n"));
            let _ = std::io::stderr().write_all(report.as_bytes()); // there is nobody left to tell
        }
    }
}

/// A place in this run's folder that the database's service user can reach; nothing is there yet.
pub fn folder(name: &str) -> PathBuf {
    cluster::folder().join(name)
}

/// Sends a signal, by its name, to a process.
pub fn signal(name: &str, pid: u32) {
    assert!(try_signal(name, pid), "no process {pid}");
}

/// The processes that this one started and that still run.
pub fn children(pid: u32) -> Vec<u32> {
    let listing = Command::new("ps").args(["-A", "-o", "ppid=,pid="]).output().expect("ps runs");
    let text = String::from_utf8_lossy(&listing.stdout).into_owned();
    let pairs = text.lines().filter_map(|line| line.trim().split_once(char::is_whitespace));
    pairs
        .filter(|(parent, _)| parent.parse() == Ok(pid))
        .filter_map(|(_, child)| child.trim().parse().ok())
        .collect()
}

/// Sends a signal to a process that may have ended; tells whether there was one.
pub fn try_signal(name: &str, pid: u32) -> bool {
    let kill =
        Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).stderr(Stdio::null()).status();
    kill.expect("kill runs").success()
}

fn spawn(data: &Path, port: u16, token: &str, environment: &[(&'static str, String)]) -> Child {
    let log = OpenOptions::new().create(true).append(true).open(log_of(data)).expect("a log");
    let mut command = Command::new(sekisho());
    command.args(["serve", "--data"]).arg(data).args(["--listen", &format!("127.0.0.1:{port}")]);
    for inherited in
        ["DATABASE_URL", "NATS_URL", "SEKISHO_MASTER_KEY", "SEKISHO_MASTER_KEY_FILE", "SEKISHO_PUBLIC_URL"]
    {
        command.env_remove(inherited);
    }
    command.env("SEKISHO_UPSTREAM_NETWORKS", THIS_MACHINE);
    command.env("SEKISHO_BOOTSTRAP_TOKEN", token).stdin(Stdio::null());
    command.envs(environment.iter().cloned());
    command.stdout(log.try_clone().expect("a log")).stderr(log);
    command.spawn().expect("the program starts")
}

fn log_of(data: &Path) -> PathBuf {
    data.with_extension("log")
}

fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let range = u32::from(PORTS.end - PORTS.start);
    loop {
        let number = std::process::id().wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % range;
        let port = PORTS.start + u16::try_from(number).unwrap_or(0);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// The program, built once in this run in the profile of this test and put where cargo puts it.
pub fn sekisho() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let test = std::env::current_exe().expect("this test has a file");
        let folder = test.parent().and_then(Path::parent).expect("cargo's folder of this profile");
        let profile = folder.file_name().and_then(|name| name.to_str()).expect("a profile");
        let profile = if profile == "debug" { "dev" } else { profile };
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        build.args([
            "build",
            "--quiet",
            "--locked",
            "--package",
            "api",
            "--bin",
            "sekisho",
            "--profile",
            profile,
        ]);
        build.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
        assert!(build.status().expect("cargo runs").success(), "sekisho does not build");
        folder.join("sekisho")
    })
}
