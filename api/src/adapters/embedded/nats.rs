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
use super::ready::{Readiness, nats_readiness};
use super::supervisor::Restartable;

/// The one user of the server.
pub(super) const USER: &str = "sekisho";
/// Between our finding a free port and the server's taking it, somebody else may.
const PORTS_TRIED_MAX: u32 = 5;
/// A large store is scanned before the server listens.
const READY_SECONDS_MAX: u64 = 120;
const SHUTDOWN_SECONDS_MAX: u64 = 10;
const POLL_PAUSE: Duration = Duration::from_millis(10);

/// Everything needed to start the server, any number of times on the same port.
#[derive(Debug)]
pub(super) struct Nats {
    program: Program,
    store: PathBuf,
    port: u16,
    server: String,
    password: String,
}

impl Nats {
    /// Writes a configuration with a fresh password and a free port, and starts the server on it.
    pub(super) async fn start_on_free_port(
        folder: &DataFolder,
        binary: &NatsBinary,
        account: &Account,
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
        let mut nats = Self { program, store, port: 0, server, password: random_hex::<24>()? };
        let mut tried = 1;
        loop {
            nats.port =
                free_port().map_err(EmbeddedError::io("find a free port on", Path::new("127.0.0.1")))?;
            nats.configure()?;
            match nats.start().await {
                Ok(running) => return Ok((nats, running)),
                Err(EmbeddedError::Program { .. }) if tried < PORTS_TRIED_MAX => tried += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// What async-nats connects by.
    pub(super) fn url(&self) -> String {
        format!("nats://{USER}:{}@127.0.0.1:{}", self.password, self.port)
    }

    /// Where it listens.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// A file of its own, closed to others: what stands on a command line is there for every user of the machine to read.
    fn configure(&self) -> Result<(), EmbeddedError> {
        let path = configuration_path(&self.store);
        let text = format!(
            "server_name: {}\nhost: \"127.0.0.1\"\nport: {}\npid_file: {}\njetstream {{ store_dir: {} }}\n\
             authorization {{ user: {}, password: {} }}\n",
            quoted(&self.server),
            self.port,
            quoted(&self.pid_file().to_string_lossy()),
            quoted(&self.store.to_string_lossy()),
            quoted(USER),
            quoted(&self.password),
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

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
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
