//! The server with the names that the suite asks for.

use std::path::Path;

use mcp::revision::Era;
use tokio::process::Command;

use crate::installed::installed;
use crate::listening::{Listening, listening};

/// One that speaks both eras on one endpoint.
pub(crate) async fn start() -> Listening {
    listening(command).await
}

/// One that speaks this era and refuses the other, as a server does that has never heard of it.
pub(crate) async fn of_one_era(era: Era) -> Listening {
    listening(|| {
        let mut command = command();
        command.arg(match era {
            Era::Legacy => "legacy",
            Era::Modern => "modern",
        });
        command
    })
    .await
}

fn command() -> Command {
    let mut command = Command::new(installed("interop.env", "PYTHON"));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/conformance");
    command.arg(folder.join("server.py")).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}
