//! The Merkle tree of RFC 6962, section 2.1: hashes of leaves and nodes, a tree that grows at its right edge, and the check of proofs.
//!
//! Pure: shared by the notary, which signs roots, and the verifier, which computes them again.

use aws_lc_rs::digest;

/// Bytes of a SHA-256 digest.
pub const HASH_BYTES: usize = 32;

/// A SHA-256 digest.
pub type Hash = [u8; HASH_BYTES];

/// The hash of a leaf: SHA-256 of 0x00 and the data.
pub fn leaf_hash(data: &[u8]) -> Hash {
    sha256(&[&[0], data])
}

/// The hash of an inner node: SHA-256 of 0x01 and the two below. Another prefix, so that no node is ever taken for a leaf.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    sha256(&[&[1], left, right])
}

/// The root of a tree without leaves.
pub fn empty_root() -> Hash {
    sha256(&[])
}

pub(super) fn sha256(parts: &[&[u8]]) -> Hash {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
    }
    let mut hash = [0; HASH_BYTES];
    hash.iter_mut().zip(context.finish().as_ref()).for_each(|(to, from)| *to = *from);
    hash
}

/// A tree that grows at its right edge. It holds the roots of the perfect subtrees that its leaves make up, at most 64 hashes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    size: u64,
    /// From the largest subtree, on the left, to the smallest.
    peaks: Vec<Hash>,
}

impl Tree {
    /// A tree of this size out of the roots of its perfect subtrees, the largest first; nothing when that is not how many there must be.
    pub fn of_peaks(size: u64, peaks: Vec<Hash>) -> Option<Self> {
        (peaks.len() == size.count_ones() as usize).then_some(Self { size, peaks })
    }

    /// How many leaves it has.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// One leaf more. `completed` hears of each perfect subtree that this completes, by height and index: first of the leaf, at height 0.
    pub fn append(&mut self, leaf: Hash, mut completed: impl FnMut(u32, u64, &Hash)) {
        completed(0, self.size, &leaf);
        let mut hash = leaf;
        for height in 1..=self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                hash = node_hash(&left, &hash);
                completed(height, self.size.checked_shr(height).unwrap_or(0), &hash);
            }
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// The hash over all leaves.
    pub fn root(&self) -> Hash {
        let from_the_right = self.peaks.iter().rev().copied();
        from_the_right.reduce(|right, left| node_hash(&left, &right)).unwrap_or_else(empty_root)
    }
}

/// Whether a leaf stands at an index (from 0) of the tree with this size and root (RFC 9162, 2.1.3.2).
pub fn includes(leaf: &Hash, index: u64, size: u64, proof: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut at, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            hash = node_hash(sibling, &hash);
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    last == 0 && hash == *root
}

/// Whether the tree of the first size is the beginning of the tree of the second (RFC 9162, 2.1.4.2).
pub fn is_consistent(first: (u64, &Hash), second: (u64, &Hash), proof: &[Hash]) -> bool {
    let ((size_1, root_1), (size_2, root_2)) = (first, second);
    if size_1 == size_2 {
        return proof.is_empty() && root_1 == root_2;
    }
    if size_1 == 0 {
        return proof.is_empty() && *root_1 == empty_root();
    }
    if size_1 > size_2 {
        return false;
    }
    let (mut at, mut last) = (size_1 - 1, size_2 - 1);
    while at & 1 == 1 {
        (at, last) = (at >> 1, last >> 1);
    }
    // A perfect first tree is a node of the second: the proof does not repeat it.
    let (start, rest) = if size_1.is_power_of_two() {
        (*root_1, proof)
    } else {
        match proof.split_first() {
            Some((start, rest)) => (*start, rest),
            None => return false,
        }
    };
    let (mut hash_1, mut hash_2) = (start, start);
    for sibling in rest {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            hash_1 = node_hash(sibling, &hash_1);
            hash_2 = node_hash(sibling, &hash_2);
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            hash_2 = node_hash(&hash_2, sibling);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    last == 0 && hash_1 == *root_1 && hash_2 == *root_2
}
