//! Several servers behind one endpoint: under which names their tools are exposed, their lists as one, and what is rewritten of a message on its
//! way to one of them and back.
//!
//! Messages are taken apart no further than they are edited: what is not edited stays the text that it was. Absent on purpose: asking anybody.

mod answer;
mod list;
mod names;
mod request;

pub use answer::{AnswerText, answer_for};
pub use list::{Listed, MergedList, Withheld, reply};
pub use names::{EXPOSED_NAME_CHARS_MAX, Unexposable, exposed};
pub use request::{Hop, call, request};

/// `_meta` of a list: members whose tools are not in it, and why.
pub const META_MISSING: &str = "sekisho/missing";
/// `_meta` of a list: tools that are there and are not exposed, and why.
pub const META_WITHHELD: &str = "sekisho/withheld";
/// `_meta` of a list: how many those are, where not all are named.
pub const META_WITHHELD_COUNT: &str = "sekisho/withheldCount";

#[cfg(test)]
mod tests;
