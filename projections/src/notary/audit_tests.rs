//! The audit of an export, and every way in which one is tampered with.

use domain::value::{Position, Timestamp};
use proptest::prelude::*;

use super::super::leaf::recorded_of_line;
use super::super::note::NoteSigner;
use super::*;
use crate::recorded::{Envelope, JsonText};

fn signer() -> NoteSigner {
    NoteSigner::of_seed("sekisho/test", &[1; 32]).unwrap()
}

fn event(position: u64) -> Recorded {
    let raw = |text: String| JsonText::parse(text).unwrap();
    Recorded {
        position: Position::new(position),
        aggregate_type: "organization".into(),
        aggregate_id: format!("o{}", position % 3),
        sequence: position.div_ceil(3),
        event_type: "renamed".into(),
        event_version: 1,
        payload: raw(format!("{{\"renamed\": {{\"name\": \"Name {position}\"}}}}")),
        metadata: raw("{\"actor\": \"test\"}".to_owned()),
        occurred_at: Timestamp::EPOCH.plus_seconds(i64::try_from(position).unwrap()),
        recorded_at: Timestamp::EPOCH.plus_seconds(i64::try_from(position).unwrap() + 1),
    }
}

/// So many events as lines, the checkpoints of these sizes, and the stored leaf hashes.
struct Told {
    lines: Vec<Vec<u8>>,
    notes: Vec<String>,
    stored: Vec<Hash>,
}

fn told(events: u64, sizes: &[u64]) -> Told {
    let mut tree = Tree::default();
    let mut told = Told { lines: Vec::new(), notes: Vec::new(), stored: Vec::new() };
    for position in 1..=events {
        let event = event(position);
        told.lines.push(serde_json::to_vec(&Envelope::from(&event)).unwrap());
        told.stored.push(leaf_of(&event));
        tree.append(leaf_of(&event), |_, _, _| {});
        if sizes.contains(&position) {
            told.notes.push(signer().sign_checkpoint(position, tree.root()));
        }
    }
    told
}

fn audited(told: &Told, with_stored: bool) -> Result<Report, Ended> {
    let keys = [signer().key().clone()];
    let unreadable = |error: &dyn fmt::Display| Ended::Unreadable(error.to_string());
    let notes = told.notes.iter();
    audit(Sources {
        events: Box::new(
            told.lines.iter().map(|line| Ok(recorded_of_line(line).map_err(|error| error.to_string()))),
        ),
        checkpoints: vec![Box::new(
            notes.map(move |note| Checkpoint::open(note, &keys).map_err(|error| unreadable(&error))),
        )],
        stored: with_stored
            .then(|| -> Box<dyn Iterator<Item = _>> { Box::new(told.stored.iter().map(|hash| Ok(*hash))) }),
    })
}

fn flaw(told: &Told, with_stored: bool) -> Flaw {
    match audited(told, with_stored) {
        Err(Ended::Flaw(flaw)) => flaw,
        other => panic!("no flaw: {other:?}"),
    }
}

/// As an intruder would: the same event under another position.
fn moved(line: &[u8], to: u64) -> Vec<u8> {
    let mut event = recorded_of_line(line).unwrap();
    event.position = Position::new(to);
    serde_json::to_vec(&Envelope::from(&event)).unwrap()
}

fn renamed(line: &[u8]) -> Vec<u8> {
    String::from_utf8(line.to_vec()).unwrap().replace("Name", "Game").into_bytes()
}

#[test]
fn a_changed_event_is_named_by_the_stored_hashes_and_else_by_its_stretch() {
    let mut told = told(40, &[10, 20, 30, 40]);
    told.lines[16] = renamed(&told.lines[16]);
    assert_eq!(flaw(&told, false), Flaw { position: 11, agreed: 10, kind: FlawKind::ChangedUpTo(20) });
    assert_eq!(flaw(&told, true), Flaw { position: 17, agreed: 16, kind: FlawKind::Changed });
}

