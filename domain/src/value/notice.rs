//! Announcements: longer text for people.

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use super::text_value;

/// Plain text in any script: NFC, 1 to 2,000 characters after trimming, line breaks allowed, no other control characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct Notice(String);

const NOTICE_CHARS_MAX: usize = 2_000;

/// Why a text is not a notice.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoticeError {
    /// Nothing left after trimming.
    #[error("a notice has at least one character that is not a blank")]
    Empty,
    /// Longer than people read.
    #[error("a notice has at most {NOTICE_CHARS_MAX} characters")]
    TooLong,
    /// A control character other than the line break.
    #[error("a notice holds no control characters other than line breaks")]
    Control,
}

impl Notice {
    /// Trims, normalises and checks a notice; CR LF becomes LF.
    pub fn parse(text: &str) -> Result<Self, NoticeError> {
        let notice: String = text.trim().replace("\r\n", "\n").nfc().collect();
        if notice.is_empty() {
            return Err(NoticeError::Empty);
        }
        if notice.chars().count() > NOTICE_CHARS_MAX {
            return Err(NoticeError::TooLong);
        }
        if notice.chars().any(|c| c.is_control() && c != '\n') {
            return Err(NoticeError::Control);
        }
        Ok(Self(notice))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

text_value!(Notice, NoticeError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_control_characters_and_novels_are_no_notices() {
        assert_eq!(Notice::parse(" \n "), Err(NoticeError::Empty));
        assert_eq!(Notice::parse("bell\u{7}"), Err(NoticeError::Control));
        assert_eq!(Notice::parse(&"あ".repeat(2_001)), Err(NoticeError::TooLong));
    }

    #[test]
    fn lines_are_kept() {
        assert_eq!(Notice::parse(" 本日\r\n保守 ").unwrap().as_str(), "本日\n保守");
    }
}
