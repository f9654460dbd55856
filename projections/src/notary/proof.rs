//! Which nodes make up a proof (RFC 6962, 2.1.1 and 2.1.2), and what they hash to when the hashes lie in tiles.
//!
//! A proof is asked for twice: once to learn which tiles it needs, once with those tiles at hand.

use super::merkle::{Hash, node_hash};
use super::tile::{Coordinates, TILE_HASHES_MAX, TILE_HEIGHT, Tiles};

/// A run of leaves, `from` to before `to`, whose hash is one member of a proof.
type Run = (u64, u64);

/// The siblings on the way from a leaf up to the root of the tree of this size.
pub fn inclusion_runs(index: u64, size: u64) -> Vec<Run> {
    let mut runs = Vec::new();
    let (mut from, mut to) = (0, size);
    while to - from > 1 {
        let middle = from + left_part(to - from);
        if index < middle {
            runs.push((middle, to));
            to = middle;
        } else {
            runs.push((from, middle));
            from = middle;
        }
    }
    runs.reverse();
    runs
}

/// What shows that the tree of the first size is the beginning of the tree of the second, 0 < first <= second.
pub fn consistency_runs(first: u64, second: u64) -> Vec<Run> {
    let mut runs = Vec::new();
    let (mut from, mut to) = (0, second);
    while first < to {
        let middle = from + left_part(to - from);
        if first <= middle {
            runs.push((middle, to));
            to = middle;
        } else {
            runs.push((from, middle));
            from = middle;
        }
    }
    // The subtree where the first tree ends; when that is the whole of it, whoever checks knows its hash.
    if from > 0 {
        runs.push((from, to));
    }
    runs.reverse();
    runs
}

/// The tiles that these runs are hashed from.
pub fn tiles_of(runs: &[Run]) -> Vec<Coordinates> {
    let mut wanted: Vec<Coordinates> = Vec::new();
    for run in runs {
        for (height, index) in perfect_parts(*run) {
            let (at, _) = place(height, index);
            if !wanted.contains(&at) {
                wanted.push(at);
            }
        }
    }
    wanted
}

/// The hashes of these runs; nothing when a tile is missing or too short.
pub fn hashes_of(runs: &[Run], tiles: &Tiles) -> Option<Vec<Hash>> {
    runs.iter().map(|run| hash_of(*run, tiles)).collect()
}

fn hash_of(run: Run, tiles: &Tiles) -> Option<Hash> {
    let parts = perfect_parts(run).into_iter().map(|(height, index)| node(height, index, tiles));
    let parts: Option<Vec<Hash>> = parts.collect();
    parts?.into_iter().rev().reduce(|right, left| node_hash(&left, &right))
}

/// The perfect subtrees of a run, by height and index, from left to right.
fn perfect_parts((from, to): Run) -> Vec<(u32, u64)> {
    let (mut parts, mut at) = (Vec::new(), from);
    while at < to {
        let height = (to - at).ilog2().min(at.trailing_zeros());
        parts.push((height, at >> height));
        at += 1 << height;
    }
    parts
}

/// The tile that holds what a node is hashed from, and from which to before which of its hashes.
fn place(height: u32, index: u64) -> (Coordinates, (usize, usize)) {
    let (level, inside) = (height / TILE_HEIGHT, height % TILE_HEIGHT);
    let first = index << inside;
    let offset = usize::try_from(first % TILE_HASHES_MAX as u64).unwrap_or(0);
    let at = Coordinates { level: u8::try_from(level).unwrap_or(u8::MAX), tile: first >> TILE_HEIGHT };
    (at, (offset, offset + (1 << inside)))
}

fn node(height: u32, index: u64, tiles: &Tiles) -> Option<Hash> {
    let (at, (from, to)) = place(height, index);
    perfect_root(tiles.get(&at)?.get(from..to)?)
}

/// The root over a power of two of hashes.
pub(super) fn perfect_root(hashes: &[Hash]) -> Option<Hash> {
    match hashes {
        [] => None,
        [one] => Some(*one),
        more => {
            let (left, right) = more.split_at_checked(more.len() / 2)?;
            Some(node_hash(&perfect_root(left)?, &perfect_root(right)?))
        }
    }
}

/// The largest power of two below a number of leaves of at least two.
fn left_part(leaves: u64) -> u64 {
    1 << (leaves - 1).ilog2()
}
