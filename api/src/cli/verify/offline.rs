//! An export, with nothing else at hand: no database, no configuration, no network.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;

use projections::Recorded;
use projections::notary::audit::{Reading, Report, Sources};
use projections::notary::leaf::recorded_of_line;

use super::{Verify, audited, checkpoints_of, unreadable};

/// Longer lines are no events: a request is at most 256 KiB.
const LINE_BYTES_MAX: u64 = 64 * 1024 * 1024;

pub(super) async fn verify(verify: &Verify, export: &Path) -> Reading<Report> {
    let keys = verify.keys()?.unwrap_or_default();
    let notes = verify.checkpoint.clone().unwrap_or_default();
    let export = export.to_owned();
    audited(move || {
        Ok(Sources {
            events: Box::new(lines(&export)?),
            checkpoints: vec![Box::new(checkpoints_of(&notes, keys)?)],
            stored: None,
        })
    })
    .await
}

/// The events of an export, line by line.
fn lines(export: &Path) -> Reading<impl Iterator<Item = Reading<Result<Recorded, String>>> + use<>> {
    let name = export.display().to_string();
    let mut reader = BufReader::new(File::open(export).map_err(|error| unreadable(name.clone())(&error))?);
    let mut line = Vec::new();
    Ok(std::iter::from_fn(move || {
        line.clear();
        match reader.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line) {
            Err(error) => Some(Err(unreadable(name.clone())(&error))),
            Ok(0) => None,
            Ok(_) => {
                let line = line.strip_suffix(b"\n").unwrap_or(&line);
                Some(Ok(recorded_of_line(line).map_err(|error| error.to_string())))
            }
        }
    }))
}
