//! A witness who writes down every checkpoint that any node publishes, and holds the final log against all of them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use harness::Http;
use hyper::Method;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

const LOOK_EVERY: Duration = Duration::from_millis(200);
const ANSWER_WAIT: Duration = Duration::from_secs(1);

/// Checkpoints by size.
pub(super) type Notes = BTreeSet<(u64, String)>;

/// Looks at one node until told to stop. What it shows never goes back.
pub(super) async fn watch(http: Http, stop: CancellationToken) -> Notes {
    let mut notes = Notes::new();
    while !stop.is_cancelled() {
        let path = "/.well-known/sekisho/checkpoint";
        if let Ok(answer) = http.attempt(Method::GET, path, &Value::Null, ANSWER_WAIT).await
            && answer.status.is_success()
        {
            let note = String::from_utf8(answer.bytes.to_vec()).unwrap();
            let size: u64 = note.lines().nth(1).and_then(|line| line.parse().ok()).expect("a checkpoint");
            let newest = notes.last().map_or(0, |(size, _)| *size);
            assert!(size >= newest, "a node shows a checkpoint of {size} after one of {newest}");
            notes.insert((size, note));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    notes
}

/// Writes checkpoints as the notary does: one after the other, an empty line after each.
pub(super) fn write_down(notes: &Notes, file: &Path) {
    let text: Vec<&str> = notes.iter().flat_map(|(_, note)| [note.as_str(), "\n"]).collect();
    std::fs::write(file, text.concat()).unwrap();
}

/// `sekisho verify` finds every event of the log as all of these witnesses saw it signed, to the head.
pub(super) fn the_log_is_what_was_signed(database: &str, key: &str, witnesses: &[PathBuf], head: u64) {
    for witness in witnesses {
        let mut verify = Command::new(harness::sekisho());
        verify.env_clear().env("DATABASE_URL", database).stdin(Stdio::null());
        verify.args(["verify", "--public-key", key, "--checkpoint"]).arg(witness);
        let output = verify.output().unwrap();
        let told = String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned();
        let whole = format!("ok    {head} events, positions 1 to {head} as they were signed");
        assert!(output.status.success() && told.starts_with(&whole), "{}: {told}", witness.display());
    }
}
