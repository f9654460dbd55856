//! Lists of tools, or of prompts, of several servers as one.

use std::collections::HashSet;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::names::{Unexposable, exposed};
use crate::envelope::RequestId;
use crate::revision::Era;
use crate::tools::{ToolSummary, ToolsError, read_list};

/// How many of what is withheld are named; of more, their number is.
const WITHHELD_MAX: usize = 100;
/// Of a name that is withheld, so much is told.
const TOLD_CHARS_MAX: usize = 128;

/// What is there and is not exposed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withheld {
    /// Whose it is.
    pub member: String,
    /// What its server calls it.
    pub name: String,
    /// Why.
    pub why: Unexposable,
}

/// What is listed under names that lead to a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listed {
    /// `tools/list`.
    Tools,
    /// `prompts/list`.
    Prompts,
}

impl Listed {
    /// The method that asks for it.
    pub const fn method(self) -> &'static str {
        match self {
            Self::Tools => "tools/list",
            Self::Prompts => "prompts/list",
        }
    }

    /// The member of the result that holds it.
    const fn member(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Prompts => "prompts",
        }
    }

    /// What one of it is called in reports.
    const fn one(self) -> &'static str {
        match self {
            Self::Tools => "tool",
            Self::Prompts => "prompt",
        }
    }
}

/// The tools of several servers, or their prompts, under the names by which they can be asked for.
#[derive(Debug)]
pub struct MergedList {
    listed: Listed,
    /// The JSON texts of all, with commas between.
    items: String,
    names: HashSet<String>,
    withheld: Vec<Withheld>,
    withheld_count: usize,
    /// How long all of it holds: as long as what holds for the shortest time.
    ttl_ms: Option<u64>,
}

impl MergedList {
    /// Nothing yet.
    pub fn new(listed: Listed) -> Self {
        let (items, names, withheld) = (String::new(), HashSet::new(), Vec::new());
        Self { listed, items, names, withheld, withheld_count: 0, ttl_ms: None }
    }

    /// Adds one page of a member's list, which stays in its order. `keep` is asked about each under its exposed name, also about one that is
    /// withheld, which is reported if it says yes. Tells where the member's next page begins.
    pub fn add(
        &mut self,
        member: &str,
        answer: &Bytes,
        mut keep: impl FnMut(&str, &ToolSummary<'_>) -> bool,
    ) -> Result<Option<String>, ToolsError> {
        let text = std::str::from_utf8(answer).map_err(|_| ToolsError::NotJson)?;
        let page = read_list(text, self.listed.member())?;
        for tool in page.tools() {
            let summary = tool.summary();
            let name = exposed(member, &summary.name)
                .and_then(|name| if self.names.contains(&name) { Err(Unexposable::Twice) } else { Ok(name) });
            match name {
                Ok(name) => {
                    if keep(&name, summary) {
                        if !self.items.is_empty() {
                            self.items.push(',');
                        }
                        self.items.push_str(&tool.named(&name));
                        self.names.insert(name);
                    }
                }
                Err(why) => {
                    if keep(&format!("{member}__{}", summary.name), summary) {
                        self.withhold(member, &summary.name, why);
                    }
                }
            }
        }
        let ttl_ms = page.ttl_ms().unwrap_or(0); // who does not say promises nothing
        self.ttl_ms = Some(self.ttl_ms.map_or(ttl_ms, |so_far| so_far.min(ttl_ms)));
        Ok(page.next_cursor())
    }

    fn withhold(&mut self, member: &str, name: &str, why: Unexposable) {
        self.withheld_count += 1;
        if self.withheld.len() < WITHHELD_MAX {
            let name = name.chars().take(TOLD_CHARS_MAX).collect();
            self.withheld.push(Withheld { member: member.to_owned(), name, why });
        }
    }

    /// How many bytes it is.
    pub const fn bytes(&self) -> usize {
        self.items.len()
    }

    /// What is there and is not exposed: the first of them.
    pub fn withheld(&self) -> &[Withheld] {
        &self.withheld
    }

    /// How many are not exposed in all.
    pub const fn withheld_count(&self) -> usize {
        self.withheld_count
    }

    /// The answer. It was made for one caller, so it is nobody else's to keep; where a member is missing, it does not hold for long either.
    pub fn answer(
        self,
        id: &RequestId,
        era: Era,
        next_cursor: Option<String>,
        missing: &[(String, &'static str)],
    ) -> Bytes {
        let mut rest = Map::new();
        rest.extend(next_cursor.map(|cursor| ("nextCursor".to_owned(), cursor.into())));
        if era == Era::Modern {
            let ttl_ms = if missing.is_empty() { self.ttl_ms.unwrap_or(0) } else { 0 };
            rest.insert("resultType".to_owned(), "complete".into());
            rest.insert("ttlMs".to_owned(), ttl_ms.into());
            rest.insert("cacheScope".to_owned(), "private".into());
        }
        let meta = self.meta(missing);
        if !meta.is_empty() {
            rest.insert("_meta".to_owned(), meta.into());
        }
        let rest = Value::Object(rest).to_string();
        let rest = rest.strip_prefix('{').filter(|rest| *rest != "}");
        let (list, items, comma) =
            (self.listed.member(), &self.items, if rest.is_some() { "," } else { "}" });
        reply(id, &format!("{{\"{list}\":[{items}]{comma}{}", rest.unwrap_or_default()))
    }

    fn meta(&self, missing: &[(String, &'static str)]) -> Map<String, Value> {
        let mut meta = Map::new();
        if !missing.is_empty() {
            let told = missing.iter().map(|(member, reason)| json!({ "member": member, "reason": reason }));
            meta.insert(super::META_MISSING.to_owned(), told.collect());
        }
        if !self.withheld.is_empty() {
            let told = self.withheld.iter().map(|withheld| {
                let (one, name) = (self.listed.one(), &withheld.name);
                json!({ "member": withheld.member, one: name, "reason": withheld.why.reason() })
            });
            meta.insert(super::META_WITHHELD.to_owned(), told.collect());
            if self.withheld_count > self.withheld.len() {
                meta.insert(super::META_WITHHELD_COUNT.to_owned(), self.withheld_count.into());
            }
        }
        meta
    }
}

/// A result as the answer to a request. `result` is a JSON text.
pub fn reply(id: &RequestId, result: &str) -> Bytes {
    Bytes::from(format!(r#"{{"jsonrpc":"2.0","id":{},"result":{result}}}"#, id.as_json()))
}
