//! What the suite may find fault with: `tests/conformance/exceptions.yaml`, in the suite's own form, each entry with its reason.

use std::collections::BTreeSet;
use std::path::Path;

/// The scenarios that it lists: `  - NAME # REASON`.
pub(super) fn accepted() -> BTreeSet<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/exceptions.yaml");
    let text = std::fs::read_to_string(file).expect("the list of exceptions");
    let entries = text.lines().filter_map(|line| line.trim().strip_prefix("- "));
    let reasoned = entries.map(|entry| entry.split_once(" # ").expect("an exception and its reason"));
    reasoned.map(|(scenario, _)| scenario.trim().to_owned()).collect()
}
