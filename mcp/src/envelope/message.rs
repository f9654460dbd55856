//! One message: its bytes as they came, and what was read from them.

use std::ops::Range;

use bytes::Bytes;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::params::{Params, Slot, looks_like};
use super::{EnvelopeError, RequestId, Target, depth};
use crate::json;

/// A message that can be carried on. Holds the bytes that came; nothing is ever written back from the parts.
#[derive(Debug, Clone)]
pub struct Message {
    bytes: Bytes,
    kind: MessageKind,
    call: Option<Call>,
}

/// The three kinds of JSON-RPC message.
#[derive(Debug, Clone, PartialEq)]
pub enum MessageKind {
    /// Wants an answer under this id.
    Request {
        /// The id, as it was sent.
        id: RequestId,
    },
    /// Wants none.
    Notification,
    /// Is an answer. Only an error may lack the id, when the request could not be read.
    Response {
        /// The request that it answers.
        id: Option<RequestId>,
        /// Whether it went well.
        outcome: Outcome,
    },
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// `result`.
    Result,
    /// `error`.
    Error,
}

#[derive(Debug, Clone)]
struct Call {
    method: Box<str>,
    params: Params,
    /// Where `params.arguments` stands in the message.
    arguments: Option<Range<usize>>,
}

const MEMBERS: [&str; 6] = ["jsonrpc", "id", "method", "params", "result", "error"];

impl Message {
    /// Reads the envelope. The caller has already held the size to [`super::MCP_REQUEST_BYTES_MAX`].
    pub fn parse(bytes: Bytes) -> Result<Self, EnvelopeError> {
        let text = std::str::from_utf8(&bytes).map_err(|_| EnvelopeError::NotUtf8)?;
        if depth::is_too_deep(text.as_bytes()) {
            return Err(EnvelopeError::TooDeep);
        }
        let (kind, call) = Members::read(text)?.judge(text)?;
        Ok(Self { bytes, kind, call })
    }

    /// The id of a request that could not be read otherwise, so that its refusal can name it: there, once, and of a type that an id may have.
    pub fn readable_id(bytes: &[u8]) -> Option<RequestId> {
        let mut id = Slot::EMPTY;
        let text = std::str::from_utf8(bytes).ok()?;
        json::for_each_member(text, |key, value| {
            if key == "id" {
                id.put(value);
            }
        })
        .ok()?;
        RequestId::parse(id.single("id").ok()??.get())
    }

    /// The message as it came.
    pub const fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The message as it came, without a copy.
    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }

    /// What kind of message it is.
    pub const fn kind(&self) -> &MessageKind {
        &self.kind
    }

    /// The id of a request or of a response.
    pub const fn id(&self) -> Option<&RequestId> {
        match &self.kind {
            MessageKind::Request { id } => Some(id),
            MessageKind::Notification => None,
            MessageKind::Response { id, .. } => id.as_ref(),
        }
    }

    /// The method of a request or notification.
    pub fn method(&self) -> Option<&str> {
        self.call.as_ref().map(|call| &*call.method)
    }

    /// The tool that a `tools/call` names, in the body. Present for a notification too: a careless server may run it,
    /// so it must pass the same decision.
    pub fn tool_name(&self) -> Option<&str> {
        let call = self.call.as_ref()?;
        if &*call.method == "tools/call" { call.params.name.as_deref() } else { None }
    }

    /// The target of the methods that have one, from the body; what `Mcp-Name` must repeat.
    pub fn target(&self) -> Option<&str> {
        let call = self.call.as_ref()?;
        call.params.target(Target::of(&call.method)?)
    }

    /// `params.arguments` as it came.
    pub fn arguments(&self) -> Option<Bytes> {
        self.call.as_ref()?.arguments.clone().map(|range| self.bytes.slice(range))
    }

    /// `params.name`, when it is a string.
    pub fn name(&self) -> Option<&str> {
        self.call.as_ref()?.params.name.as_deref()
    }

    /// `params.uri`, when it is a string.
    pub fn uri(&self) -> Option<&str> {
        self.call.as_ref()?.params.uri.as_deref()
    }

    /// `params.taskId`, when it is a string.
    pub fn task_id(&self) -> Option<&str> {
        self.call.as_ref()?.params.task_id.as_deref()
    }

    /// The revision that a modern request names in its `_meta`; its presence is what makes the request modern.
    pub fn protocol_version(&self) -> Option<&str> {
        self.call.as_ref()?.params.protocol_version.as_deref()
    }

    /// Whether its `_meta` has the capabilities of the client, which a modern request must state.
    pub fn states_capabilities(&self) -> bool {
        self.call.as_ref().is_some_and(|call| call.params.states_capabilities)
    }

    /// The JSON text of `_meta.progressToken`.
    pub fn progress_token(&self) -> Option<&str> {
        self.call.as_ref()?.params.progress_token.as_deref()
    }
}

