//! An export, with nothing else at hand: no database, no configuration, no network.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;

use domain::value::Position;
use projections::Recorded;
use projections::notary::audit::{Reading, Report, Sources};
use projections::notary::leaf::recorded_of_line;

use super::{Verify, audited, checkpoints_of, unreadable};
use crate::ndjson;

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

/// The events of an export, line by line. The last line that an export has beside them says how many they are; it is held against them, for it is
/// covered by no checkpoint.
fn lines(export: &Path) -> Reading<impl Iterator<Item = Reading<Result<Recorded, String>>> + use<>> {
    let name = export.display().to_string();
    let mut reader = BufReader::new(File::open(export).map_err(|error| unreadable(name.clone())(&error))?);
    let mut line = Vec::new();
    let (mut events, mut reached, mut ended) = (0_u64, Position::START, false);
    Ok(std::iter::from_fn(move || {
        loop {
            line.clear();
            match reader.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line) {
                Err(error) => return Some(Err(unreadable(name.clone())(&error))),
                Ok(0) => return None,
                Ok(_) => {}
            }
            let line = line.strip_suffix(b"\n").unwrap_or(&line);
            if ended {
                return Some(Ok(Err("a line follows the one that says that it is the last".to_owned())));
            }
            let Some((last, count)) = ndjson::read_end(line) else {
                let event = recorded_of_line(line).map_err(|error| error.to_string());
                if let Ok(event) = &event {
                    (events, reached) = (events + 1, event.position);
                }
                return Some(Ok(event));
            };
            if (last, count) != (reached, events) {
                let wrong = format!(
                    "its last line speaks of {count} events up to {last}, and here are {events} up to {reached}"
                );
                return Some(Ok(Err(wrong)));
            }
            ended = true;
        }
    }))
}
