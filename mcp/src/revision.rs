//! Protocol revisions by their date, and the two eras that they fall into.
//!
//! Up to 2025-11-25 a connection opens with `initialize` and may hold a session (legacy); since 2026-07-28 each
//! request stands alone and names its revision in `params._meta` (modern).

use std::fmt;

/// How a revision opens a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Era {
    /// `initialize` handshake, optional session.
    Legacy,
    /// Stateless requests that carry their own metadata.
    Modern,
}

/// A published revision of the protocol. The order is the order of publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Revision {
    /// HTTP+SSE with two endpoints.
    V2024_11_05,
    /// Streamable HTTP, with batches.
    V2025_03_26,
    /// Batches removed, `MCP-Protocol-Version` added.
    V2025_06_18,
    /// Resumable polling streams, experimental tasks.
    V2025_11_25,
    /// Stateless requests, mirrored headers, no server-to-client requests.
    V2026_07_28,
}

impl Revision {
    /// Every revision, oldest first.
    pub const ALL: [Self; 5] =
        [Self::V2024_11_05, Self::V2025_03_26, Self::V2025_06_18, Self::V2025_11_25, Self::V2026_07_28];

    /// Reads the wire form; anything but the exact date is none of ours.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|revision| revision.as_str() == text)
    }

    /// The wire form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2024_11_05 => "2024-11-05",
            Self::V2025_03_26 => "2025-03-26",
            Self::V2025_06_18 => "2025-06-18",
            Self::V2025_11_25 => "2025-11-25",
            Self::V2026_07_28 => "2026-07-28",
        }
    }

    /// The era of this revision.
    pub const fn era(self) -> Era {
        match self {
            Self::V2024_11_05 | Self::V2025_03_26 | Self::V2025_06_18 | Self::V2025_11_25 => Era::Legacy,
            Self::V2026_07_28 => Era::Modern,
        }
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_that_was_never_published_is_no_revision() {
        for text in ["", "2026-07-29", " 2026-07-28", "2026-07-28 ", "2026-7-28", "DRAFT-2026"] {
            assert_eq!(Revision::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn every_revision_reads_back_from_its_wire_form_and_only_the_newest_is_modern() {
        for revision in Revision::ALL {
            assert_eq!(Revision::parse(revision.as_str()), Some(revision));
            assert_eq!(revision.era() == Era::Modern, revision == Revision::V2026_07_28);
        }
    }
}
