//! The tree against the reference vectors of RFC 6962 and against its own definition, and tiles and proofs against the tree.

use std::collections::HashMap;

use proptest::prelude::*;

use super::merkle::{Hash, Tree, empty_root, includes, is_consistent, leaf_hash, node_hash};
use super::proof::{consistency_runs, hashes_of, inclusion_runs, tiles_of};
use super::tile::{Coordinates, Edge, TileAddress, Tiles, tile_bytes, tile_hashes};

/// Leaves and roots of the reference tests of Certificate Transparency.
const LEAVES: [&str; 8] =
    ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];
/// Leaf 5 in the tree of 8, and the tree of 6 in the tree of 8.
const INCLUSION: [&str; 3] = [
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
];
const CONSISTENCY: [&str; 3] = [
    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
];

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn hash(hex: &str) -> Hash {
    bytes(hex).try_into().unwrap()
}

/// Section 2.1, word for word.
fn root_by_definition(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [one] => *one,
        more => {
            let (left, right) = more.split_at(more.len().next_power_of_two() / 2);
            node_hash(&root_by_definition(left), &root_by_definition(right))
        }
    }
}

/// A tree of so many leaves: the leaves, the root at each size, and the tiles.
fn grown(size: usize) -> (Vec<Hash>, Vec<Hash>, Tiles) {
    let leaves: Vec<Hash> = (0..size).map(|leaf| leaf_hash(&leaf.to_be_bytes())).collect();
    let (mut edge, mut roots, mut tiles) = (Edge::default(), vec![empty_root()], HashMap::new());
    for leaf in &leaves {
        edge.append(*leaf);
        roots.push(edge.tree().root());
        tiles.extend(edge.take_changed());
    }
    (leaves, roots, tiles)
}

fn hashes(runs: &[(u64, u64)], tiles: &Tiles) -> Vec<Hash> {
    let wanted: Tiles =
        tiles_of(runs).into_iter().filter_map(|at| Some((at, tiles.get(&at)?.clone()))).collect();
    hashes_of(runs, &wanted).unwrap()
}

#[test]
fn the_reference_trees_have_the_reference_roots_and_proofs() {
    let leaves: Vec<Hash> = LEAVES.iter().map(|leaf| leaf_hash(&bytes(leaf))).collect();
    let mut edge = Edge::default();
    for (size, root) in ROOTS.iter().enumerate() {
        assert_eq!(edge.tree().root(), hash(root), "{size}");
        if let Some(leaf) = leaves.get(size) {
            edge.append(*leaf);
        }
    }
    let tiles: Tiles = edge.take_changed().into_iter().collect();
    assert_eq!(hashes(&inclusion_runs(5, 8), &tiles), INCLUSION.map(hash));
    assert_eq!(hashes(&consistency_runs(6, 8), &tiles), CONSISTENCY.map(hash));
    assert!(includes(&leaves[5], 5, 8, &INCLUSION.map(hash), &hash(ROOTS[8])));
    assert!(is_consistent((6, &hash(ROOTS[6])), (8, &hash(ROOTS[8])), &CONSISTENCY.map(hash)));
}

#[test]
fn a_proof_of_something_else_is_refused() {
    let (leaves, roots, tiles) = grown(20);
    let proof = hashes(&inclusion_runs(5, 13), &tiles);
    assert!(includes(&leaves[5], 5, 13, &proof, &roots[13]));
    assert!(!includes(&leaves[6], 5, 13, &proof, &roots[13]));
    assert!(!includes(&leaves[5], 6, 13, &proof, &roots[13]));
    assert!(!includes(&leaves[5], 5, 13, &proof, &roots[14]));
    assert!(!includes(&leaves[5], 13, 13, &proof, &roots[13]));
    for cut in 0..proof.len() {
        assert!(!includes(&leaves[5], 5, 13, &proof[..cut], &roots[13]));
    }
    let longer = [proof, vec![leaves[0]]].concat();
    assert!(!includes(&leaves[5], 5, 13, &longer, &roots[13]));
    let proof = hashes(&consistency_runs(7, 13), &tiles);
    assert!(is_consistent((7, &roots[7]), (13, &roots[13]), &proof));
    assert!(!is_consistent((7, &roots[8]), (13, &roots[13]), &proof));
    assert!(!is_consistent((7, &roots[7]), (13, &roots[14]), &proof));
    assert!(!is_consistent((13, &roots[13]), (7, &roots[7]), &proof));
    assert!(!is_consistent((7, &roots[7]), (13, &roots[13]), &proof[1..]));
}

