//! One request and its answer, whether that comes alone or at the end of a stream.

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde_json::{Map, Value, json};

use super::{Client, ClientError, RefusedAnswer};
use crate::envelope::Target;
use crate::spoken::Spoken;
use crate::upstream::{
    AnswerStream, BadAnswer, Patience, Reach, UpstreamBody, UpstreamError, UpstreamRequest, UpstreamResponse,
};

/// The largest JSON answer that is read.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

pub(super) type Listener<'a> = &'a mut (dyn FnMut(&Value) + Send);

impl Client {
    pub(super) async fn exchange(
        &mut self,
        method: &str,
        params: Map<String, Value>,
        repeated: &HeaderMap,
        on_the_way: Listener<'_>,
    ) -> Result<Map<String, Value>, ClientError> {
        let (id, answer) = self.send(method, params, repeated).await?;
        let result = self.read(id, answer, on_the_way).await?;
        if result.get("resultType").is_some_and(|kind| kind == "input_required") {
            return Err(ClientError::AsksBack);
        }
        Ok(result)
    }

    /// `initialize`: its answer and the session that came with it.
    pub(super) async fn open(
        &mut self,
        params: Map<String, Value>,
    ) -> Result<(Map<String, Value>, Option<HeaderValue>), ClientError> {
        let (id, answer) = self.send("initialize", params, &HeaderMap::new()).await?;
        let session = answer.session_id().cloned();
        Ok((self.read(id, answer, &mut |_| ()).await?, session))
    }

    /// Sends what wants no answer.
    pub(super) async fn tell(&self, message: &Value) -> Result<(), ClientError> {
        let request = self.request(Method::POST, self.heads(), message.to_string());
        self.upstream.send(request).await?;
        Ok(())
    }

    /// Ends a conversation that the server keeps. Whether it minds is its own business.
    pub async fn close(self) {
        let Spoken::Legacy { session: Some(_), .. } = &self.spoken else { return };
        let request = self.request(Method::DELETE, self.heads(), String::new());
        if let Err(error) = self.upstream.send(request).await {
            tracing::debug!(%error, "the session was not ended");
        }
    }

    async fn send(
        &mut self,
        method: &str,
        params: Map<String, Value>,
        repeated: &HeaderMap,
    ) -> Result<(u64, UpstreamResponse), ClientError> {
        self.last_id += 1;
        let target = Target::of(method).and_then(|target| params.get(target.member())?.as_str());
        let mut headers = self.spoken.heads(self.headers.clone(), Some(method), target);
        headers.extend(repeated.iter().map(|(name, value)| (name.clone(), value.clone())));
        let params = self.spoken.with_meta(self.name, params);
        let message = json!({ "jsonrpc": "2.0", "id": self.last_id, "method": method, "params": params });
        let request = self.request(Method::POST, headers, message.to_string());
        Ok((self.last_id, self.upstream.send(request).await?))
    }

    /// What a request of no method of its own says in its head.
    pub(super) fn heads(&self) -> HeaderMap {
        self.spoken.heads(self.headers.clone(), None, None)
    }

    pub(super) fn request(&self, method: Method, headers: HeaderMap, body: String) -> UpstreamRequest {
        let (url, body) = (self.url.clone(), Bytes::from(body));
        let reach = Reach::Anywhere; // a person names the address
        UpstreamRequest { method, url, headers, body, patience: Patience::Call, reach }
    }

    async fn read(
        &self,
        id: u64,
        answer: UpstreamResponse,
        on_the_way: Listener<'_>,
    ) -> Result<Map<String, Value>, ClientError> {
        let UpstreamResponse { status, headers, body } = answer;
        let message = match body {
            UpstreamBody::Empty if status.is_success() => return Err(bad(BadAnswer::NoAnswer)),
            UpstreamBody::Empty => Value::Null,
            UpstreamBody::Json(stream) => json_of(stream).await?,
            UpstreamBody::Sse { stream, event_bytes_max } => {
                self.listen(id, stream, event_bytes_max, on_the_way).await?
            }
        };
        match message {
            Value::Object(mut message) if status.is_success() && !message.contains_key("error") => {
                match message.remove("result") {
                    Some(Value::Object(result)) => Ok(result),
                    _ => Err(bad(BadAnswer::NotJsonRpc)),
                }
            }
            message => Err(refused(status, &headers, message.get("error"))),
        }
    }
}

async fn json_of(mut stream: AnswerStream) -> Result<Value, ClientError> {
    let mut read = Vec::new();
    while let Some(piece) = stream.next().await {
        read.extend_from_slice(&piece?);
        if read.len() > ANSWER_BYTES_MAX {
            return Err(UpstreamError::AnswerTooLarge { limit_bytes: ANSWER_BYTES_MAX }.into());
        }
    }
    serde_json::from_slice(&read).map_err(|_| bad(BadAnswer::NotJsonRpc))
}

pub(super) const fn bad(what: BadAnswer) -> ClientError {
    ClientError::Upstream(UpstreamError::BadAnswer(what))
}

pub(super) fn refused(status: StatusCode, headers: &HeaderMap, error: Option<&Value>) -> ClientError {
    ClientError::Refused(Box::new(RefusedAnswer::new(status, headers, error)))
}
