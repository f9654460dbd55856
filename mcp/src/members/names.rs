//! Names of tools of several servers: `{member}__{tool}`.
//!
//! The length is that of the strictest client that is known (1 to 64 of `[A-Za-z0-9_-]`); a tool that has no such name is not exposed under another,
//! or nobody could say what a permission is about.

use thiserror::Error;

/// The longest name that every client takes.
pub const EXPOSED_NAME_CHARS_MAX: usize = 64;

/// Why a tool of a member is not exposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unexposable {
    /// With its member in front.
    #[error("its name would be longer than {EXPOSED_NAME_CHARS_MAX} characters")]
    TooLong,
    /// Others than `[A-Za-z0-9_-]`.
    #[error("its name has characters that not every client takes")]
    Characters,
    /// Its member lists it twice.
    #[error("its name is there more than once")]
    Twice,
}

impl Unexposable {
    /// The stable word.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::TooLong => "name-too-long",
            Self::Characters => "name-characters",
            Self::Twice => "name-twice",
        }
    }
}

/// The name under which a member's tool is exposed. The name of a member holds no underscore.
pub fn exposed(member: &str, tool: &str) -> Result<String, Unexposable> {
    let takes = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if tool.is_empty() || !tool.bytes().all(takes) {
        return Err(Unexposable::Characters);
    }
    let name = format!("{member}__{tool}");
    if name.len() > EXPOSED_NAME_CHARS_MAX { Err(Unexposable::TooLong) } else { Ok(name) }
}
