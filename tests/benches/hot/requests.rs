//! The requests, as bytes.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{Target, load};

const REVISION: &str = "2026-07-28";
/// What is echoed: as long as a short sentence.
const TEXT: &str = "What is carried through must come out as it went in.";

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    /// `tools/call echo`, answered as one JSON object.
    Echo,
    /// `tools/list`: the one answer that the gateway rewrites.
    List,
    /// `tools/call echo`, answered as an event stream.
    EchoStreamed,
}

impl Call {
    /// As it stands in the report.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Echo => "tools/call echo",
            Self::List => "tools/list",
            Self::EchoStreamed => "tools/call echo as SSE",
        }
    }

    const fn method(self) -> &'static str {
        match self {
            Self::Echo | Self::EchoStreamed => "tools/call",
            Self::List => "tools/list",
        }
    }

    const fn expected(self) -> &'static str {
        match self {
            Self::Echo | Self::EchoStreamed => TEXT,
            Self::List => "\"echo\"",
        }
    }

    fn body(self) -> String {
        let meta = json!({ "io.modelcontextprotocol/protocolVersion": REVISION, "io.modelcontextprotocol/clientCapabilities": {} });
        let params: Value = match self {
            Self::Echo | Self::EchoStreamed => {
                json!({ "name": "echo", "arguments": { "text": TEXT }, "_meta": meta })
            }
            Self::List => json!({ "_meta": meta }),
        };
        json!({ "jsonrpc": "2.0", "id": 1, "method": self.method(), "params": params }).to_string()
    }
}

/// What the requests to Sekisho need besides.
pub(crate) struct Calls {
    pub(crate) api_key: String,
    pub(crate) paths: [String; 2],
}

impl Calls {
    /// Address and bytes. All three are sent the same headers, the key too: only Sekisho looks at it.
    pub(crate) fn request(&self, target: &Target, call: Call) -> (String, Arc<[u8]>) {
        let address = target.url.trim_start_matches("http://").to_owned();
        let [whole, streamed] = &self.paths;
        let path = match (target.name, call) {
            ("sekisho", Call::Echo | Call::List) => whole,
            ("sekisho", Call::EchoStreamed) => streamed,
            (_, Call::Echo | Call::List) => "/mcp",
            (_, Call::EchoStreamed) => "/stream/mcp",
        };
        let body = call.body();
        let name = if call == Call::List { "" } else { "mcp-name: echo\r\n" };
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\naccept: application/json, text/event-stream\r\n\
             mcp-protocol-version: {REVISION}\r\nmcp-method: {}\r\n{name}x-api-key: {}\r\ncontent-length: {}\r\n\r\n",
            call.method(),
            self.api_key,
            body.len()
        );
        (address, Arc::from(format!("{head}{body}").into_bytes()))
    }

    /// Every target gives the right answer.
    pub(crate) async fn check(&self, targets: &[Target; 3], call: Call) {
        for target in targets {
            let (address, request) = self.request(target, call);
            let answer = load::once(&address, &request).await;
            assert!(answer.contains(call.expected()), "{}: {answer}", target.name);
        }
    }
}
