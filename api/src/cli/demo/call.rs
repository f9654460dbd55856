//! One real MCP call through the own gateway: list the tools, add two numbers.

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::Full;
use serde_json::{Value, json};

use super::rest::Rest;
use super::seed::Seeded;

/// What the call showed.
pub(super) struct Called {
    /// For people.
    pub(super) lines: Vec<String>,
}

const REVISION: &str = "2026-07-28";

/// Lists and calls, as a client of the newest revision does.
pub(super) async fn call(seeded: &Seeded) -> Result<Called, String> {
    let rest = Rest::new("");
    let listed = ask(&rest, seeded, 1, "tools/list", None, json!({})).await?;
    let tools: Vec<&str> = listed
        .pointer("/result/tools")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|tool| tool.get("name").and_then(Value::as_str))
        .collect();
    let arguments = json!({ "a": 19, "b": 23 });
    let answer =
        ask(&rest, seeded, 2, "tools/call", Some("add"), json!({ "name": "add", "arguments": arguments }))
            .await?;
    let text = answer.pointer("/result/content/0/text").and_then(Value::as_str);
    let text = text.ok_or_else(|| format!("the call was not answered with a result: {answer}"))?;
    Ok(Called {
        lines: vec![
            format!("tools/list  -> {}", tools.join(", ")),
            format!("tools/call  add {arguments} -> {text}"),
        ],
    })
}

async fn ask(
    rest: &Rest,
    seeded: &Seeded,
    id: u32,
    method: &str,
    name: Option<&str>,
    params: Value,
) -> Result<Value, String> {
    let mut params = params;
    if let Some(object) = params.as_object_mut() {
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": REVISION,
            "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/clientInfo": { "name": "sekisho demo", "version": env!("CARGO_PKG_VERSION") },
        });
        object.insert("_meta".to_owned(), meta);
    }
    let body = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string();
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(&seeded.mcp_url)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, "application/json, text/event-stream")
        .header("mcp-protocol-version", REVISION)
        .header("mcp-method", method)
        .header("x-api-key", &seeded.api_key);
    if let Some(name) = name {
        request = request.header("mcp-name", name);
    }
    let request = request.body(Full::from(Bytes::from(body))).map_err(|error| error.to_string())?;
    let (status, body) = rest.exchange(request).await?;
    if status != StatusCode::OK {
        return Err(format!("{method} answered {status}: {}", String::from_utf8_lossy(&body)));
    }
    let text = String::from_utf8_lossy(&body);
    // The answer is one object, alone or as the last event of a stream.
    let json = text.lines().rev().find_map(|line| line.strip_prefix("data:")).unwrap_or(&text);
    serde_json::from_str(json.trim()).map_err(|error| format!("{method}: {error}"))
}
