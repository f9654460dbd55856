//! Tiles: the tree in pieces of eight levels, 256 hashes each, under the addresses of C2SP tlog-tiles.

use std::collections::HashMap;
use std::fmt;

use super::merkle::{HASH_BYTES, Hash, Tree};
use super::proof::perfect_root;

/// Levels of the tree in one tile.
pub const TILE_HEIGHT: u32 = 8;
/// Hashes in a full tile.
pub const TILE_HASHES_MAX: usize = 1 << TILE_HEIGHT;

/// Which tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Coordinates {
    /// 0 above the leaves; each level above has one hash for each full tile below.
    pub level: u8,
    /// Number of the tile in its level, from 0.
    pub tile: u64,
}

/// Tiles at hand.
pub type Tiles = HashMap<Coordinates, Vec<Hash>>;

/// A tile that was asked for by its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TileAddress {
    /// Which one.
    pub at: Coordinates,
    /// How many of its hashes.
    pub hashes: usize,
}

impl TileAddress {
    /// Reads `<level>/<number>[.p/<hashes>]`, the number in groups of three digits, all but the last with an `x` before them:
    /// `0/x001/x234/067.p/5`. Nothing for any other spelling, so that a tile has one address.
    pub fn parse(path: &str) -> Option<Self> {
        let (whole, hashes) = match path.split_once(".p/") {
            None => (path, TILE_HASHES_MAX),
            Some((whole, hashes)) => {
                (whole, hashes.parse().ok().filter(|hashes| (1..TILE_HASHES_MAX).contains(hashes))?)
            }
        };
        let (level, number) = whole.split_once('/')?;
        let groups = number.split('/').map(|group| group.trim_start_matches('x'));
        let tile = groups.collect::<String>().parse().ok()?;
        let address = Self { at: Coordinates { level: level.parse().ok()?, tile }, hashes };
        (address.to_string() == path).then_some(address)
    }
}

impl fmt::Display for TileAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Coordinates { level, tile } = self.at;
        write!(f, "{level}/")?;
        let mut groups = vec![format!("{:03}", tile % 1_000)];
        let mut rest = tile / 1_000;
        while rest > 0 {
            groups.push(format!("x{:03}", rest % 1_000));
            rest /= 1_000;
        }
        groups.reverse();
        f.write_str(&groups.join("/"))?;
        if self.hashes < TILE_HASHES_MAX { write!(f, ".p/{}", self.hashes) } else { Ok(()) }
    }
}

/// The hashes of a tile as bytes.
pub fn tile_bytes(hashes: &[Hash]) -> Vec<u8> {
    hashes.concat()
}

/// Bytes as the hashes of a tile; nothing when they are no whole hashes, or too many.
pub fn tile_hashes(bytes: &[u8]) -> Option<Vec<Hash>> {
    let (hashes, rest) = bytes.as_chunks::<HASH_BYTES>();
    (rest.is_empty() && hashes.len() <= TILE_HASHES_MAX).then(|| hashes.to_vec())
}

/// The right edge of the tree: what is needed to append to it, and the last tile of each level.
#[derive(Debug, Clone, Default)]
pub struct Edge {
    tree: Tree,
    /// The last tile of each level, never full.
    open: Vec<Vec<Hash>>,
    /// Tiles that changed since they were last taken.
    changed: Tiles,
    last: Option<Hash>,
}

impl Edge {
    /// Which tiles the edge of a tree of this size consists of. The last one of level 0 may be full: it holds the last leaf.
    pub fn tiles_of(size: u64) -> Vec<Coordinates> {
        let last = size.checked_sub(1).map(|index| Coordinates { level: 0, tile: index >> TILE_HEIGHT });
        let mut wanted: Vec<Coordinates> = last.into_iter().collect();
        for (level, hashes) in levels(size) {
            let at = Coordinates { level, tile: hashes >> TILE_HEIGHT };
            if hashes % TILE_HASHES_MAX as u64 > 0 && !wanted.contains(&at) {
                wanted.push(at);
            }
        }
        wanted
    }

    /// The edge of a tree of this size out of those tiles; nothing when one is missing or too short.
    pub fn of_tiles(size: u64, tiles: &Tiles) -> Option<Self> {
        let mut edge = Self::default();
        let mut peaks: Vec<Vec<Hash>> = Vec::new();
        for (level, hashes) in levels(size) {
            let count = usize::try_from(hashes % TILE_HASHES_MAX as u64).ok()?;
            let at = Coordinates { level, tile: hashes >> TILE_HEIGHT };
            let open = if count == 0 { &[] } else { tiles.get(&at)?.get(..count)? };
            peaks.push(peaks_of(open)?);
            edge.open.push(open.to_vec());
        }
        if let Some(index) = size.checked_sub(1) {
            let tile = tiles.get(&Coordinates { level: 0, tile: index >> TILE_HEIGHT })?;
            edge.last = Some(*tile.get(usize::try_from(index % TILE_HASHES_MAX as u64).ok()?)?);
        }
        edge.tree = Tree::of_peaks(size, peaks.into_iter().rev().flatten().collect())?;
        Some(edge)
    }

    /// The tree.
    pub const fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The last leaf, of a tree that has one.
    pub const fn last_leaf(&self) -> Option<&Hash> {
        self.last.as_ref()
    }

    /// One leaf more.
    pub fn append(&mut self, leaf: Hash) {
        let Self { tree, open, changed, last } = self;
        *last = Some(leaf);
        tree.append(leaf, |height, index, hash| {
            if !height.is_multiple_of(TILE_HEIGHT) {
                return;
            }
            let level = (height / TILE_HEIGHT) as usize;
            if open.len() <= level {
                open.resize_with(level + 1, Vec::new);
            }
            let Some(hashes) = open.get_mut(level) else { return };
            hashes.push(*hash);
            let at =
                Coordinates { level: u8::try_from(level).unwrap_or(u8::MAX), tile: index >> TILE_HEIGHT };
            if hashes.len() == TILE_HASHES_MAX {
                changed.insert(at, std::mem::take(hashes));
            } else {
                changed.insert(at, Vec::new()); // filled in when it is taken
            }
        });
    }

    /// The tiles that changed since they were last taken.
    pub fn take_changed(&mut self) -> Vec<(Coordinates, Vec<Hash>)> {
        let open = &self.open;
        let whole = |(at, hashes): (Coordinates, Vec<Hash>)| {
            let open = open.get(usize::from(at.level)).filter(|_| hashes.is_empty());
            (at, open.cloned().unwrap_or(hashes))
        };
        std::mem::take(&mut self.changed).into_iter().map(whole).collect()
    }
}

/// The levels that a tree of this size has, and how many hashes there are in each.
fn levels(size: u64) -> impl Iterator<Item = (u8, u64)> {
    (0..8_u8)
        .map(move |level| (level, size >> (TILE_HEIGHT * u32::from(level))))
        .take_while(|(_, hashes)| *hashes > 0)
}

/// The roots of the perfect subtrees over some hashes of one tile, the largest first.
fn peaks_of(mut hashes: &[Hash]) -> Option<Vec<Hash>> {
    let mut peaks = Vec::new();
    while !hashes.is_empty() {
        let (left, rest) = hashes.split_at_checked(1 << hashes.len().ilog2())?;
        peaks.push(perfect_root(left)?);
        hashes = rest;
    }
    Some(peaks)
}
