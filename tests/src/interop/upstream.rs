//! The servers behind the gateway, each a child process on a free loopback port.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use url::Url;

use super::installed::{Installed, source};

const START_SECONDS_MAX: u64 = 30;
const START_ATTEMPTS_MAX: usize = 3;

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Upstream {
    /// `tests/interop/python/server.py` on the Python `mcp` package: both eras on one endpoint.
    Python,
    /// npm `@modelcontextprotocol/server-everything`: the handshake era only.
    Everything,
}

/// A server that runs until it is dropped.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) url: Url,
    _process: Child,
}

impl Upstream {
    pub(super) async fn start(self) -> Running {
        for _ in 0..START_ATTEMPTS_MAX {
            let started = tokio::time::timeout(Duration::from_secs(START_SECONDS_MAX), start(self.command()));
            if let Some(running) = started.await.expect("the server starts in time") {
                return running;
            }
        }
        panic!("{self:?} did not start in {START_ATTEMPTS_MAX} attempts");
    }

    /// A scenario that exercises what this server has.
    pub(super) fn scenario(self) -> PathBuf {
        match self {
            Self::Python => source("scenarios/python_server.json"),
            Self::Everything => source("scenarios/everything_server.json"),
        }
    }

    /// A scenario in which the server asks the user of the client a question in the middle of a call.
    pub(super) fn question(self) -> PathBuf {
        match self {
            Self::Python => source("scenarios/python_question.json"),
            Self::Everything => source("scenarios/everything_question.json"),
        }
    }

    fn command(self) -> Command {
        let installed = Installed::read();
        match self {
            Self::Python => {
                let mut command = Command::new(installed.python);
                command.arg(source("python/server.py")).env("PYTHONDONTWRITEBYTECODE", "1");
                command
            }
            Self::Everything => {
                let mut command = Command::new(installed.node);
                command.arg(installed.everything).arg("streamableHttp").env("PORT", free_port().to_string());
                command
            }
        }
    }
}

/// Both servers say on stderr which port they listen on; `None` when the process ended before that.
async fn start(mut command: Command) -> Option<Running> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut process = command.spawn().expect("the server can be run");
    let mut lines = BufReader::new(process.stderr.take().expect("stderr is piped")).lines();
    let port = loop {
        let line = lines.next_line().await.expect("stderr is text")?;
        if let Some((_, port)) = line.split_once("listening on port ") {
            break port.trim().parse::<u16>().expect("a port is a number");
        }
    };
    // Read on, or the server would stop at a full pipe.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    let url = Url::parse(&format!("http://127.0.0.1:{port}/mcp")).expect("a URL");
    Some(Running { url, _process: process })
}

/// A port that was free a moment ago, for a server that cannot choose one itself. Losing the race is a failed start.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
    listener.local_addr().expect("a bound address").port()
}
