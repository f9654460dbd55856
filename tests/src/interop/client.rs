//! The clients, and how each is made to play a scenario.

use std::path::Path;
use std::time::Duration;

use tokio::process::Command;

use super::endpoint::Endpoint;
use super::installed::{Installed, source};
use super::report::Report;
use super::rmcp;

/// A script ends itself after 60 seconds; this is for one that cannot.
const PLAY_SECONDS_MAX: u64 = 70;

/// A client package, in one of the eras it speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Client {
    /// Python `mcp` 2.x with the handshake of 2025-11-25.
    PythonLegacy,
    /// Python `mcp` 2.x, which asks for 2026-07-28 first.
    PythonModern,
    /// npm `@modelcontextprotocol/sdk` 1.x.
    NpmV1,
    /// npm `@modelcontextprotocol/client` 2.x with the handshake of 2025-11-25.
    NpmV2Legacy,
    /// npm `@modelcontextprotocol/client` 2.x, which asks for 2026-07-28 first.
    NpmV2Modern,
    /// `rmcp` 3.x with the handshake of 2025-11-25.
    RmcpLegacy,
    /// `rmcp` 3.x, which asks for 2026-07-28 first.
    RmcpModern,
}

impl Client {
    pub(super) const ALL: [Self; 7] = [
        Self::PythonLegacy,
        Self::PythonModern,
        Self::NpmV1,
        Self::NpmV2Legacy,
        Self::NpmV2Modern,
        Self::RmcpLegacy,
        Self::RmcpModern,
    ];

    /// The revision this client agrees on with a server that speaks both eras.
    pub(super) fn revision(self) -> &'static str {
        match self {
            Self::PythonLegacy | Self::NpmV1 | Self::NpmV2Legacy | Self::RmcpLegacy => "2025-11-25",
            Self::PythonModern | Self::NpmV2Modern | Self::RmcpModern => "2026-07-28",
        }
    }

    /// Plays a scenario to its end, or says what stopped the client.
    pub(super) async fn play(self, endpoint: &Endpoint, scenario: &Path) -> Result<Report, String> {
        let report = async {
            match self {
                Self::PythonLegacy => python("client_legacy.py", endpoint, scenario).await,
                Self::PythonModern => python("client_modern.py", endpoint, scenario).await,
                Self::NpmV1 => node("client_v1.mjs", "legacy", endpoint, scenario).await,
                Self::NpmV2Legacy => node("client_v2.mjs", "legacy", endpoint, scenario).await,
                Self::NpmV2Modern => node("client_v2.mjs", "auto", endpoint, scenario).await,
                Self::RmcpLegacy => rmcp::play(rmcp::handshake(), endpoint, scenario).await,
                Self::RmcpModern => rmcp::play(rmcp::discovery(), endpoint, scenario).await,
            }
        };
        let played = tokio::time::timeout(Duration::from_secs(PLAY_SECONDS_MAX), report).await;
        played.unwrap_or_else(|_| Err(format!("{self:?} did not end in {PLAY_SECONDS_MAX} seconds")))
    }
}

async fn python(script: &str, endpoint: &Endpoint, scenario: &Path) -> Result<Report, String> {
    let mut command = Command::new(Installed::read().python);
    command.arg(source("python").join(script)).env("PYTHONDONTWRITEBYTECODE", "1");
    run(command, endpoint, scenario).await
}

async fn node(script: &str, era: &str, endpoint: &Endpoint, scenario: &Path) -> Result<Report, String> {
    let installed = Installed::read();
    let mut command = Command::new(installed.node);
    command.arg(source("npm").join(script)).env("NODE_MODULES", installed.node_modules).env("ERA", era);
    run(command, endpoint, scenario).await
}

/// The key travels in the environment, where no list of processes shows it.
async fn run(mut command: Command, endpoint: &Endpoint, scenario: &Path) -> Result<Report, String> {
    command.arg(endpoint.url.as_str()).arg(scenario).env("API_KEY", &endpoint.api_key).kill_on_drop(true);
    let output = command.output().await.map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let line = String::from_utf8_lossy(&output.stdout);
    Report::parse(&line).ok_or_else(|| format!("this is no report: {line}"))
}
