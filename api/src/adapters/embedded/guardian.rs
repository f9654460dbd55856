//! A child that cannot outlive us, even when we are killed by -9, without `unsafe` and without a second binary.
//!
//! Each program runs below a small shell whose standard input is a pipe that only we hold. When we end, however we end,
//! the kernel closes the pipe; the shell's watcher reads the end of file and stops the program: first gently, then not.
//! Closing the pipe on purpose is also how we stop it, so that there is one way and it is always exercised.
//!
//! `PR_SET_PDEATHSIG` would be the kernel's own answer, but it needs `pre_exec` and fires when the *thread* that forked ends.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::{Instant, sleep, timeout};

use super::account::Account;
use super::error::EmbeddedError;

/// `$1` is the number of the gentle signal, `$2` its patience in tenths of a second; the program and its arguments follow.
/// Prints the program's pid.
///
/// The watcher ignores the signals that a service manager or a closing terminal sends to everybody: it must be the last to
/// go. It repeats a signal every second, because a program that is just starting may not listen yet. USR1 tells it that the
/// program has ended by itself; once it is stopping the program, it sees that on its own. Each shell waits for its children,
/// so that nothing is left to be reaped where process 1 reaps nobody.
const GUARDIAN: &str = r#"
gentle=$1 tenths=$2
shift 2
exec 3<&0 </dev/null
"$@" >&2 3<&- &
child=$!
(
  trap '' HUP INT TERM
  exec >/dev/null 2>&1
  while read -r _ <&3; do :; done
  trap '' USR1
  end_by() {
    passed=0
    while [ "$passed" -lt "$2" ]; do
      [ $((passed % 10)) -ne 0 ] || kill "-$1" "$child"
      kill -0 "$child" || exit
      sleep 0.1 || sleep 1
      passed=$((passed + 1))
    done
  }
  end_by "$gentle" "$tenths"
  end_by QUIT 50
  end_by KILL 50
) &
watcher=$!
trap : HUP INT TERM
exec 3<&-
echo "$child"
exec >/dev/null 2>&1
while :; do
  wait "$child"
  status=$?
  kill -0 "$child" || break
done
kill -USR1 "$watcher"
while kill -0 "$watcher"; do wait "$watcher"; done
exit "$status"
"#;

/// A log that has grown past this is set aside when its program starts again; one older log is kept.
const LOG_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// How much of a log goes into an error message.
const LOG_TAIL_LINES: usize = 6;
/// The guardian prints its child's pid at once; a machine that needs longer than this is not going to run Postgres.
const GUARDIAN_SECONDS_MAX: u64 = 10;
/// What the guardian itself may need beyond the gentle wait: SIGQUIT, five seconds, SIGKILL.
const ESCALATION_SECONDS: u64 = 15;

/// What to run below a guardian, and how to end it.
#[derive(Clone, Debug)]
pub(super) struct Program {
    /// For logs and errors.
    pub(super) name: &'static str,
    /// Whose process it is.
    pub(super) account: Account,
    /// The binary.
    pub(super) binary: PathBuf,
    /// Its arguments.
    pub(super) arguments: Vec<String>,
    /// Where its output goes.
    pub(super) log: PathBuf,
    /// The signal for an orderly end.
    pub(super) gentle: Signal,
    /// How long the orderly end may take. SIGQUIT comes after it, and SIGKILL after that.
    pub(super) gentle_seconds: u64,
}

/// A running program. Dropping it closes the lifeline, which stops the program.
#[derive(Debug)]
pub(super) struct Guarded {
    shell: Child,
    lifeline: Option<ChildStdin>,
    pid: Pid,
    gentle: Signal,
    gentle_seconds: u64,
}

impl Program {
    /// Starts it. It runs when this returns; whether it is ready is another question.
    pub(super) async fn spawn(&self) -> Result<Guarded, EmbeddedError> {
        let mut command: Command = self.account.command("/bin/sh");
        let gentle = self.gentle.as_raw().to_string();
        command.args(["-c", GUARDIAN, "sh", &gentle, &(self.gentle_seconds * 10).to_string()]);
        command.arg(&self.binary).args(&self.arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(open_log(&self.log)?);
        let mut shell = command.spawn().map_err(EmbeddedError::io("run", Path::new("/bin/sh")))?;
        let lifeline = shell.stdin.take();
        let mut line = String::new();
        if let Some(stdout) = shell.stdout.take() {
            let mut stdout = BufReader::new(stdout);
            // An empty line is refused below.
            let _ = timeout(Duration::from_secs(GUARDIAN_SECONDS_MAX), stdout.read_line(&mut line)).await;
        }
        let pid = line.trim().parse().ok().and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| self.failed("its guardian shell did not start it"))?;
        Ok(Guarded { shell, lifeline, pid, gentle: self.gentle, gentle_seconds: self.gentle_seconds })
    }

