//! A POST: what both eras refuse alike, then the era that the request belongs to.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::Response;
use bytes::Bytes;
use http::HeaderMap;
use mcp::envelope::Message;
use mcp::headers::{check_message, check_post_media};
use mcp::revision::{Era, Revision};

use super::refusal::Refusal;
use super::{MODERN, SPOKEN, Server, legacy, modern};

pub(super) async fn accept(
    State(server): State<Arc<Server>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    server.origins.check(&headers)?;
    check_post_media(&headers)?;
    let body = body?;
    let message = Message::parse(body.clone())
        .map_err(|error| Refusal::from(error).under(Message::readable_id(&body).as_ref()))?;
    let stated = check_message(&headers, &message, spoken(&message))
        .map_err(|error| Refusal::from(error).under(message.id()))?;
    match stated.era {
        Era::Modern => modern::take(&server, &headers, &message).await,
        Era::Legacy => legacy::take(&server, &headers, &message).await,
    }
}

/// `_meta` makes a request modern, and a modern request can name no older revision.
fn spoken(message: &Message) -> &'static [Revision] {
    if message.protocol_version().is_some() { &MODERN } else { &SPOKEN }
}