struct Members<'a> {
    jsonrpc: Slot<'a>,
    id: Slot<'a>,
    method: Slot<'a>,
    params: Slot<'a>,
    result: Slot<'a>,
    error: Slot<'a>,
}

impl<'a> Members<'a> {
    fn read(text: &'a str) -> Result<Self, EnvelopeError> {
        if !text.trim_start_matches([' ', '\t', '\n', '\r']).starts_with('{') {
            let json = serde_json::from_str::<IgnoredAny>(text);
            return Err(json.map_or(EnvelopeError::NotJson, |_| EnvelopeError::NotAnObject));
        }
        let [jsonrpc, id, method, params, result, error] = [Slot::EMPTY; 6];
        let mut found = Self { jsonrpc, id, method, params, result, error };
        let mut look_alike = None;
        json::for_each_member(text, |key, value| match key {
            "jsonrpc" => found.jsonrpc.put(value),
            "id" => found.id.put(value),
            "method" => found.method.put(value),
            "params" => found.params.put(value),
            "result" => found.result.put(value),
            "error" => found.error.put(value),
            _ => look_alike = look_alike.or_else(|| looks_like(key, &MEMBERS)),
        })
        .map_err(|_| EnvelopeError::NotJson)?;
        look_alike.map_or(Ok(found), |member| Err(EnvelopeError::LookAlike(member)))
    }

    fn judge(self, text: &str) -> Result<(MessageKind, Option<Call>), EnvelopeError> {
        let version = self.jsonrpc.single("jsonrpc")?.and_then(json::text);
        if version.as_deref() != Some("2.0") {
            return Err(EnvelopeError::WrongVersion);
        }
        let id = self.id.single("id")?;
        let params = self.params.single("params")?;
        let outcome = match (self.result.single("result")?, self.error.single("error")?) {
            (Some(_), Some(_)) => return Err(EnvelopeError::TwoKinds),
            // Several servers and clients write an empty result as `null`; what is neither is no result of MCP.
            (Some(result), None) if json::is_object(result) || json::is_null(result) => Some(Outcome::Result),
            (Some(_), None) => return Err(EnvelopeError::WrongType("result")),
            (None, Some(error)) if json::is_object(error) => Some(Outcome::Error),
            (None, Some(_)) => return Err(EnvelopeError::WrongType("error")),
            (None, None) => None,
        };
        match (self.method.single("method")?, outcome) {
            (Some(_), Some(_)) => Err(EnvelopeError::TwoKinds),
            (None, None) => Err(EnvelopeError::NoKind),
            (None, Some(outcome)) => Ok((response(id, outcome)?, None)),
            (Some(method), None) => {
                let kind = id.map_or(Ok(MessageKind::Notification), |id| {
                    Ok(MessageKind::Request { id: request_id(id)? })
                })?;
                let call = call(text, method, params)?;
                Ok((kind, Some(call)))
            }
        }
    }
}

fn request_id(id: &RawValue) -> Result<RequestId, EnvelopeError> {
    RequestId::parse(id.get()).ok_or(EnvelopeError::WrongType("id"))
}

fn response(id: Option<&RawValue>, outcome: Outcome) -> Result<MessageKind, EnvelopeError> {
    let id = id.filter(|id| !json::is_null(id)).map(request_id).transpose()?;
    if id.is_none() && outcome == Outcome::Result {
        return Err(EnvelopeError::WrongType("id"));
    }
    Ok(MessageKind::Response { id, outcome })
}

fn call(text: &str, method: &RawValue, params: Option<&RawValue>) -> Result<Call, EnvelopeError> {
    let method: Box<str> = json::text(method).ok_or(EnvelopeError::WrongType("method"))?.into();
    let (params, arguments) =
        params.map_or(Ok(<_>::default()), |params| Params::parse_with_arguments(&method, params))?;
    let arguments = arguments.and_then(|arguments| place(text, arguments.get()));
    if &*method == "tools/call" && params.name.is_none() {
        return Err(EnvelopeError::ToolNameMissing);
    }
    Ok(Call { method, params, arguments })
}

/// Where a part of a text stands in it.
fn place(text: &str, part: &str) -> Option<Range<usize>> {
    let start = part.as_ptr().addr().checked_sub(text.as_ptr().addr())?;
    let end = start.checked_add(part.len())?;
    (text.get(start..end)? == part).then_some(start..end)
}
