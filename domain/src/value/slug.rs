//! Slugs: the readable name of an organization in addresses.

use serde::{Deserialize, Serialize};

use super::text_value;

/// `name` for a team, `@name` for a personal organization; 2 to 39 of `[a-z0-9-]`, no dash at an end, no double dash.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct Slug(String);

const SLUG_CHARS_MIN: usize = 2;
const SLUG_CHARS_MAX: usize = 39;

/// Names that would shadow an address of the product.
const RESERVED: [&str; 12] = [
    "admin",
    "api",
    "console",
    "docs",
    "healthz",
    "mcp",
    "me",
    "metrics",
    "new",
    "readyz",
    "v1",
    "well-known",
];

/// Why a text is not a slug.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SlugError {
    /// Wrong length.
    #[error("a slug has {SLUG_CHARS_MIN} to {SLUG_CHARS_MAX} characters")]
    Length,
    /// A character outside the alphabet, or a dash where none may stand.
    #[error("a slug holds a-z, 0-9 and single dashes inside, such as acme-tools")]
    Character,
    /// Would shadow an address of the product.
    #[error("this slug is reserved")]
    Reserved,
}

impl Slug {
    /// Reads a slug; nothing is silently changed.
    pub fn parse(text: &str) -> Result<Self, SlugError> {
        let name = text.strip_prefix('@').unwrap_or(text);
        if !(SLUG_CHARS_MIN..=SLUG_CHARS_MAX).contains(&name.chars().count()) {
            return Err(SlugError::Length);
        }
        let alphabet = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !name.chars().all(alphabet) || name.starts_with('-') || name.ends_with('-') || name.contains("--")
        {
            return Err(SlugError::Character);
        }
        if RESERVED.contains(&name) {
            return Err(SlugError::Reserved);
        }
        Ok(Self(text.to_owned()))
    }

    /// The text, with its `@` when personal.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the slug of a personal organization.
    pub fn is_personal(&self) -> bool {
        self.0.starts_with('@')
    }
}

text_value!(Slug, SlugError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_slug_is_refused_by_reason() {
        assert_eq!(Slug::parse("a"), Err(SlugError::Length));
        assert_eq!(Slug::parse("Acme"), Err(SlugError::Character));
        assert_eq!(Slug::parse("-acme"), Err(SlugError::Character));
        assert_eq!(Slug::parse("ac--me"), Err(SlugError::Character));
        assert_eq!(Slug::parse("mcp"), Err(SlugError::Reserved));
    }

    #[test]
    fn the_at_sign_marks_a_personal_organization() {
        assert!(Slug::parse("@mika").unwrap().is_personal());
        assert!(!Slug::parse("acme-2").unwrap().is_personal());
    }
}