#[test]
fn a_deleted_event_is_named_also_when_those_after_it_were_moved_up() {
    let mut gone = told(40, &[10, 20, 30, 40]);
    gone.lines.remove(16);
    assert_eq!(flaw(&gone, false), Flaw { position: 17, agreed: 10, kind: FlawKind::Missing(18) });
    assert_eq!(flaw(&gone, true), Flaw { position: 17, agreed: 16, kind: FlawKind::Missing(18) });
    for at in 16..gone.lines.len() {
        gone.lines[at] = moved(&gone.lines[at], at as u64 + 1);
    }
    assert_eq!(flaw(&gone, false).position, 11);
    assert_eq!(flaw(&gone, true), Flaw { position: 17, agreed: 16, kind: FlawKind::Changed });
}

#[test]
fn an_inserted_event_is_named_also_when_those_after_it_were_moved_down() {
    let mut more = told(40, &[10, 20, 30, 40]);
    more.lines.insert(16, more.lines[3].clone());
    assert_eq!(flaw(&more, false), Flaw { position: 17, agreed: 10, kind: FlawKind::Surplus(4) });
    for at in 16..more.lines.len() {
        more.lines[at] = moved(&more.lines[at], at as u64 + 1);
    }
    assert_eq!(flaw(&more, true), Flaw { position: 17, agreed: 16, kind: FlawKind::Changed });
}

#[test]
fn two_events_that_changed_places_are_named() {
    let mut told = told(40, &[10, 20, 30, 40]);
    told.lines.swap(16, 22);
    assert_eq!(flaw(&told, false), Flaw { position: 17, agreed: 10, kind: FlawKind::Missing(23) });
    (told.lines[16], told.lines[22]) = (moved(&told.lines[16], 17), moved(&told.lines[22], 23));
    assert_eq!(flaw(&told, true).position, 17);
}

#[test]
fn a_truncated_log_is_named_by_the_first_position_that_is_missing() {
    let mut told = told(40, &[10, 20, 30, 40]);
    told.lines.truncate(33);
    assert_eq!(flaw(&told, false), Flaw { position: 34, agreed: 30, kind: FlawKind::Truncated(40) });
    told.lines[31] = renamed(&told.lines[31]);
    assert_eq!(flaw(&told, true), Flaw { position: 32, agreed: 31, kind: FlawKind::Changed });
}

#[test]
fn an_earlier_change_is_found_before_a_later_hole() {
    let mut told = told(40, &[10, 20, 30, 40]);
    told.lines[12] = renamed(&told.lines[12]);
    told.lines.remove(16);
    assert_eq!(flaw(&told, true), Flaw { position: 13, agreed: 12, kind: FlawKind::Changed });
    let said = flaw(&told, false).to_string();
    assert!(said.contains("first bad position 17") && said.contains("11 to 16"), "{said}");
}

#[test]
fn changed_stored_hashes_do_not_cover_a_change_up_nor_make_one_up() {
    let mut told = told(40, &[10, 20, 30, 40]);
    told.stored[16] = [0; 32];
    assert_eq!(flaw(&told, true), Flaw { position: 17, agreed: 10, kind: FlawKind::StoredHash });
    told.lines[16] = renamed(&told.lines[16]);
    told.stored[16] = leaf_of(&recorded_of_line(&told.lines[16]).unwrap());
    assert_eq!(flaw(&told, true), Flaw { position: 11, agreed: 10, kind: FlawKind::ChangedUpTo(20) });
}

#[test]
fn a_key_that_signed_two_histories_is_found_out() {
    let mut told = told(40, &[10, 20]);
    told.notes.insert(1, signer().sign_checkpoint(10, [3; 32]));
    assert_eq!(flaw(&told, false).kind, FlawKind::Forked);
}

