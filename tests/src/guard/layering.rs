//! The arrows: manifests equal the drawing, and the imports that the manifests cannot see are searched for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

pub(super) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

const OURS: [&str; 5] = ["api", "commands", "domain", "mcp", "projections"];

/// Who may import whom: the drawing in the README.
const ARROWS: [(&str, &[&str]); 5] = [
    ("domain", &[]),
    ("commands", &["domain"]),
    ("projections", &["domain"]),
    ("mcp", &[]),
    ("api", &["commands", "domain", "mcp", "projections"]),
];

/// Everything from outside that the pure crates may use. A new one is a decision, not an accident.
const PURE: [(&str, &[&str]); 2] = [
    (
        "domain",
        &[
            "cqrs-es",
            "crc32fast",
            "serde",
            "serde_json",
            "thiserror",
            "time",
            "unicode-normalization",
            "url",
            "uuid",
            "zeroize",
        ],
    ),
    ("commands", &["cqrs-es", "serde", "serde_json", "thiserror", "tracing", "uuid", "zeroize"]),
];

fn dependencies(name: &str) -> BTreeSet<String> {
    let text = std::fs::read_to_string(root().join(name).join("Cargo.toml")).expect("a manifest");
    let manifest: toml::Table = text.parse().expect("TOML");
    manifest["dependencies"].as_table().expect("dependencies").keys().cloned().collect()
}

#[test]
fn the_manifests_are_the_arrows_that_are_drawn() {
    let drawn: BTreeMap<_, BTreeSet<_>> =
        ARROWS.iter().map(|(name, to)| (*name, to.iter().map(ToString::to_string).collect())).collect();
    for name in OURS {
        let ours: BTreeSet<String> =
            dependencies(name).into_iter().filter(|to| OURS.contains(&to.as_str())).collect();
        assert_eq!(ours, drawn[name], "{name}");
    }
}

#[test]
fn the_pure_crates_depend_on_nothing_that_does_input_or_output() {
    for (name, allowed) in PURE {
        let others: BTreeSet<String> = dependencies(name)
            .into_iter()
            .filter(|to| !OURS.contains(&to.as_str()) && !allowed.contains(&to.as_str()))
            .collect();
        assert!(others.is_empty(), "{name} uses {others:?}");
    }
}

pub(super) fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn inside_api_nobody_imports_what_is_not_theirs() {
    // area, and what none of its files may name
    let forbidden: [(&str, &[&str]); 13] = [
        ("gateway", &["crate::adapters", "crate::admin", "crate::oauth", "commands::", "crate::wiring"]),
        ("admin", &["crate::adapters", "crate::gateway::Gateway", "crate::oauth", "crate::wiring"]),
        ("pages", &["crate::adapters", "crate::people", "crate::oauth", "commands::", "sqlx::"]),
        ("people", &["crate::adapters", "crate::admin", "crate::gateway", "crate::wiring"]),
        ("passwords", &["crate::adapters", "crate::admin", "crate::people", "crate::wiring"]),
        ("oauth", &["crate::adapters", "crate::admin", "crate::gateway", "crate::wiring"]),
        ("token", &["crate::adapters", "crate::admin", "crate::gateway", "crate::oauth", "crate::wiring"]),
        ("adapters", &["crate::wiring", "crate::router", "crate::cli"]),
        ("demo", &["crate::adapters", "crate::admin", "crate::gateway", "crate::wiring"]),
        ("router.rs", &["crate::adapters", "crate::wiring"]),
        ("extract.rs", &["crate::adapters", "crate::wiring"]),
        ("problem.rs", &["crate::adapters", "crate::wiring"]),
        ("random.rs", &["crate::adapters", "crate::wiring"]),
    ];
    for (area, words) in forbidden {
        let place = root().join("api/src").join(area);
        let mut files = Vec::new();
        if place.is_dir() {
            sources(&place, &mut files);
        } else {
            files.push(place);
        }
        for file in files {
            let text = std::fs::read_to_string(&file).expect("a source");
            for word in words {
                let found =
                    text.lines().find(|line| line.contains(word) && !line.trim_start().starts_with("//"));
                assert!(found.is_none(), "{} names {word}: {}", file.display(), found.unwrap_or_default());
            }
        }
    }
}

#[test]
fn no_source_file_is_too_long_to_be_read() {
    let mut files = Vec::new();
    for name in OURS {
        sources(&root().join(name).join("src"), &mut files);
    }
    for file in files {
        let lines = std::fs::read_to_string(&file).expect("a source").lines().count();
        assert!(lines <= 500, "{} has {lines} lines", file.display());
    }
}

#[test]
fn every_dependency_says_why_it_is_there() {
    let text = std::fs::read_to_string(root().join("Cargo.toml")).expect("the manifest");
    let block = text
        .split("[workspace.dependencies]")
        .nth(1)
        .and_then(|rest| rest.split("\n[").next())
        .expect("the block");
    let mut heading = false;
    for line in block.lines().filter(|line| !line.trim().is_empty()) {
        if line.starts_with('#') {
            heading = true;
            continue;
        }
        let ours = line.contains("path = ");
        assert!(ours || line.contains(" # ") || heading, "no reason given: {line}");
    }
}