/// Sizes around full tiles of two levels, where an edge is most easily wrong.
#[test]
fn an_edge_read_back_from_its_tiles_goes_on_as_if_it_had_never_stopped() {
    let (leaves, roots, _) = grown(66_100);
    let mut edge = Edge::default();
    let mut tiles = Tiles::new();
    for (index, leaf) in leaves.iter().enumerate() {
        if [0, 1, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537, 65_792, 66_000].contains(&index) {
            tiles.extend(edge.take_changed());
            let size = index as u64;
            let wanted = Edge::tiles_of(size).into_iter().map(|at| (at, tiles[&at].clone())).collect();
            edge = Edge::of_tiles(size, &wanted).unwrap();
            assert_eq!(edge.tree().root(), roots[index], "{index}");
            assert_eq!(edge.last_leaf(), index.checked_sub(1).map(|last| &leaves[last]));
        }
        edge.append(*leaf);
    }
    assert_eq!(edge.tree().root(), roots[66_100]);
    tiles.extend(edge.take_changed());
    assert_eq!(tiles[&Coordinates { level: 2, tile: 0 }].len(), 1);
    let proof = hashes(&inclusion_runs(300, 66_100), &tiles);
    assert!(includes(&leaves[300], 300, 66_100, &proof, &roots[66_100]));
    let proof = hashes(&consistency_runs(65_793, 66_100), &tiles);
    assert!(is_consistent((65_793, &roots[65_793]), (66_100, &roots[66_100]), &proof));
}

#[test]
fn a_tile_has_one_address() {
    for (text, level, tile, hashes) in
        [("0/000", 0, 0, 256), ("1/x001/x234/067", 1, 1_234_067, 256), ("0/x001/000.p/5", 0, 1_000, 5)]
    {
        let address = TileAddress { at: Coordinates { level, tile }, hashes };
        assert_eq!(TileAddress::parse(text), Some(address), "{text}");
        assert_eq!(address.to_string(), text);
    }
    for wrong in [
        "",
        "0",
        "0/0",
        "0/x000/000",
        "0/001/000",
        "00/000",
        "0/000.p/256",
        "0/000.p/0",
        "0/000.p/05",
        "0/x001",
        "-1/000",
        "0/+01",
    ] {
        assert_eq!(TileAddress::parse(wrong), None, "{wrong}");
    }
}

#[test]
fn bytes_that_are_no_whole_hashes_are_no_tile() {
    assert_eq!(tile_hashes(&[0; 33]), None);
    assert_eq!(tile_hashes(&[0; 257 * 32]), None);
    assert_eq!(tile_hashes(&tile_bytes(&[[1; 32], [2; 32]])), Some(vec![[1; 32], [2; 32]]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn every_leaf_is_proven_and_every_size_is_consistent_with_every_later_one(size in 1_usize..600, other in 1_usize..600) {
        let (leaves, roots, tiles) = grown(size);
        prop_assert_eq!(roots[size], root_by_definition(&leaves));
        let mut tree = Tree::default();
        for leaf in &leaves {
            tree.append(*leaf, |_, _, _| {});
        }
        prop_assert_eq!(tree.root(), roots[size]);
        for index in [0, size / 3, size / 2, size - 1] {
            let proof = hashes(&inclusion_runs(index as u64, size as u64), &tiles);
            prop_assert!(includes(&leaves[index], index as u64, size as u64, &proof, &roots[size]));
        }
        let first = other.min(size);
        let proof = hashes(&consistency_runs(first as u64, size as u64), &tiles);
        prop_assert!(is_consistent((first as u64, &roots[first]), (size as u64, &roots[size]), &proof));
    }
}
