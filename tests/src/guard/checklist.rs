//! Every rule and every attack of `docs/oauth.md` has a test that bears its number: `item_09_…`, `attack_20_…`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::layering::{root, sources};

/// Where tests are.
const CRATES: [&str; 6] = ["domain", "commands", "projections", "mcp", "api", "tests"];

/// A number of the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Named {
    Item(u8),
    Attack(u8),
}

/// Those that wait, and for what.
const WAITING: [(Named, &str); 6] = [
    (Named::Item(55), "DPoP is not offered"),
    (Named::Item(56), "DPoP is not offered"),
    (Named::Item(57), "pushed authorization requests are not offered"),
    (Named::Item(58), "token exchange is not offered"),
    (Named::Attack(16), "token exchange is not offered"),
    (Named::Attack(33), "there are no invitations yet"),
];

/// The numbers of one table of the document.
fn numbers(document: &str, heading: &str) -> Vec<u8> {
    let table =
        document.split(heading).nth(1).and_then(|rest| rest.split("\n## ").next()).expect("the table");
    let rows = table.lines().filter_map(|line| line.strip_prefix("| "));
    rows.filter_map(|row| row.split(" |").next()?.parse().ok()).collect()
}

/// The numbers at the head of a test's name: as many as there are.
fn named(mut name: &str) -> BTreeSet<Named> {
    let mut found = BTreeSet::new();
    loop {
        let (kind, rest): (fn(u8) -> Named, _) =
            match (name.strip_prefix("item_"), name.strip_prefix("attack_")) {
                (Some(rest), _) => (Named::Item, rest),
                (None, Some(rest)) => (Named::Attack, rest),
                (None, None) => return found,
            };
        let (number, rest) = rest.split_once('_').unwrap_or((rest, ""));
        assert_eq!(number.len(), 2, "two digits and what it shows, as in item_09_a_code_runs_out: {name}");
        found.insert(kind(number.parse().unwrap_or_else(|_| panic!("no number: {name}"))));
        name = rest;
    }
}

/// What each test of ours names; a function that is no test names nothing.
fn tests() -> BTreeMap<Named, String> {
    let mut found = BTreeMap::new();
    for crate_ in CRATES {
        let mut files = Vec::new();
        sources(&root().join(crate_).join("src"), &mut files);
        for file in files {
            of_file(&file, &mut found);
        }
    }
    found
}

fn of_file(file: &Path, found: &mut BTreeMap<Named, String>) {
    let text = std::fs::read_to_string(file).expect("a source");
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        is_test |= matches!(line, "#[test]" | "#[tokio::test]") || line.starts_with("#[tokio::test(");
        let name = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ");
        let Some(name) = name.and_then(|rest| rest.split('(').next()) else { continue };
        let numbers = named(name);
        assert!(is_test || numbers.is_empty(), "{name} is no test and bears a number");
        found.extend(numbers.into_iter().map(|number| (number, name.to_owned())));
        is_test = false;
    }
}

#[test]
fn every_item_and_every_attack_has_a_test_that_bears_its_number() {
    let document = std::fs::read_to_string(root().join("docs/oauth.md")).expect("the document");
    let (items, attacks) = (numbers(&document, "\n## Rules"), numbers(&document, "\n## Attacks"));
    assert!(items.iter().copied().eq(1..=65), "{items:?}");
    assert!(attacks.iter().copied().eq(1..=50), "{attacks:?}");
    let all: BTreeSet<Named> =
        items.into_iter().map(Named::Item).chain(attacks.into_iter().map(Named::Attack)).collect();
    let (shown, waiting) = (tests(), WAITING.into_iter().map(|(number, _)| number).collect::<BTreeSet<_>>());
    let unknown: Vec<_> = shown.iter().filter(|(number, _)| !all.contains(number)).collect();
    assert!(unknown.is_empty(), "numbers that the document does not have: {unknown:?}");
    let missing: Vec<_> =
        all.iter().filter(|number| !shown.contains_key(number) && !waiting.contains(number)).collect();
    assert!(missing.is_empty(), "no test bears these numbers: {missing:?}");
    let over: Vec<_> = shown.iter().filter(|(number, _)| waiting.contains(number)).collect();
    assert!(over.is_empty(), "these wait no longer, so take them off the list of those that do: {over:?}");
}

#[test]
fn every_test_says_its_numbers_in_the_one_way() {
    for (text, numbers) in [
        ("item_09_a_code_runs_out", vec![Named::Item(9)]),
        ("item_33_attack_18_a_token", vec![Named::Item(33), Named::Attack(18)]),
        ("an_item_09_in_the_middle", vec![]),
    ] {
        assert_eq!(named(text), numbers.into_iter().collect(), "{text}");
    }
}
