//! The private Postgres: made once, durable always, reachable only through a socket in a closed folder.
//!
//! A cluster appears in one step: initdb, the role and the database are done beside it, and a rename puts it in place, so
//! there is never a cluster without its database. The role is no superuser: it may do what it may do on a server of others.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal};
use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, sleep, timeout};

use super::account::Account;
use super::binaries::PostgresBinaries;
use super::error::EmbeddedError;
use super::folder::DataFolder;
use super::guardian::{Guarded, Program, command_line, end_process, is_alive, is_known, open_log};
use super::ready::{Readiness, postgres_readiness};
use super::supervisor::Restartable;

/// The port is only a part of the socket's name: nothing listens on TCP.
const PORT: u16 = 5432;
/// The role and the database.
const NAME: &str = "sekisho";

/// One statement a line, as the single-user server reads them.
const FOUNDING_SQL: &str = "CREATE ROLE sekisho LOGIN CREATEDB\nCREATE DATABASE sekisho OWNER sekisho\n";

/// Appended to `postgresql.conf` when the cluster is made: an operator may change these.
const FOUNDING_SETTINGS: &str = "\n# Set by sekisho when it made this cluster; change them as you like.\nshared_buffers = 128MB\nmax_connections = 100\n";

/// Given on the command line at each start, where no file overrides them: what an acknowledged event relies on, and a log
/// that keeps statements and row values, which may hold personal data, to itself.
const FIRM_SETTINGS: [&str; 11] = [
    "listen_addresses=",
    "unix_socket_permissions=0700",
    "fsync=on",
    "synchronous_commit=on",
    "full_page_writes=on",
    "logging_collector=off",
    "log_destination=stderr",
    "log_checkpoints=off",
    "log_error_verbosity=terse",
    "log_min_error_statement=panic",
    "log_line_prefix=%m [%p] ",
];

const INITDB_SECONDS_MAX: u64 = 180;
/// Recovery after a crash replays the log of up to some minutes; the server says that it is starting all the while.
const READY_SECONDS_MAX: u64 = 300;
/// A fast shutdown ends with a checkpoint.
const SHUTDOWN_SECONDS_MAX: u64 = 30;
/// How long the children of a killed postmaster may hold its shared memory.
const REMAINS_SECONDS_MAX: u64 = 20;
const POLL_PAUSE: Duration = Duration::from_millis(20);

/// Everything needed to start the server, any number of times.
#[derive(Debug)]
pub(super) struct Postgres {
    program: Program,
    cluster: PathBuf,
    socket: PathBuf,
}

impl Postgres {
    /// Makes the cluster if there is none, and knows how to start it from then on.
    pub(super) async fn prepare(
        folder: &DataFolder,
        binaries: &PostgresBinaries,
        account: &Account,
    ) -> Result<Self, EmbeddedError> {
        let cluster = folder.cluster();
        let log = folder.log("postgres.log")?;
        if !cluster.join("PG_VERSION").exists() {
            folder.claim(binaries.major)?;
            found_cluster(folder, binaries, account, &log).await?;
        }
        account.must_own(&cluster)?;
        let socket = folder.socket_folder(account)?;
        let mut arguments = vec!["-D".to_owned(), cluster.display().to_string()];
        let addressing =
            [format!("port={PORT}"), format!("unix_socket_directories={}", quoted_item(&socket))];
        for setting in FIRM_SETTINGS.map(str::to_owned).into_iter().chain(addressing) {
            arguments.extend(["-c".to_owned(), setting]);
        }
        let program = Program {
            name: "postgres",
            account: account.clone(),
            binary: binaries.bin.join("postgres"),
            arguments,
            log,
            gentle: Signal::INT, // fast shutdown: ends sessions, keeps everything committed
            gentle_seconds: SHUTDOWN_SECONDS_MAX,
        };
        Ok(Self { program, cluster, socket })
    }

    /// What sqlx connects by. The port and the TLS mode are spelled out because `PGPORT` and `PGSSLMODE` would fill them in.
    pub(super) fn url(&self) -> String {
        url_at(&self.socket)
    }

    /// Where the socket is.
    pub(super) fn socket_folder(&self) -> &Path {
        &self.socket
    }

