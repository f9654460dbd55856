//! The servers behind the gateway, each a child process on a free loopback port.

use std::net::TcpListener;
use std::path::PathBuf;

use tokio::process::Command;

use super::installed::{Installed, source};
use crate::listening::{Listening, listening};

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Upstream {
    /// `tests/interop/python/server.py` on the Python `mcp` package: both eras on one endpoint.
    Python,
    /// npm `@modelcontextprotocol/server-everything`: the handshake era only.
    Everything,
}

impl Upstream {
    pub(super) async fn start(self) -> Listening {
        listening(|| self.command()).await
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

/// A port that was free a moment ago, for a server that cannot choose one itself. Losing the race is a failed start.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
    listener.local_addr().expect("a bound address").port()
}
