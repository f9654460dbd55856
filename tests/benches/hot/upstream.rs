//! The process behind: the demonstration's MCP server, and beside it an `echo` that answers as an event stream.

use std::sync::Arc;

use api::adapters::system::SystemClock;
use axum::Router;
use axum::body::Bytes;
use axum::response::IntoResponse;
use axum::routing::post;
use axum::serve::ListenerExt as _;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Serves `/mcp` and `/stream/mcp` until it is killed.
pub(crate) async fn run() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    crate::process::ready(&listener);
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    let router = api::demo::upstream::router(Arc::new(SystemClock));
    let router = router.merge(Router::new().route("/stream/mcp", post(streamed)));
    axum::serve(listener, router).await.expect("it serves");
}

/// One event with the whole answer.
async fn streamed(body: Bytes) -> impl IntoResponse {
    let message: Value = serde_json::from_slice(&body).unwrap_or_default();
    let text = message.pointer("/params/arguments/text").cloned().unwrap_or_default();
    let result = json!({ "content": [{ "type": "text", "text": text }], "resultType": "complete" });
    let id = message.get("id").cloned().unwrap_or_default();
    let answer = json!({ "jsonrpc": "2.0", "id": id, "result": result });
    ([("content-type", "text/event-stream")], format!("event: message\ndata: {answer}\n\n"))
}
