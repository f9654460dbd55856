//! Cutting and replacing stretches of a text, given as the ranges that `serde_json` borrowed from it.

use std::ops::Range;

use bytes::{BufMut, Bytes, BytesMut};
use serde_json::value::RawValue;

/// One stretch of the original, and what stands there afterwards.
#[derive(Debug)]
pub(super) struct Edit {
    pub(super) at: Range<usize>,
    pub(super) text: &'static str,
}

/// Where a borrowed value stands in the text it was borrowed from.
pub(super) fn span(whole: &str, part: &RawValue) -> Range<usize> {
    let start = part.get().as_ptr().addr() - whole.as_ptr().addr();
    start..start + part.get().len()
}

/// The cuts that take elements out of an array. An element goes with the separator before it; while none has stayed
/// yet, with the one after it. So the white space at both ends of the array remains.
pub(super) fn removals(elements: impl Iterator<Item = (Range<usize>, bool)>) -> Vec<Edit> {
    let mut edits = Vec::new();
    let mut last_kept: Option<Range<usize>> = None;
    let mut cut: Option<Range<usize>> = None;
    for (span, keep) in elements {
        match (keep, &last_kept) {
            (true, None) => {
                // Leading cuts reach up to the first element that stays.
                edits.extend(cut.take().map(|cut| cut.start..span.start));
                last_kept = Some(span);
            }
            (true, Some(_)) => {
                edits.extend(cut.take());
                last_kept = Some(span);
            }
            (false, None) => cut = Some(cut.map_or(span.start, |cut| cut.start)..span.end),
            (false, Some(kept)) => cut = Some(kept.end..span.end),
        }
    }
    edits.extend(cut);
    edits.into_iter().map(|at| Edit { at, text: "" }).collect()
}

/// Writes the original with the edits made. They do not overlap.
pub(super) fn apply(original: &Bytes, mut edits: Vec<Edit>) -> Bytes {
    edits.sort_by_key(|edit| edit.at.start);
    let mut out =
        BytesMut::with_capacity(original.len() + edits.iter().map(|edit| edit.text.len()).sum::<usize>());
    let mut position = 0;
    for edit in edits {
        out.put_slice(original.get(position..edit.at.start).unwrap_or_default());
        out.put_slice(edit.text.as_bytes());
        position = edit.at.end;
    }
    out.put_slice(original.get(position..).unwrap_or_default());
    out.freeze()
}
