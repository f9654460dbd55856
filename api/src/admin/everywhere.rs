//! `?wait=all`: the answer to a write comes when it holds on every node, or when the rest must have stopped to decide without it.

use axum::response::Response;
use domain::value::Position;
use http::{HeaderName, HeaderValue, Uri};
use projections::leases::{Everywhere, Leases};

use crate::problem::Problem;

/// Tells in the answer to a write with `wait=all` how far it is: a boolean with parameters (RFC 9651, section 3.3).
pub(super) const SEKISHO_APPLIED_EVERYWHERE: HeaderName =
    HeaderName::from_static("sekisho-applied-everywhere");

/// Whether whoever writes wants to wait for every node.
pub(super) fn wants_to_wait(uri: &Uri, writes: bool) -> Result<bool, Problem> {
    let query = uri.query().unwrap_or_default();
    let wait = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "wait");
    match wait.as_ref().map(|(_, value)| value.as_ref()) {
        None => Ok(false),
        Some("all") if writes => Ok(true),
        Some(_) => Err(Problem::bad_request("wait-malformed", "wait=all, on something that is written")),
    }
}

/// Waits for every node, and says in the answer how that went.
pub(super) async fn wait_for(leases: &Leases, position: Position, response: &mut Response) {
    let everywhere = leases.everywhere(position).await;
    if !everywhere.applied {
        tracing::warn!(position = position.get(), slowest = ?everywhere.slowest, "written, and not applied by every node");
    }
    if let Ok(value) = HeaderValue::from_str(&text(&everywhere)) {
        response.headers_mut().insert(SEKISHO_APPLIED_EVERYWHERE, value);
    }
}

fn text(everywhere: &Everywhere) -> String {
    let Everywhere { applied, nodes, slowest, took } = everywhere;
    let slowest = slowest.map(|node| format!(";slowest=\"{node}\"")).unwrap_or_default();
    format!("?{};nodes={nodes}{slowest};millis={}", u8::from(*applied), took.as_millis())
}
