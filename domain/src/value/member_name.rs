//! What a member of an instance is called: the first part of the names under which its tools are exposed.

use serde::{Deserialize, Serialize};

use super::text_value;

/// 1 to 24 of `[a-z0-9-]`, no dash first. Without an underscore, so that in `{member}__{tool}` the first two underscores are where it ends, whatever the
/// tool is called.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct MemberName(String);

const MEMBER_NAME_CHARS_MAX: usize = 24;
/// What one is called that is like nothing that can be written so.
const NAMELESS: &str = "server";

/// Why a text is not the name of a member.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the name of a member has 1 to {MEMBER_NAME_CHARS_MAX} of a-z, 0-9 and -, and does not begin with -")]
pub struct MemberNameError;

impl MemberName {
    /// Checks a name; nothing is silently changed.
    pub fn parse(text: &str) -> Result<Self, MemberNameError> {
        let alphabet = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let length = (1..=MEMBER_NAME_CHARS_MAX).contains(&text.len());
        if !length || text.starts_with('-') || !text.bytes().all(alphabet) {
            return Err(MemberNameError);
        }
        Ok(Self(text.to_owned()))
    }

    /// The name that is most like a text: its ASCII letters and digits, with a dash for whatever lies between them.
    pub fn like(text: &str) -> Self {
        let words =
            text.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        let joined = words.collect::<Vec<_>>().join("-").to_ascii_lowercase();
        let cut = joined.get(..joined.len().min(MEMBER_NAME_CHARS_MAX)).unwrap_or_default();
        let name = cut.trim_end_matches('-');
        Self(if name.is_empty() { NAMELESS } else { name }.to_owned())
    }

    /// The same with a number behind it.
    #[must_use]
    pub fn numbered(&self, number: usize) -> Self {
        let ending = format!("-{number}");
        let room = MEMBER_NAME_CHARS_MAX.saturating_sub(ending.len());
        let start = self.0.get(..self.0.len().min(room)).unwrap_or_default();
        Self(format!("{}{ending}", start.trim_end_matches('-')))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

text_value!(MemberName, MemberNameError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_told_from_a_tool_is_no_name() {
        for text in ["", "-a", "a_b", "Wiki", "a b", "ä", "a__b", &"a".repeat(25)] {
            assert_eq!(MemberName::parse(text), Err(MemberNameError), "{text}");
        }
        assert!(
            ["a", "0", "wiki-2", "a--", &"a".repeat(24)]
                .into_iter()
                .all(|text| MemberName::parse(text).is_ok())
        );
    }

    #[test]
    fn whatever_a_server_is_called_there_is_a_name_like_it() {
        for (text, name) in [
            ("Wiki", "wiki"),
            ("  Acme: Ticket_Search (EU) ", "acme-ticket-search-eu"),
            ("箱根", "server"),
            ("--", "server"),
            ("An exceedingly long name of a server", "an-exceedingly-long-name"),
            ("abcdefghijklmnopqrstuvw xyz", "abcdefghijklmnopqrstuvw"),
        ] {
            assert_eq!(MemberName::like(text).as_str(), name);
            assert!(MemberName::parse(name).is_ok());
        }
    }

    #[test]
    fn a_number_finds_room_behind_a_long_name() {
        assert_eq!(MemberName::like("wiki").numbered(2).as_str(), "wiki-2");
        let long = MemberName::parse(&"a".repeat(24)).unwrap().numbered(32);
        assert_eq!(long.as_str(), format!("{}-32", "a".repeat(21)));
        assert!(MemberName::parse(long.as_str()).is_ok());
    }
}
