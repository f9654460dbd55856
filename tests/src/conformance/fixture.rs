//! The server with the names that the suite asks for.

use std::path::Path;

use tokio::process::Command;

use crate::installed::installed;
use crate::listening::{Listening, listening};

pub(crate) async fn start() -> Listening {
    listening(|| {
        let mut command = Command::new(installed("interop.env", "PYTHON"));
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/conformance");
        command.arg(folder.join("server.py")).env("PYTHONDONTWRITEBYTECODE", "1");
        command
    })
    .await
}
