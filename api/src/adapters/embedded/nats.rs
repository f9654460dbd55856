//! The private nats-server: loopback only, JetStream on, and a password that no other user of the machine knows.
//!
//! Its store is a cache of the log (`Postgres` heals every hole), so its own default of syncing in the background stands.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, Signal};
use tokio::time::{Instant, sleep};

use super::account::Account;
use super::binaries::NatsBinary;
use super::error::EmbeddedError;
use super::folder::{DataFolder, random_hex};
use super::guardian::{Guarded, Program, command_line, end_process, is_alive};
use super::reader::Reader;
use super::ready::{Readiness, nats_readiness};
use super::supervisor::Restartable;

/// Ourselves, who may do everything.
pub(super) const USER: &str = "sekisho";
/// Between our finding a free port and the server's taking it, somebody else may.
const PORTS_TRIED_MAX: u32 = 5;
/// A large store is scanned before the server listens.
const READY_SECONDS_MAX: u64 = 120;
const SHUTDOWN_SECONDS_MAX: u64 = 10;
const POLL_PAUSE: Duration = Duration::from_millis(10);
/// Below those that machines give to outgoing connections, so that it is still free after a restart.
const PORTS: std::ops::Range<u16> = 10_000..20_000;
const PORTS_LOOKED_AT_MAX: u32 = 20;
/// How the two lines of the configuration begin that say how we connect.
const PORT: &str = "port: ";
const OWNER: &str = "  { user: \"sekisho\", password: \"";

/// Everything needed to start the server, any number of times on the same port.
#[derive(Debug)]
pub(super) struct Nats {
    program: Program,
    store: PathBuf,
    port: u16,
    server: String,
    password: String,
    reader: Reader,
}

/// How the server of a data folder is reached with all rights, as its configuration says. It may have ended.
pub(super) fn url_in(data: &Path) -> Option<String> {
    let text = fs::read_to_string(configuration_path(&data.join("nats"))).ok()?;
    let after = |start: &str| text.lines().find_map(|line| line.strip_prefix(start));
    let port: u16 = after(PORT)?.trim().parse().ok()?;
    let (password, _) = after(OWNER)?.split_once('"')?;
    Some(format!("nats://{USER}:{password}@127.0.0.1:{port}"))
}

impl Nats {
    /// Writes a configuration with a fresh password, and starts the server where it was the last time, or on a free port.
    pub(super) async fn start_where_it_may(
        folder: &DataFolder,
        binary: &NatsBinary,
        account: &Account,
        reader: Reader,
    ) -> Result<(Self, Guarded), EmbeddedError> {
        let store = folder.subfolder("nats", account)?;
        let program = Program {
            name: "nats-server",
            account: account.clone(),
            binary: binary.path.clone(),
            arguments: vec!["-c".to_owned(), configuration_path(&store).display().to_string()],
            log: folder.log("nats.log")?,
            gentle: Signal::TERM,
            gentle_seconds: SHUTDOWN_SECONDS_MAX,
        };
        let server = format!("sekisho-{}", random_hex::<8>()?);
        let mut before = reader.port_before();
        let mut nats = Self { program, store, port: 0, server, password: random_hex::<24>()?, reader };
        nats.clear_remains().await; // they would hold the port, too
        let mut tried = 1;
        loop {
            nats.port = port(before.take())?;
            nats.configure()?;
            match nats.start().await {
                Ok(running) => {
                    nats.reader.tell(nats.port)?;
                    return Ok((nats, running));
                }
                Err(EmbeddedError::Program { .. }) if tried < PORTS_TRIED_MAX => tried += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// What async-nats connects by.
    pub(super) fn url(&self) -> String {
        format!("nats://{USER}:{}@127.0.0.1:{}", self.password, self.port)
    }

    /// Who else may come.
    pub(super) const fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Where it listens.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// A file of its own, closed to others: what stands on a command line is there for every user of the machine to read.
    fn configure(&self) -> Result<(), EmbeddedError> {
        let path = configuration_path(&self.store);
        let text = format!(
            "server_name: {}\nhost: \"127.0.0.1\"\n{PORT}{}\npid_file: {}\njetstream {{ store_dir: {} }}\n\
             authorization {{ users = [\n{OWNER}{}\" }}\n  {}\n] }}\n",
            quoted(&self.server),
            self.port,
            quoted(&self.pid_file().to_string_lossy()),
            quoted(&self.store.to_string_lossy()),
            self.password,
            self.reader.configuration(),
        );
        // The folder is the service user's, so the file is made anew and a link in its place is not followed.
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(EmbeddedError::io("replace", &path)(error));
            }
            Ok(()) | Err(_) => {}
        }
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
        written.map_err(EmbeddedError::io("write", &path))?;
        self.program.account.give(&path)
    }

    fn pid_file(&self) -> PathBuf {
        self.store.join("server.pid")
    }

    /// Stops a server that outlived its sekisho and its guardian: it would hold the store.
    async fn clear_remains(&self) {
        let text = fs::read_to_string(self.pid_file()).unwrap_or_default();
        let number = text.trim().parse().ok();
        let Some(pid) = number.and_then(Pid::from_raw).filter(|pid| is_alive(*pid)) else { return };
        let running = command_line(pid).await.unwrap_or_default();
        if running.contains(&*self.store.to_string_lossy()) {
            let pid_number = pid.as_raw_nonzero().get();
            tracing::warn!(
                pid = pid_number,
                "stopping a nats-server that an earlier sekisho left on this data folder"
            );
            end_process(pid, Signal::TERM, SHUTDOWN_SECONDS_MAX).await;
        }
    }
}

impl Restartable for Nats {
    fn name(&self) -> &'static str {
        self.program.name
    }

    async fn start(&self) -> Result<Guarded, EmbeddedError> {
        self.clear_remains().await;
        let mut running = self.program.spawn().await?;
        let patience = Instant::now() + Duration::from_secs(READY_SECONDS_MAX);
        loop {
            if let Some(end) = running.has_ended() {
                return Err(self.program.failed(end));
            }
            let unready = match nats_readiness(self.port, &self.server, &self.password).await {
                Readiness::Ready => return Ok(running),
                Readiness::NotYet(reason) => reason,
                Readiness::Refused(reason) => return Err(self.program.failed(reason)),
            };
            if Instant::now() > patience {
                return Err(self
                    .program
                    .failed(format!("not ready after {READY_SECONDS_MAX} s ({unready})")));
            }
            sleep(POLL_PAUSE).await;
        }
    }
}

fn configuration_path(store: &Path) -> PathBuf {
    store.join("server.conf")
}

/// The wanted port when nobody has it, else a free one.
fn port(mut wanted: Option<u16>) -> Result<u16, EmbeddedError> {
    for _ in 0..PORTS_LOOKED_AT_MAX {
        let drawn = u16::from_str_radix(&random_hex::<2>()?, 16).unwrap_or_default();
        let drawn = PORTS.start + drawn % (PORTS.end - PORTS.start);
        let port = wanted.unwrap_or(drawn);
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
        wanted = None;
    }
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    Ok(free.map_err(EmbeddedError::io("find a free port on", Path::new("127.0.0.1")))?.port())
}

/// A string of NATS's configuration language.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_in_a_path_does_not_end_the_string() {
        assert_eq!(quoted(r#"/a "b\c"#), r#""/a \"b\\c""#);
    }
}
