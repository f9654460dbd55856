//! How requests to one server are written: what each says of itself in its head and in its body, which depends on the era that the server speaks.
//!
//! ```text
//! server/discover --result that names 2026-07-28--------------------> Modern
//!     |  `--error in the words of 2026-07-28, 401, 403, 408, 429, 5xx--> refused
//!     `--anything else--> Opening: initialize --a revision that we know--> Legacy
//!                                       `--an error--> refused
//! ```
//! No one error code says "legacy" (2026-07-28, versioning): whatever is no answer of a modern server is taken so.

use http::{HeaderMap, HeaderValue, header};
use serde_json::{Map, Value, json};

use crate::envelope::{META_CLIENT_CAPABILITIES, META_PROTOCOL_VERSION};
use crate::headers::{MCP_METHOD, MCP_NAME, MCP_PROTOCOL_VERSION, MCP_SESSION_ID, encode};
use crate::revision::{Era, Revision};

const META_CLIENT_INFO: &str = "io.modelcontextprotocol/clientInfo";
const MODERN: Revision = Revision::V2026_07_28;
const NEWEST_LEGACY: Revision = Revision::V2025_11_25;

/// How requests are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spoken {
    /// Each stands alone.
    Modern,
    /// A handshake under way: no revision is agreed on.
    Opening,
    /// After a handshake.
    Legacy {
        /// What was agreed on.
        revision: Revision,
        /// What the server calls this conversation, if it keeps one.
        session: Option<HeaderValue>,
    },
}

impl Spoken {
    /// The revision that requests are written in.
    pub const fn revision(&self) -> Revision {
        match self {
            Self::Modern => MODERN,
            Self::Opening => NEWEST_LEGACY,
            Self::Legacy { revision, .. } => *revision,
        }
    }

    /// What the server calls this conversation.
    pub const fn session(&self) -> Option<&HeaderValue> {
        match self {
            Self::Legacy { session, .. } => session.as_ref(),
            Self::Modern | Self::Opening => None,
        }
    }

    /// What a request of somebody of this name says about itself in its body. Nothing can be asked of them.
    #[must_use]
    pub fn with_meta(&self, name: &str, mut params: Map<String, Value>) -> Map<String, Value> {
        if let Self::Modern = self {
            let meta = params.entry("_meta").or_insert_with(|| json!({}));
            if let Value::Object(meta) = meta {
                meta.extend(own_meta(name).map(|(member, value)| (member.to_owned(), value)));
            }
        }
        params
    }

    /// What it says in its head, beside these headers. `target` is what `Mcp-Name` repeats.
    #[must_use]
    pub fn heads(&self, mut headers: HeaderMap, method: Option<&str>, target: Option<&str>) -> HeaderMap {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
        let mut put = |name, text: &str| {
            if let Ok(value) = HeaderValue::from_str(&encode(text)) {
                headers.insert(name, value);
            }
        };
        match (self, method) {
            (Self::Opening, _) | (Self::Modern, None) => {}
            (Self::Modern, Some(method)) => {
                put(MCP_PROTOCOL_VERSION, MODERN.as_str());
                put(MCP_METHOD, method);
                if let Some(target) = target {
                    put(MCP_NAME, target);
                }
            }
            (Self::Legacy { revision, session }, _) => {
                put(MCP_PROTOCOL_VERSION, revision.as_str());
                if let Some(session) = session {
                    headers.insert(MCP_SESSION_ID, session.clone());
                }
            }
        }
        headers
    }
}

/// What every modern request of somebody of this name has in its `_meta`.
pub(crate) fn own_meta(name: &str) -> [(&'static str, Value); 3] {
    [
        (META_PROTOCOL_VERSION, MODERN.as_str().into()),
        (META_CLIENT_CAPABILITIES, json!({})),
        (META_CLIENT_INFO, info(name)),
    ]
}

/// Who somebody of this name is.
pub fn info(name: &str) -> Value {
    json!({ "name": name, "version": env!("CARGO_PKG_VERSION") })
}

/// The parameters of `initialize`.
pub fn opening(name: &str) -> Map<String, Value> {
    Map::from_iter([
        ("protocolVersion".to_owned(), NEWEST_LEGACY.as_str().into()),
        ("capabilities".to_owned(), json!({})),
        ("clientInfo".to_owned(), info(name)),
    ])
}

/// The revision that the answer to `initialize` leads to, if it is one that is spoken after a handshake.
pub fn agreed(answer: &Map<String, Value>) -> Option<Revision> {
    let revision = answer.get("protocolVersion").and_then(Value::as_str).and_then(Revision::parse);
    revision.filter(|revision| revision.era() == Era::Legacy)
}

/// Whether the answer to `server/discover` names the newest revision. A server may answer this question and still not speak it: what it says that it
/// supports counts.
pub fn supports_modern(answer: &Map<String, Value>) -> bool {
    let supported = answer.get("supportedVersions").and_then(Value::as_array);
    supported.is_some_and(|versions| versions.iter().any(|version| version == MODERN.as_str()))
}
