//! Names shown to people.

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use super::text_value;

/// A name in any script: NFC, 1 to 200 characters after trimming, no control characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct DisplayName(String);

const NAME_CHARS_MAX: usize = 200;

/// Why a text is not a display name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing left after trimming.
    #[error("a name has at least one character that is not a blank")]
    Empty,
    /// Longer than a screen can show.
    #[error("a name has at most {NAME_CHARS_MAX} characters")]
    TooLong,
    /// A line break or another control character.
    #[error("a name holds no control characters")]
    Control,
}

/// Whether a character turns the direction of the text around it, and is not seen itself (Unicode's `Bidi_Control`): a name that holds one may read as
/// another name, or have what stands beside it read as something else. Names of before may hold some, so they are kept, and shown without.
pub const fn turns_text(letter: char) -> bool {
    matches!(
        letter,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

impl DisplayName {
    /// Trims, normalises and checks a name.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let name: String = text.trim().nfc().collect();
        if name.is_empty() {
            return Err(TextError::Empty);
        }
        if name.chars().count() > NAME_CHARS_MAX {
            return Err(TextError::TooLong);
        }
        if name.chars().any(char::is_control) {
            return Err(TextError::Control);
        }
        Ok(Self(name))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

text_value!(DisplayName, TextError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_42_what_turns_a_text_is_told_from_letters_of_any_direction() {
        for letter in ['\u{61c}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202e}', '\u{2066}', '\u{2069}'] {
            assert!(turns_text(letter), "{letter:?}");
        }
        for letter in "aあ\u{5d0}\u{627}\u{200d}\u{2065}\u{206a}\u{2029}\u{202f}".chars() {
            assert!(!turns_text(letter), "{letter:?}");
        }
    }

    #[test]
    fn blanks_control_characters_and_novels_are_no_names() {
        assert_eq!(DisplayName::parse("  "), Err(TextError::Empty));
        assert_eq!(DisplayName::parse("a\nb"), Err(TextError::Control));
        assert_eq!(DisplayName::parse(&"あ".repeat(201)), Err(TextError::TooLong));
        assert_eq!(DisplayName::parse(" 箱根 ").unwrap().as_str(), "箱根");
    }
}
