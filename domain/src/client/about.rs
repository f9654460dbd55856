//! What a client that registered itself says of itself (RFC 7591, 2; OpenID Connect Registration 1.0, 2). No rule reads it; it is told to its client.
//!
//! Deliberately absent: `contacts`, which are addresses of people, and a log cannot forget.

use serde::{Deserialize, Serialize};

use crate::value::{DisplayName, WebUrl};

/// Where a client runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ApplicationType {
    /// On a server, or in a page of one.
    Web,
    /// On the computer of its user.
    Native,
}

impl ApplicationType {
    /// The name in OAuth: `application_type`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Native => "native",
        }
    }
}

/// What it says. Its pages are never fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ClientAbout {
    /// Where it runs.
    pub application_type: ApplicationType,
    /// Its page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_uri: Option<WebUrl>,
    /// Its picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo_uri: Option<WebUrl>,
    /// Its terms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tos_uri: Option<WebUrl>,
    /// What it does with what it learns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_uri: Option<WebUrl>,
    /// Of which program it is a copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software_id: Option<DisplayName>,
    /// Of which version of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software_version: Option<DisplayName>,
}