    async fn attempt(&self) -> Result<Guarded, EmbeddedError> {
        let mut server = self.program.spawn().await?;
        let socket = self.socket.join(format!(".s.PGSQL.{PORT}"));
        let patience = Instant::now() + Duration::from_secs(READY_SECONDS_MAX);
        loop {
            if let Some(end) = server.has_ended() {
                return Err(self.program.failed(end));
            }
            let unready = match postgres_readiness(&socket, NAME).await {
                Readiness::Ready => return Ok(server),
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

    /// Stops a server that outlived its sekisho and its guardian, and clears a pid file that keeps the next one from starting.
    async fn clear_remains(&self) -> Result<(), EmbeddedError> {
        let path = self.cluster.join("postmaster.pid");
        let text = fs::read_to_string(&path).unwrap_or_default();
        let number = text.lines().next().and_then(|line| line.trim().parse().ok());
        let Some(pid) = number.and_then(Pid::from_raw).filter(|pid| is_known(*pid)) else { return Ok(()) };
        if is_alive(pid) {
            // Who it is cannot be seen: Postgres itself decides, and refuses to start if in doubt.
            let Some(running) = command_line(pid).await else { return Ok(()) };
            if running.contains(&*self.cluster.to_string_lossy()) {
                let pid_number = pid.as_raw_nonzero().get();
                tracing::warn!(
                    pid = pid_number,
                    "stopping a Postgres that an earlier sekisho left on this data folder"
                );
                end_process(pid, Signal::INT, SHUTDOWN_SECONDS_MAX).await;
            }
        }
        // What is left names a zombie or a stranger: in a container that restarts, a low pid is soon somebody else's. We hold
        // the folder's lock, and the shared memory of a postmaster's children still keeps a second server off.
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(EmbeddedError::io("remove", &path)(error))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

impl Restartable for Postgres {
    fn name(&self) -> &'static str {
        self.program.name
    }

    async fn start(&self) -> Result<Guarded, EmbeddedError> {
        self.clear_remains().await?;
        let patience = Instant::now() + Duration::from_secs(REMAINS_SECONDS_MAX);
        loop {
            match self.attempt().await {
                Err(EmbeddedError::Program { tail, .. })
                    if held_by_remains(&tail) && Instant::now() < patience =>
                {
                    sleep(POLL_PAUSE * 5).await;
                }
                outcome => return outcome,
            }
        }
    }
}

/// `pre-existing shared memory block (key ..., ID ...) is still in use`: the postmaster is dead, a child of it not yet.
fn held_by_remains(tail: &[String]) -> bool {
    tail.iter().any(|line| line.contains("pre-existing shared memory block"))
}

async fn found_cluster(
    folder: &DataFolder,
    binaries: &PostgresBinaries,
    account: &Account,
    log: &Path,
) -> Result<(), EmbeddedError> {
    let nascent = folder.nascent_cluster(account)?;
    let mut initdb = account.command(binaries.bin.join("initdb"));
    initdb.arg("-D").arg(&nascent).args(["-U", "postgres", "-A", "trust", "--encoding=UTF8", "--locale=C"]);
    initdb.args(["--data-checksums", "--no-instructions", "--no-sync"]);
    finish("initdb", initdb, "", log).await?;

    let configuration = nascent.join("postgresql.conf");
    let appended = OpenOptions::new().append(true).open(&configuration);
    let appended = appended.and_then(|mut file| file.write_all(FOUNDING_SETTINGS.as_bytes()));
    appended.map_err(EmbeddedError::io("write", &configuration))?;

    let mut single = account.command(binaries.bin.join("postgres"));
    single.arg("--single").arg("-D").arg(&nascent).args(["-c", "exit_on_error=true"]);
    single.args(["-c", "fsync=off", "postgres"]);
    finish("postgres --single", single, FOUNDING_SQL, log).await?;
    sync_cluster(&nascent, binaries, account, log).await?;
    folder.adopt_cluster(&nascent)
}

/// Makes a whole new cluster durable at once: a thousand files one by one take seconds, and it is nobody's data until then.
#[cfg(target_os = "linux")]
async fn sync_cluster(
    nascent: &Path,
    _binaries: &PostgresBinaries,
    _account: &Account,
    _log: &Path,
) -> Result<(), EmbeddedError> {
    let opened = fs::File::open(nascent).map_err(EmbeddedError::io("open", nascent))?;
    let synced = tokio::task::spawn_blocking(move || rustix::fs::syncfs(opened)).await;
    let synced =
        synced.map_err(std::io::Error::other).and_then(|synced| synced.map_err(std::io::Error::from));
    synced.map_err(EmbeddedError::io("write to disk", nascent))
}

/// As on Linux, one file after the other.
#[cfg(not(target_os = "linux"))]
async fn sync_cluster(
    nascent: &Path,
    binaries: &PostgresBinaries,
    account: &Account,
    log: &Path,
) -> Result<(), EmbeddedError> {
    let mut initdb = account.command(binaries.bin.join("initdb"));
    initdb.arg("--sync-only").arg("-D").arg(nascent);
    finish("initdb --sync-only", initdb, "", log).await
}

/// Runs a program to its end. Its input ends when we do, and so does the single-user server.
async fn finish(
    name: &'static str,
    mut command: tokio::process::Command,
    input: &str,
    log: &Path,
) -> Result<(), EmbeddedError> {
    let failed = |reason: String| EmbeddedError::Program {
        program: name,
        reason,
        log: log.to_owned(),
        tail: super::guardian::log_tail(log),
    };
    command.stdin(Stdio::piped()).stdout(open_log(log)?).stderr(open_log(log)?).kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| failed(error.to_string()))?;
    if let Some(mut stdin) = child.stdin.take() {
        let _ = stdin.write_all(input.as_bytes()).await; // a program that does not read says why in its status
    }
    match timeout(Duration::from_secs(INITDB_SECONDS_MAX), child.wait()).await {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(failed(format!("it ended with {status}"))),
        Ok(Err(error)) => Err(failed(error.to_string())),
        Err(_) => Err(failed(format!("it took longer than {INITDB_SECONDS_MAX} s"))),
    }
}

/// One item of a comma-separated list in a setting.
fn quoted_item(path: &Path) -> String {
    format!("\"{}\"", path.display().to_string().replace('"', "\"\""))
}

/// The URL of the server whose socket is in this folder.
pub(super) fn url_at(socket: &Path) -> String {
    let socket = percent_encoded(&socket.display().to_string());
    format!("postgres://{NAME}@localhost:{PORT}/{NAME}?host={socket}&sslmode=disable")
}

fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}"); // writing to a String does not fail
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_with_spaces_and_signs_survives_the_url() {
        assert_eq!(percent_encoded("/data/a b&c=d+é%"), "/data/a%20b%26c%3Dd%2B%C3%A9%25");
    }

    #[test]
    fn a_comma_does_not_make_two_socket_folders() {
        assert_eq!(quoted_item(Path::new(r#"/a,b "c"#)), r#""/a,b ""c""#);
    }
}
