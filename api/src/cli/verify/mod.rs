//! `sekisho verify`: whether a log, or an export of one, is still what was signed; and if not, from which position on.
//!
//! Changes nothing, and reads in constant memory. A live log is checked against the checkpoints in its own database and in the given file;
//! the file is what whoever changes the database cannot change with it. An export is checked offline, with the public key alone.

mod live;
mod offline;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use projections::notary::audit::{Ended, Reading, Report, Sources, audit};
use projections::notary::file::Notes;
use projections::notary::note::{Checkpoint, NoteKey};

use super::{complain, say};
use crate::config::DeploymentOptions;

/// What to verify, and against what.
#[derive(Debug, Args)]
pub(super) struct Verify {
    /// Exported events to check instead of the live log: one envelope a line, from position 1 on
    #[arg(long, value_name = "FILE", requires = "checkpoint", requires = "public_key")]
    export: Option<PathBuf>,

    /// Signed checkpoints to check against, one after the other; for a live log beside those in its database
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,

    /// Public key of the notary, or a file with some, one a line; without it the one that the master key opens
    #[arg(long, value_name = "KEY|FILE")]
    public_key: Option<String>,

    #[command(flatten)]
    options: DeploymentOptions,
}

/// Checks; exit code 0 when all agrees, 1 when something is wrong with the log, 2 when it could not be checked.
pub(super) async fn run(verify: &Verify) -> ExitCode {
    let outcome = match &verify.export {
        Some(export) => offline::verify(verify, export).await,
        None => live::verify(verify).await,
    };
    match outcome {
        Ok(report) => {
            say(&told(&report));
            ExitCode::SUCCESS
        }
        Err(Ended::Flaw(flaw)) => {
            say(&format!("WRONG {flaw}"));
            ExitCode::FAILURE
        }
        Err(Ended::Unreadable(why)) => {
            complain(&format!("cannot verify: {why}"));
            ExitCode::from(2)
        }
    }
}

fn told(report: &Report) -> String {
    let Report { events, vouched, checkpoints } = report;
    let rest = match events - vouched {
        0 => String::new(),
        1 => format!("; position {events} is not covered by a checkpoint yet"),
        _ => format!("; positions {} to {events} are not covered by a checkpoint yet", vouched + 1),
    };
    format!(
        "ok    {events} events, positions 1 to {vouched} as they were signed ({checkpoints} checkpoints){rest}"
    )
}

impl Verify {
    /// The keys that were given.
    fn keys(&self) -> Reading<Option<Vec<NoteKey>>> {
        let Some(given) = &self.public_key else { return Ok(None) };
        let text = match NoteKey::parse(given.trim()) {
            Ok(key) => return Ok(Some(vec![key])),
            Err(error) => std::fs::read_to_string(given).map_err(|_| unreadable("--public-key")(&error))?,
        };
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let keys: Vec<NoteKey> = lines
            .map(NoteKey::parse)
            .collect::<Result<_, _>>()
            .map_err(|error| unreadable(given.clone())(&error))?;
        if keys.is_empty() {
            Err(unreadable(given.clone())(&"there is no key in it"))
        } else {
            Ok(Some(keys))
        }
    }
}

/// Something cannot be read, and why.
fn unreadable(what: impl Into<String>) -> impl Fn(&dyn std::fmt::Display) -> Ended {
    let what = what.into();
    move |error| Ended::Unreadable(format!("{what}: {error}"))
}

/// The checkpoints of a file, each opened with one of these keys.
fn checkpoints_of(
    file: &Path,
    keys: Vec<NoteKey>,
) -> Reading<impl Iterator<Item = Reading<Checkpoint>> + use<>> {
    let name = file.display().to_string();
    let notes = Notes::open(file).map_err(|error| unreadable(name.clone())(&error))?;
    Ok(notes.enumerate().map(move |(number, note)| {
        let wrong = unreadable(format!("{name}, checkpoint {}", number + 1));
        Checkpoint::open(&note.map_err(|error| wrong(&error))?, &keys).map_err(|error| wrong(&error))
    }))
}

/// Audits on a thread that may block.
async fn audited(sources: impl FnOnce() -> Reading<Sources<'static>> + Send + 'static) -> Reading<Report> {
    let auditing = tokio::task::spawn_blocking(move || audit(sources()?));
    auditing.await.map_err(|error| unreadable("the audit ended")(&error))?
}
