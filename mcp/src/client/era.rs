//! Which era the server speaks, and what each request says about that.

use http::{HeaderMap, HeaderValue, header};
use serde_json::{Map, Value, json};

use super::{Client, ClientError};
use crate::envelope::{META_CLIENT_CAPABILITIES, META_PROTOCOL_VERSION, Target};
use crate::headers::{MCP_METHOD, MCP_NAME, MCP_PROTOCOL_VERSION, MCP_SESSION_ID, encode};
use crate::revision::{Era, Revision};

const META_CLIENT_INFO: &str = "io.modelcontextprotocol/clientInfo";
const MODERN: Revision = Revision::V2026_07_28;
const NEWEST_LEGACY: Revision = Revision::V2025_11_25;

/// How requests are written.
#[derive(Debug, Clone)]
pub(super) enum Spoken {
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
    pub(super) const fn revision(&self) -> Revision {
        match self {
            Self::Modern => MODERN,
            Self::Opening => NEWEST_LEGACY,
            Self::Legacy { revision, .. } => *revision,
        }
    }
}

impl Client {
    /// Whether the server speaks the newest revision. A server may answer this question and still not do so: what it says that it supports counts.
    pub(super) async fn is_modern(&mut self) -> Result<bool, ClientError> {
        let answer = match self.ask("server/discover", Map::new(), &mut |_| ()).await {
            Ok(answer) => answer,
            Err(ClientError::Refused(refused)) if refused.is_final() => {
                return Err(ClientError::Refused(refused));
            }
            Err(
                ClientError::Refused(_) | ClientError::Upstream(crate::upstream::UpstreamError::BadAnswer(_)),
            ) => {
                return Ok(false);
            }
            Err(error) => return Err(error),
        };
        let supported = answer.get("supportedVersions").and_then(Value::as_array);
        Ok(supported.is_some_and(|versions| versions.iter().any(|version| version == MODERN.as_str())))
    }

    pub(super) async fn shake_hands(&mut self) -> Result<(), ClientError> {
        self.spoken = Spoken::Opening;
        let params = json!({
            "protocolVersion": NEWEST_LEGACY.as_str(),
            "capabilities": {},
            "clientInfo": self.info(),
        });
        let Value::Object(params) = params else { return Err(ClientError::NoCommonRevision) };
        let (answer, session) = self.open(params).await?;
        let agreed = answer.get("protocolVersion").and_then(Value::as_str).and_then(Revision::parse);
        let revision = agreed.filter(|revision| revision.era() == Era::Legacy);
        let revision = revision.ok_or(ClientError::NoCommonRevision)?;
        self.spoken = Spoken::Legacy { revision, session };
        self.tell(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await
    }

    fn info(&self) -> Value {
        json!({ "name": self.name, "version": env!("CARGO_PKG_VERSION") })
    }

    /// What a request says about itself in its body.
    pub(super) fn with_meta(&self, mut params: Map<String, Value>) -> Map<String, Value> {
        if let Spoken::Modern = self.spoken {
            let meta = params.entry("_meta").or_insert_with(|| json!({}));
            if let Value::Object(meta) = meta {
                meta.insert(META_PROTOCOL_VERSION.to_owned(), MODERN.as_str().into());
                meta.insert(META_CLIENT_CAPABILITIES.to_owned(), json!({}));
                meta.insert(META_CLIENT_INFO.to_owned(), self.info());
            }
        }
        params
    }

    /// What it says in its head.
    pub(super) fn heads(&self, method: Option<&str>, params: &Map<String, Value>) -> HeaderMap {
        let mut headers = self.headers.clone();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
        let mut put = |name, text: &str| {
            if let Ok(value) = HeaderValue::from_str(&encode(text)) {
                headers.insert(name, value);
            }
        };
        match (&self.spoken, method) {
            (Spoken::Opening, _) | (Spoken::Modern, None) => {}
            (Spoken::Modern, Some(method)) => {
                put(MCP_PROTOCOL_VERSION, MODERN.as_str());
                put(MCP_METHOD, method);
                let target = Target::of(method).and_then(|target| params.get(target.member())?.as_str());
                if let Some(target) = target {
                    put(MCP_NAME, target);
                }
            }
            (Spoken::Legacy { revision, session }, _) => {
                put(MCP_PROTOCOL_VERSION, revision.as_str());
                if let Some(session) = session {
                    headers.insert(MCP_SESSION_ID, session.clone());
                }
            }
        }
        headers
    }
}