    /// The error for anything that this program did wrong, with the end of its log.
    pub(super) fn failed(&self, reason: impl Into<String>) -> EmbeddedError {
        EmbeddedError::Program {
            program: self.name,
            reason: reason.into(),
            log: self.log.clone(),
            tail: log_tail(&self.log),
        }
    }
}

impl Guarded {
    /// The program's own pid, not the guardian's.
    pub(super) fn pid(&self) -> Pid {
        self.pid
    }

    /// Waits until it has ended by itself.
    pub(super) async fn ended(&mut self) -> String {
        describe_end(self.shell.wait().await)
    }

    /// How it ended, if it has.
    pub(super) fn has_ended(&mut self) -> Option<String> {
        self.shell.try_wait().transpose().map(describe_end)
    }

    /// Closes the lifeline and waits until the program is gone.
    pub(super) async fn stop(mut self) {
        drop(self.lifeline.take());
        let patience = Duration::from_secs(self.gentle_seconds + ESCALATION_SECONDS);
        let guardian = timeout(patience, self.shell.wait()).await;
        // A guardian that ends in order has seen its child end. One that was killed may have left it behind.
        let in_order = matches!(guardian, Ok(Ok(status)) if status.code().is_some());
        if !in_order {
            end_process(self.pid, self.gentle, self.gentle_seconds).await;
        }
    }
}

/// Ends a process that no guardian looks after: gently, and by force when that takes too long.
pub(super) async fn end_process(pid: Pid, gentle: Signal, gentle_seconds: u64) {
    for (signal, seconds) in [(gentle, gentle_seconds), (Signal::QUIT, 5), (Signal::KILL, 5)] {
        if kill_process(pid, signal).is_err() {
            return; // gone already
        }
        let patience = Instant::now() + Duration::from_secs(seconds);
        while Instant::now() < patience {
            if !is_alive(pid) {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Whether a process with this pid runs. In a container whose first process reaps nobody, a dead orphan stays a zombie.
pub(super) fn is_alive(pid: Pid) -> bool {
    is_known(pid) && !is_zombie(pid)
}

/// Whether the kernel knows the pid: a zombie counts, and Postgres takes one for a live postmaster.
pub(super) fn is_known(pid: Pid) -> bool {
    test_kill_process(pid).is_ok()
}

fn is_zombie(pid: Pid) -> bool {
    let stat = Path::new("/proc").join(pid.as_raw_nonzero().to_string()).join("stat");
    let stat = std::fs::read_to_string(stat).unwrap_or_default();
    // `pid (name) state ...`, and the name may hold anything.
    stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('Z'))
}

/// The command line of a process, to tell ours from a stranger that has got the same pid.
pub(super) async fn command_line(pid: Pid) -> Option<String> {
    let number = pid.as_raw_nonzero().to_string();
    if let Ok(bytes) = std::fs::read(Path::new("/proc").join(&number).join("cmdline")) {
        return Some(String::from_utf8_lossy(&bytes).replace('\0', " "));
    }
    let output = Command::new("ps").args(["-o", "command=", "-p", &number]).output().await.ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

fn describe_end(status: std::io::Result<ExitStatus>) -> String {
    match status.map(|status| status.code()) {
        // A shell reports a signal as 128 and its number.
        Ok(Some(code)) if code > 128 => format!("ended by signal {}", code - 128),
        Ok(Some(code)) => format!("ended with status {code}"),
        Ok(None) => "its guardian was killed".to_owned(),
        Err(error) => format!("its end could not be read: {error}"),
    }
}

/// Opens the log for appending; a child gets the open file, so its user needs no right to the folder.
pub(super) fn open_log(path: &Path) -> Result<File, EmbeddedError> {
    if path.metadata().is_ok_and(|log| log.len() > LOG_BYTES_MAX) {
        let older = path.with_extension("log.1");
        std::fs::rename(path, &older).map_err(EmbeddedError::io("set aside", path))?;
    }
    let mut options = OpenOptions::new();
    options.create(true).append(true).mode(0o600);
    options.open(path).map_err(EmbeddedError::io("open", path))
}

pub(super) fn log_tail(path: &Path) -> Vec<String> {
    let text = std::fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let mut lines: Vec<String> = text.lines().rev().take(LOG_TAIL_LINES).map(str::to_owned).collect();
    lines.reverse();
    lines
}
