//! A client's call as it goes on to a member: under the member's own name for the tool, and with what this hop says of itself.
//!
//! `_meta` in the namespace of the protocol belongs to one hop: a client's says what the client can do and which revision it speaks, and a server of
//! the other era takes neither. What else is in `_meta` (progress token, trace context, anybody's own words) goes through.

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::envelope::Message;
use crate::json;
use crate::spoken::{Spoken, own_meta};

/// The namespace of the protocol within `_meta`.
const NAMESPACE: &str = "io.modelcontextprotocol/";

/// How a call travels on.
#[derive(Debug, Clone, Copy)]
pub enum Hop<'a> {
    /// Between two of one era: `_meta` is the client's.
    SameEra,
    /// To a modern server, on behalf of this name.
    ToModern(&'a str),
    /// To a server of the handshake.
    ToLegacy,
}

/// A `tools/call` or `prompts/get` with this id and this name of what it is about. `None` for a message without parameters.
pub fn call(message: &Message, id: &str, name: &str, hop: Hop<'_>) -> Option<Bytes> {
    let method = message.method()?;
    let text = std::str::from_utf8(message.bytes()).ok()?;
    let params = json::member(text, "params").filter(|params| json::is_object(params))?;
    let mut out = Vec::new();
    let mut meta = None;
    let walked = json::for_each_member(params.get(), |key, value| match key {
        "name" => out.push((key.to_owned(), quoted(name))),
        "_meta" if json::is_object(value) => meta = Some(value.get()),
        "_meta" => {}
        _ => out.push((key.to_owned(), value.get().to_owned())),
    });
    walked.ok()?;
    let meta = match (hop, meta) {
        (Hop::SameEra, meta) => meta.map(str::to_owned),
        (Hop::ToLegacy, meta) => meta.map(foreign).filter(|meta| !meta.is_empty()).map(|meta| object(&meta)),
        (Hop::ToModern(client), meta) => {
            let own = own_meta(client).map(|(member, value)| (member.to_owned(), value.to_string()));
            let meta: Vec<_> = meta.map(foreign).unwrap_or_default().into_iter().chain(own).collect();
            Some(object(&meta))
        }
    };
    out.extend(meta.map(|meta| ("_meta".to_owned(), meta)));
    Some(Bytes::from(message_text(id, method, &object(&out))))
}

/// A request of our own. `id` is a JSON text.
pub fn request(spoken: &Spoken, name: &str, id: &str, method: &str, params: Map<String, Value>) -> Bytes {
    let params = Value::Object(spoken.with_meta(name, params)).to_string();
    Bytes::from(message_text(id, method, &params))
}

fn message_text(id: &str, method: &str, params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":{},"params":{params}}}"#, quoted(method))
}

/// The members of a `_meta` that are not of the protocol.
fn foreign(meta: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let walked = json::for_each_member(meta, |key, value| {
        if !key.starts_with(NAMESPACE) {
            found.push((key.to_owned(), value.get().to_owned()));
        }
    });
    walked.map(|()| found).unwrap_or_default()
}

fn object(members: &[(String, String)]) -> String {
    let members: Vec<String> =
        members.iter().map(|(key, value)| format!("{}:{value}", quoted(key))).collect();
    format!("{{{}}}", members.join(","))
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}
