//! The standard headers against the body (SEP-2243): present on modern requests, single and truthful on all.
//!
//! A legacy request need not carry them, but one that does must not lie: whatever stands behind the upstream's
//! front door may route by them. `Mcp-Param-*` cannot be checked without the tool's schema; the upstream, which has
//! it, must (SEP-2243), so they are only held to one line each.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::{
    HeaderError, LAST_EVENT_ID, MCP_METHOD, MCP_NAME, MCP_PARAM_PREFIX, MCP_PROTOCOL_VERSION, MCP_SESSION_ID,
};
use crate::envelope::{META_CLIENT_CAPABILITIES, META_PROTOCOL_VERSION, Message, MessageKind};
use crate::revision::{Era, Revision};

/// What the request says about itself, once its headers agree with its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stated {
    /// The era that its rules come from.
    pub era: Era,
    /// The revision; a legacy `initialize`, and clients up to 2025-03-26, name none in a header.
    pub revision: Option<Revision>,
}

/// Headers that may have one line. `Accept` may have several (RFC 9110, section 5.3).
const SINGLE: [HeaderName; 6] =
    [MCP_PROTOCOL_VERSION, MCP_METHOD, MCP_NAME, MCP_SESSION_ID, LAST_EVENT_ID, header::CONTENT_TYPE];

/// Methods whose modern requests must repeat their target in `Mcp-Name`.
const NAMED: [&str; 6] =
    ["tools/call", "prompts/get", "resources/read", "tasks/get", "tasks/update", "tasks/cancel"];

/// Methods that 2026-07-28 took away. Whatever an upstream makes of one, in this form it does not exist.
const REMOVED: [&str; 6] = [
    "initialize",
    "ping",
    "logging/setLevel",
    "resources/subscribe",
    "resources/unsubscribe",
    "tasks/result",
];

/// Checks the headers of a POST against its message, and a modern request for what it must state.
pub fn check_message(
    headers: &HeaderMap,
    message: &Message,
    supported: &[Revision],
) -> Result<Stated, HeaderError> {
    refuse_duplicates(headers)?;
    let stated = version(headers, message.protocol_version(), supported)?;
    let must = stated.era == Era::Modern && matches!(message.kind(), MessageKind::Request { .. });
    if must && message.protocol_version().is_none() {
        return Err(HeaderError::MetaMissing(META_PROTOCOL_VERSION));
    }
    check_mirror(headers, &MCP_METHOD, message.method(), must)?;
    if let Some(target) = message.target() {
        let must = must && message.method().is_some_and(|method| NAMED.contains(&method));
        check_mirror(headers, &MCP_NAME, Some(target), must)?;
    }
    if must && !message.states_capabilities() {
        return Err(HeaderError::MetaMissing(META_CLIENT_CAPABILITIES));
    }
    if must && message.method().is_some_and(|method| REMOVED.contains(&method)) {
        return Err(HeaderError::MethodRemoved);
    }
    Ok(stated)
}

/// Checks the headers of a GET or DELETE, which have no body to agree with.
pub fn check_bodiless(headers: &HeaderMap, supported: &[Revision]) -> Result<Stated, HeaderError> {
    refuse_duplicates(headers)?;
    version(headers, None, supported)
}

fn refuse_duplicates(headers: &HeaderMap) -> Result<(), HeaderError> {
    if headers.len() == headers.keys_len() {
        return Ok(()); // the common case: no name at all stands there twice
    }
    let params = headers.keys().filter(|name| name.as_str().starts_with(MCP_PARAM_PREFIX));
    let twice = |name: &&HeaderName| headers.get_all(*name).iter().nth(1).is_some();
    SINGLE.iter().chain(params).find(twice).map_or(Ok(()), |name| Err(HeaderError::Duplicate(name.clone())))
}

/// The era follows the `_meta` of the body; the header must repeat it, and stands alone on legacy requests.
fn version(headers: &HeaderMap, meta: Option<&str>, supported: &[Revision]) -> Result<Stated, HeaderError> {
    let named =
        headers.get(MCP_PROTOCOL_VERSION).map(|value| text(&MCP_PROTOCOL_VERSION, value)).transpose()?;
    let named = match (named, meta) {
        (None, None) => return Ok(Stated { era: Era::Legacy, revision: None }),
        (None, Some(_)) => return Err(HeaderError::Missing(MCP_PROTOCOL_VERSION)),
        (Some(named), Some(meta)) if named != meta => {
            return Err(HeaderError::Mismatch(MCP_PROTOCOL_VERSION));
        }
        (Some(named), _) => named,
    };
    let revision = Revision::parse(named);
    if let Some(revision) = revision.filter(|revision| supported.contains(revision)) {
        return Ok(Stated { era: revision.era(), revision: Some(revision) });
    }
    if meta.is_some() || revision.map(Revision::era) == Some(Era::Modern) {
        return Err(HeaderError::UnsupportedVersion {
            requested: named.into(),
            supported: supported.iter().copied().filter(|revision| revision.era() == Era::Modern).collect(),
        });
    }
    Err(HeaderError::UnsupportedLegacyVersion)
}

fn check_mirror(
    headers: &HeaderMap,
    name: &HeaderName,
    body: Option<&str>,
    must: bool,
) -> Result<(), HeaderError> {
    let Some(value) = headers.get(name) else {
        return if must { Err(HeaderError::Missing(name.clone())) } else { Ok(()) };
    };
    let value = decode(text(name, value)?).ok_or_else(|| HeaderError::Malformed(name.clone()))?;
    if Some(&*value) == body { Ok(()) } else { Err(HeaderError::Mismatch(name.clone())) }
}

fn text<'a>(name: &HeaderName, value: &'a HeaderValue) -> Result<&'a str, HeaderError> {
    let text = value.to_str().map_err(|_| HeaderError::Malformed(name.clone()))?;
    Ok(text.trim_matches([' ', '\t']))
}

/// Undoes `=?base64?...?=`, the form for values that are not plain visible ASCII. The sentinel is lower-case.
fn decode(value: &str) -> Option<Cow<'_, str>> {
    let Some(encoded) = value.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?=")) else {
        return Some(Cow::Borrowed(value));
    };
    String::from_utf8(STANDARD.decode(encoded).ok()?).ok().map(Cow::Owned)
}
