//! Whatever is done to an export of the log, the audit finds it: never before the true place, never after the next checkpoint.
//!
//! The input is how many events were exported, how often a checkpoint was signed, whether the stored hashes are at hand, and a list of edits. The judge is
//! plain: the export is whole exactly when its lines are, byte for byte, those that were written.
#![no_main]

use std::sync::OnceLock;

use domain::value::{Position, Timestamp};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use projections::notary::audit::{Ended, Flaw, FlawKind, Report, Sources, audit};
use projections::notary::leaf::{leaf_of, recorded_of_line};
use projections::notary::merkle::{Hash, Tree};
use projections::notary::note::{Checkpoint, NoteSigner};
use projections::{Envelope, JsonText, Recorded};

const EVENTS_MAX: u64 = 64;
const EDITS_MAX: usize = 8;

/// One export and what is done to it.
#[derive(Debug, Arbitrary)]
struct Input {
    events: u8,
    checkpoint_every: u8,
    with_stored: bool,
    edits: Vec<Edit>,
}

#[derive(Debug, Arbitrary)]
enum Edit {
    Flip {
        line: u8,
        byte: u16,
        bit: u8,
    },
    Splice {
        line: u8,
        at: u16,
        taken: u8,
        put: Vec<u8>,
    },
    Line {
        before: u8,
        bytes: Vec<u8>,
    },
    Remove(u8),
    Repeat {
        line: u8,
        before: u8,
    },
    Swap(u8, u8),
    Truncate(u8),
    /// As an intruder would: every event is moved to the position at which its line stands now.
    Renumber,
}

fn event(position: u64) -> Recorded {
    let raw = |text: String| JsonText::parse(text).expect("JSON");
    Recorded {
        position: Position::new(position),
        aggregate_type: "organization".into(),
        aggregate_id: format!("o{}", position % 3),
        sequence: position.div_ceil(3),
        event_type: "renamed".into(),
        event_version: 1,
        payload: raw(format!("{{\"renamed\": {{\"name\": \"Name {position}\"}}}}")),
        metadata: raw("{\"actor\": \"test\"}".to_owned()),
        occurred_at: Timestamp::EPOCH.plus_seconds(i64::try_from(position).expect("small")),
        recorded_at: Timestamp::EPOCH.plus_seconds(i64::try_from(position).expect("small") + 1),
    }
}

/// What was written and signed, for every number of events.
struct Written {
    lines: Vec<Vec<u8>>,
    leaves: Vec<Hash>,
    /// The checkpoint of each size, from 1.
    checkpoints: Vec<Checkpoint>,
}

fn written() -> &'static Written {
    static WRITTEN: OnceLock<Written> = OnceLock::new();
    WRITTEN.get_or_init(|| {
        let signer = NoteSigner::of_seed("sekisho/fuzz", &[1; 32]).expect("a key");
        let keys = [signer.key().clone()];
        let mut tree = Tree::default();
        let mut written = Written { lines: Vec::new(), leaves: Vec::new(), checkpoints: Vec::new() };
        for position in 1..=EVENTS_MAX {
            let event = event(position);
            written.lines.push(serde_json::to_vec(&Envelope::from(&event)).expect("JSON"));
            written.leaves.push(leaf_of(&event));
            tree.append(leaf_of(&event), |_, _, _| {});
            let note = signer.sign_checkpoint(position, tree.root());
            written.checkpoints.push(Checkpoint::open(&note, &keys).expect("our own note"));
        }
        written
    })
}

fn edit(lines: &mut Vec<Vec<u8>>, edit: Edit) {
    let count = lines.len();
    if count == 0 {
        return;
    }
    let place = |line: u8| usize::from(line) % count;
    match edit {
        Edit::Flip { line, byte, bit } => {
            let line = &mut lines[place(line)];
            if !line.is_empty() {
                let byte = usize::from(byte) % line.len();
                line[byte] ^= 1 << (bit % 8);
            }
        }
        Edit::Splice { line, at, taken, put } => {
            let line = &mut lines[place(line)];
            let at = usize::from(at) % (line.len() + 1);
            let end = line.len().min(at + usize::from(taken));
            line.splice(at..end, put);
        }
        Edit::Line { before, bytes } => lines.insert(usize::from(before) % (count + 1), bytes),
        Edit::Remove(line) => _ = lines.remove(place(line)),
        Edit::Repeat { line, before } => {
            lines.insert(usize::from(before) % (count + 1), lines[place(line)].clone())
        }
        Edit::Swap(one, other) => lines.swap(place(one), place(other)),
        Edit::Truncate(to) => lines.truncate(place(to)),
        Edit::Renumber => {
            for (position, line) in (1..).zip(lines) {
                if let Ok(mut event) = recorded_of_line(line) {
                    event.position = Position::new(position);
                    *line = serde_json::to_vec(&Envelope::from(&event)).expect("JSON");
                }
            }
        }
    }
}

fn audited(lines: &[Vec<u8>], leaves: Option<&[Hash]>, checkpoints: &[&Checkpoint]) -> Result<Report, Ended> {
    audit(Sources {
        events: Box::new(
            lines.iter().map(|line| Ok(recorded_of_line(line).map_err(|error| error.to_string()))),
        ),
        checkpoints: vec![Box::new(checkpoints.iter().map(|checkpoint| Ok((*checkpoint).clone())))],
        stored: leaves
            .map(|leaves| -> Box<dyn Iterator<Item = _>> { Box::new(leaves.iter().map(|leaf| Ok(*leaf))) }),
    })
}

fuzz_target!(|input: Input| {
    let events = u64::from(input.events) % EVENTS_MAX + 1;
    let every = u64::from(input.checkpoint_every) % 12 + 1;
    let written = written();
    let whole = &written.lines[..usize::try_from(events).expect("small")];
    let leaves = &written.leaves[..whole.len()];
    let sizes = (1..=events).filter(|size| size % every == 0 || *size == events);
    let checkpoints: Vec<&Checkpoint> =
        sizes.map(|size| &written.checkpoints[usize::try_from(size - 1).expect("small")]).collect();
    let mut lines = whole.to_vec();
    for one in input.edits.into_iter().take(EDITS_MAX) {
        edit(&mut lines, one);
    }
    let changed = (0..whole.len()).find(|at| lines.get(*at) != whole.get(*at));
    let outcome = audited(&lines, input.with_stored.then_some(leaves), &checkpoints);
    match (changed, outcome) {
        // What comes after the last checkpoint is nobody's word: events may follow, if they stand at the right position.
        (None, Ok(report)) => {
            assert!(report.vouched == events && report.events == lines.len() as u64, "{report:?}")
        }
        (None, Err(Ended::Flaw(flaw))) => {
            assert!(lines.len() as u64 > events && flaw.position > events, "{flaw:?}")
        }
        (Some(first), Err(Ended::Flaw(flaw))) => judge(first as u64 + 1, &flaw, input.with_stored),
        (changed, outcome) => panic!("{changed:?} and yet {outcome:?}"),
    }
});

/// The flaw lies where the first change is: to the line with the stored hashes, to the stretch between two checkpoints without.
fn judge(first: u64, flaw: &Flaw, with_stored: bool) {
    assert!(flaw.agreed < first, "{flaw:?} but {first}");
    match flaw.kind {
        FlawKind::ChangedUpTo(size) => {
            assert!((flaw.position..=size).contains(&first), "{flaw:?} but {first}")
        }
        _ if with_stored => assert_eq!(flaw.position, first, "{flaw:?}"),
        _ => assert!((flaw.agreed + 1..=flaw.position).contains(&first), "{flaw:?} but {first}"),
    }
}
