//! Asking one MCP server as a client of our own: in the newest revision, or with a handshake where the server speaks none but older ones.
//! Absent on purpose: being asked.
//! A client of this kind declares no capability, so a server has nothing to ask of it; one that asks all the same is told so.

mod era;
mod exchange;
mod listen;
mod refusal;

use http::HeaderMap;
use serde_json::{Map, Value, json};
use thiserror::Error;

use crate::headers::RepeatedArguments;
use crate::spoken::Spoken;
use crate::upstream::{Upstream, UpstreamError, UpstreamUrl};
pub use refusal::RefusedAnswer;

/// The largest number of pages that is read of one list.
const LIST_PAGES_MAX: usize = 1_000;

/// A server that was reached, and how it speaks.
#[derive(Debug)]
pub struct Client {
    upstream: Upstream,
    url: UpstreamUrl,
    /// What every request carries: the credential.
    headers: HeaderMap,
    name: &'static str,
    spoken: Spoken,
    last_id: u64,
}

/// Who asks, where, with what.
#[derive(Debug)]
pub struct Endpoint {
    /// The connections to use. They should show 401 as an answer, or nobody learns what it says.
    pub upstream: Upstream,
    /// Where the server is.
    pub url: UpstreamUrl,
    /// What every request carries: the credential.
    pub headers: HeaderMap,
    /// The name that the server is told.
    pub name: &'static str,
}

/// What was asked was not answered with a result.
#[derive(Debug, Error)]
pub enum ClientError {
    /// No answer, or none that can be used.
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    /// The answer is an error.
    #[error("{0}")]
    Refused(Box<RefusedAnswer>),
    /// The handshake led to a revision that is not spoken here.
    #[error("the server speaks no revision of MCP that is spoken here")]
    NoCommonRevision,
    /// The server wants to ask the user, or the model, before it answers.
    #[error("the server asks something back, which cannot be answered here")]
    AsksBack,
    /// It goes on with further pages for ever.
    #[error("the list of the server has no end")]
    EndlessList,
}

impl Client {
    /// Finds out how the server speaks.
    pub async fn connect(endpoint: Endpoint) -> Result<Self, ClientError> {
        let Endpoint { upstream, url, headers, name } = endpoint;
        let mut client = Self { upstream, url, headers, name, spoken: Spoken::Modern, last_id: 0 };
        if !client.is_modern().await? {
            client.shake_hands().await?;
        }
        Ok(client)
    }

    /// The revision that was agreed on.
    pub const fn revision(&self) -> crate::revision::Revision {
        self.spoken.revision()
    }

    /// Asks, and hands on what the server says on the way.
    pub async fn ask(
        &mut self,
        method: &str,
        params: Map<String, Value>,
        on_the_way: &mut (dyn FnMut(&Value) + Send),
    ) -> Result<Map<String, Value>, ClientError> {
        self.exchange(method, params, &HeaderMap::new(), on_the_way).await
    }

    /// All tools, page by page.
    pub async fn tools(&mut self) -> Result<Vec<Value>, ClientError> {
        let (mut tools, mut params) = (Vec::new(), Map::new());
        for _ in 0..LIST_PAGES_MAX {
            let mut page = self.ask("tools/list", params, &mut |_| ()).await?;
            if let Some(Value::Array(more)) = page.remove("tools") {
                tools.extend(more);
            }
            match page.remove("nextCursor") {
                Some(Value::String(cursor)) => {
                    params = Map::from_iter([("cursor".to_owned(), cursor.into())]);
                }
                _ => return Ok(tools),
            }
        }
        Err(ClientError::EndlessList)
    }

    /// Calls a tool. Where the server misses a header that repeats an argument, the list is read for which ones those are, and the call made once
    /// more (2026-07-28, tools, `x-mcp-header`): what was refused so was not carried out.
    pub async fn call(
        &mut self,
        tool: &str,
        arguments: &Value,
        on_the_way: &mut (dyn FnMut(&Value) + Send),
    ) -> Result<Map<String, Value>, ClientError> {
        let mut params = Map::new();
        params.insert("name".to_owned(), tool.into());
        params.insert("arguments".to_owned(), arguments.clone());
        params.insert("_meta".to_owned(), json!({ "progressToken": 1 }));
        let refused = match self.exchange("tools/call", params.clone(), &HeaderMap::new(), on_the_way).await {
            Err(ClientError::Refused(refused)) if refused.is_header_mismatch() => refused,
            answered => return answered,
        };
        let tools = self.tools().await?;
        let schema = tools.iter().find(|listed| listed.get("name").is_some_and(|name| name == tool));
        let schema = schema.and_then(|tool| tool.get("inputSchema")).unwrap_or(&Value::Null);
        let repeated: HeaderMap = match RepeatedArguments::of_schema(schema) {
            Ok(repeated) => repeated.headers(arguments).into_iter().collect(),
            Err(_) => HeaderMap::new(), // nobody can call it: what was answered stands
        };
        if repeated.is_empty() {
            return Err(ClientError::Refused(refused));
        }
        self.exchange("tools/call", params, &repeated, on_the_way).await
    }
}

#[cfg(test)]
mod tests;
