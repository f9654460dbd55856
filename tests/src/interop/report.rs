//! What a client saw while it played a scenario.

use serde_json::Value;

/// Members of a result that belong to the hop, not to the payload: the result kind and the cache hints, which the gateway
/// states for its own caller (2026-07-28, SEP-2549), and the `_meta` of the protocol itself, which each hop writes anew.
const HOP_MEMBERS: [&str; 3] = ["resultType", "ttlMs", "cacheScope"];
const HOP_META_PREFIX: &str = "io.modelcontextprotocol/";

/// The one JSON line of a client: its revision, and what it saw.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) revision: String,
    saw: Value,
}

impl Report {
    pub(super) fn new(revision: &str, saw: Value) -> Self {
        Self { revision: revision.to_owned(), saw }
    }

    pub(super) fn parse(line: &str) -> Option<Self> {
        let mut report: Value = serde_json::from_str(line).ok()?;
        let revision = report.get("revision")?.as_str()?.to_owned();
        Some(Self { revision, saw: report.get_mut("saw")?.take() })
    }

    /// Everything the client saw, without what belongs to the hop.
    pub(super) fn payload(&self) -> Value {
        let mut saw = self.saw.clone();
        for list in ["calls", "read", "prompted"] {
            let outcomes = saw.get_mut(list).and_then(Value::as_array_mut);
            outcomes.into_iter().flatten().for_each(strip_hop);
        }
        if let Some(witness) = saw.pointer_mut("/cancel/witness") {
            strip_hop(witness);
        }
        saw
    }

    pub(super) fn tool_names(&self) -> Vec<&str> {
        let tools = self.saw["tools"].as_array().expect("a list of tools");
        tools.iter().map(|tool| tool["name"].as_str().expect("a name")).collect()
    }

    /// The outcome of the call at this place of the scenario: `result` or `error`, and the `progress` before it.
    pub(super) fn call(&self, index: usize) -> &Value {
        &self.saw["calls"][index]
    }

    pub(super) fn texts(&self, index: usize) -> Vec<&str> {
        let content = self.call(index)["result"]["content"].as_array().expect("a result with content");
        content.iter().filter_map(|block| block["text"].as_str()).collect()
    }

    /// What the tool that waits for the cancellation said.
    pub(super) fn cancellation_witness(&self) -> &Value {
        assert_eq!(self.saw["cancel"]["cancelled"], true, "the client gave up its call");
        &self.saw["cancel"]["witness"]["result"]
    }
}

fn strip_hop(outcome: &mut Value) {
    let Some(result) = outcome.get_mut("result").and_then(Value::as_object_mut) else { return };
    for member in HOP_MEMBERS {
        result.remove(member);
    }
    let Some(meta) = result.get_mut("_meta").and_then(Value::as_object_mut) else { return };
    meta.retain(|key, _| !key.starts_with(HOP_META_PREFIX));
    if meta.is_empty() {
        result.remove("_meta");
    }
}
