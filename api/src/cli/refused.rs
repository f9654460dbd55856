//! Why a call came to nothing: the stable code, what it means, and what to do about it; and the exit code that says so to scripts.

use std::process::ExitCode;

use mcp::client::{ClientError, RefusedAnswer};
use serde_json::json;

use super::endpoint::AskError;
use super::{complain, say};

/// What `--help` says of exit codes.
pub(super) const EXIT_CODES: &str = "Exit codes: 0 answered, 1 not reached or not understood, 2 wrong command line, 3 refused (with a stable code), \
                                     4 the tool or its server says that it failed.";

const REFUSED: u8 = 3;
/// The tool failed, or its server answered with an error of its own.
pub(super) const TOOL_FAILED: u8 = 4;

/// Says what went wrong.
pub(super) fn tell(error: &AskError, as_json: bool) -> ExitCode {
    match error {
        AskError::Url(_) | AskError::InClear(_) => {
            complain(&error.to_string());
            ExitCode::from(2)
        }
        AskError::Client(ClientError::Refused(refused)) => refusal(refused, as_json),
        AskError::Tls(_)
        | AskError::Client(
            ClientError::Upstream(_)
            | ClientError::NoCommonRevision
            | ClientError::AsksBack
            | ClientError::EndlessList,
        ) => {
            complain(&with_causes(error));
            ExitCode::FAILURE
        }
    }
}

fn refusal(refused: &RefusedAnswer, as_json: bool) -> ExitCode {
    let to_do = refused.reason.as_deref().and_then(advice);
    if as_json {
        let RefusedAnswer { status, code, reason, message, retry_after } = refused;
        let told = json!({ "status": status.as_u16(), "code": code, "reason": reason, "message": message, "retry_after": retry_after, "do": to_do });
        say(&json!({ "refused": told }).to_string());
    } else {
        let code = refused.reason.clone().or_else(|| refused.code.map(|code| code.to_string()));
        let code = code.unwrap_or_else(|| refused.status.as_u16().to_string());
        complain(&format!("refused: {code}: {}", refused.message));
        if let Some(to_do) = to_do {
            complain(&format!("do: {to_do}"));
        }
        if let Some(wait) = &refused.retry_after {
            complain(&format!("try again in {wait} s"));
        }
    }
    // A JSON-RPC error without a stable word is what the server behind said: ours always has one.
    let by_the_server = refused.code.is_some() && refused.reason.is_none();
    ExitCode::from(if by_the_server { TOOL_FAILED } else { REFUSED })
}

/// What helps, where more can be said than the message does.
fn advice(reason: &str) -> Option<&'static str> {
    Some(match reason {
        "no-credential" => "set SEKISHO_API_KEY, or SEKISHO_ACCESS_TOKEN for an instance that takes tokens",
        "two-credentials" => "present one credential: an API key or an access token",
        "authentication-not-accepted" => {
            "this instance takes the other kind of credential: set its authentication to both, or bring the other one"
        }
        "key-unknown" | "key-revoked" | "key-expired" => {
            "have an administrator of the organization issue a new API key"
        }
        "grant-revoked" | "client-inactive" => "have somebody allow the client again, at /oauth/authorize",
        token if token.starts_with("token-") => {
            "get a new access token for this very instance from /oauth/token"
        }
        "tool-not-exposed" | "insufficient-scope" | "role-too-low" => {
            "`sekisho tools INSTANCE` lists what this credential may call; `sekisho explain` says why, where the log is"
        }
        "instance-unknown" | "bound-to-other-instance" => {
            "check the id, and that the credential is of the instance's organization"
        }
        "instance-stopped" => {
            "have it started: POST /v1/organizations/{organization}/instances/{instance}/start"
        }
        "upstream-unreachable" | "upstream-closed" | "upstream-timeout" | "upstream-bad-answer" => {
            "look after the server behind the instance; the call may have been carried out"
        }
        "upstream-address-refused" => {
            "start Sekisho with --upstream-networks and the server's network, such as 127.0.0.0/8 for this machine, or register the server at /v1/deployment/servers"
        }
        "upstream-down" => {
            "look after the server behind the instance; it is asked again as soon as it answers"
        }
        "upstream-unauthorized" | "upstream-credential-missing" => {
            "set the credentials of the instance's connection anew"
        }
        "view-not-current" | "view-stale" | "node-busy" | "recording-unavailable" | "vault-unavailable" => {
            "try again in a moment, or at another node"
        }
        _ => return None,
    })
}

/// The error and what lies behind it: whoever runs this command may see addresses.
fn with_causes(error: &AskError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.ends_with(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    text
}