#[test]
fn a_checkpoint_of_another_key_or_out_of_order_tells_nothing() {
    let mut other = told(40, &[10, 20]);
    other.notes[0] = NoteSigner::of_seed("sekisho/test", &[2; 32]).unwrap().sign_checkpoint(10, [0; 32]);
    assert!(matches!(audited(&other, false), Err(Ended::Unreadable(_))));
    let mut turned = told(40, &[10, 20]);
    turned.notes.swap(0, 1);
    assert!(matches!(audited(&turned, false), Err(Ended::Unreadable(_))));
}

#[test]
fn what_no_checkpoint_covers_yet_is_counted_and_not_vouched_for() {
    let told = told(45, &[10, 20, 20, 40]);
    let report = Report { events: 45, vouched: 40, checkpoints: 3 };
    assert_eq!(audited(&told, false), Ok(report.clone()));
    assert_eq!(audited(&told, true), Ok(report));
}

/// One thing done to an export.
#[derive(Debug, Clone)]
enum Tampering {
    Flip { line: usize, byte: usize, bit: u8 },
    Remove(usize),
    RemoveAndMoveUp(usize),
    Repeat { line: usize, before: usize },
    Swap(usize, usize),
    Truncate(usize),
}

fn tampering() -> impl Strategy<Value = Tampering> {
    prop_oneof![
        4 => (any::<usize>(), any::<usize>(), 0_u8..8).prop_map(|(line, byte, bit)| Tampering::Flip { line, byte, bit }),
        1 => any::<usize>().prop_map(Tampering::Remove),
        1 => any::<usize>().prop_map(Tampering::RemoveAndMoveUp),
        1 => (any::<usize>(), any::<usize>()).prop_map(|(line, before)| Tampering::Repeat { line, before }),
        1 => (any::<usize>(), any::<usize>()).prop_map(|(one, other)| Tampering::Swap(one, other)),
        1 => any::<usize>().prop_map(Tampering::Truncate),
    ]
}

/// Does it, and tells the index of the first line that is another one now.
fn tamper(lines: &mut Vec<Vec<u8>>, tampering: &Tampering) -> Option<usize> {
    let before = lines.clone();
    let count = lines.len();
    match *tampering {
        Tampering::Flip { line, byte, bit } => {
            let line = &mut lines[line % count];
            let byte = byte % line.len();
            line[byte] ^= 1 << bit;
        }
        Tampering::Remove(line) => _ = lines.remove(line % count),
        Tampering::RemoveAndMoveUp(line) => {
            lines.remove(line % count);
            for (at, line) in lines.iter_mut().enumerate().skip(line % count) {
                *line = moved(line, at as u64 + 1);
            }
        }
        Tampering::Repeat { line, before } => lines.insert(before % count, lines[line % count].clone()),
        Tampering::Swap(one, other) => lines.swap(one % count, other % count),
        Tampering::Truncate(to) => lines.truncate(to % count),
    }
    (0..=count).find(|at| before.get(*at) != lines.get(*at))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever is done to an export, it is found, never before the true place and never after the next checkpoint. `./fuzz` asks the same for longer.
    #[test]
    fn no_tampering_stays_unfound(events in 2_u64..60, every in 1_u64..12, tampering in tampering(), with_stored: bool) {
        let sizes: Vec<u64> = (1..=events).filter(|size| size % every == 0 || *size == events).collect();
        let mut told = told(events, &sizes);
        match tamper(&mut told.lines, &tampering) {
            None => prop_assert!(audited(&told, with_stored).is_ok()),
            Some(first) => {
                let (first, flaw) = (first as u64 + 1, flaw(&told, with_stored));
                prop_assert!(flaw.agreed < first, "{flaw:?} but {first}");
                match flaw.kind {
                    FlawKind::ChangedUpTo(size) => prop_assert!((flaw.position..=size).contains(&first), "{flaw:?} but {first}"),
                    _ if with_stored => prop_assert_eq!(flaw.position, first),
                    _ => prop_assert!((flaw.agreed + 1..=flaw.position).contains(&first), "{flaw:?} but {first}"),
                }
            }
        }
    }
}
