//! All routes, and what is around them: trace, log, metrics. Calls of the data plane do not go by the router: its one address is found by looking at
//! the path, and a tenth of a call's time was the router's.

use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::{Json, Router};
use commands::Ports;
use http::{HeaderValue, Method, StatusCode, header};
use http_body::{Body as HttpBody, Frame, SizeHint};
use prometheus_client::metrics::gauge::Gauge;
use tower::ServiceExt as _;
use tracing::Instrument as _;

use crate::admin::{self, Admin};
use crate::docs;
use crate::gateway::{Gateway, RefusedFor};
use crate::health::{self, Health};
use crate::home;
use crate::metrics::Metrics;
use crate::oauth::{self, Oauth};
use crate::openapi;
use crate::people::{self, People};
use crate::problem::{AnsweredProblem, Problem, VIEW_STALE};
use crate::trace_context::TraceContext;
use crate::well_known::{self, WellKnown};

/// Where the data plane is.
const MCP_ROUTE: &str = "/mcp/{instance}";

/// The whole surface of the product.
#[derive(Debug, Clone)]
pub(crate) struct Surface {
    gateway: Gateway,
    others: Router,
    metrics: Metrics,
}

impl Surface {
    /// Answers one request.
    pub(crate) async fn answer(&self, mut request: Request, peer: SocketAddr) -> Response {
        let path = request.uri().path();
        let Some(instance) = instance_of(path).map(str::to_owned) else {
            request.extensions_mut().insert(ConnectInfo(peer));
            let Ok(response) = self.others.clone().oneshot(request).await;
            return response;
        };
        let is_head = request.method() == Method::HEAD;
        let response = observed(&self.metrics, MCP_ROUTE, request, async |request| {
            self.gateway.relay(&instance, peer, request).await
        })
        .await;
        // Nothing but the head is for HEAD (RFC 9110, 9.3.2); over HTTP/2 nobody else sees to that.
        if is_head { response.map(|_| Body::empty()) } else { response }
    }
}

/// What stands for the instance in a path of the data plane.
fn instance_of(path: &str) -> Option<&str> {
    path.strip_prefix("/mcp/").filter(|rest| !rest.is_empty() && !rest.contains('/'))
}

/// Puts it together.
pub(crate) fn surface<P: Ports + 'static>(
    admin: &Admin<P>,
    gateway: Gateway,
    health: Health,
    well_known: WellKnown,
    metrics: Metrics,
    oauth: &Oauth<P>,
    people: People<P>,
) -> Surface {
    let url = oauth.url.issuer();
    let pages: Vec<_> = oauth::authorize_routes::<P>().into_iter().chain(people::routes()).collect();
    let document = openapi::document(
        &admin::areas::<P>(),
        &oauth::routes::<P>(&oauth.url),
        &pages,
        people.session_cookie(),
    );
    let (home, page) = (home::page(url), docs::page(&document));
    let others = Router::new()
        .merge(admin::router(admin))
        .merge(oauth::router(oauth))
        .merge(oauth::authorize_router(people.clone()))
        .merge(people::router(people))
        .merge(health::router(health))
        .merge(well_known::router(well_known))
        .route("/", axum::routing::get(async move || docs::answer(home)))
        .route("/openapi.json", axum::routing::get(async move || Json(document)))
        .route("/docs", axum::routing::get(async move || docs::answer(page)))
        .fallback(async || Problem::not_found("address; /docs lists what there is"))
        .method_not_allowed_fallback(async || {
            Problem::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "this address answers other methods; see /docs",
            )
        })
        .layer(middleware::from_fn_with_state(metrics.clone(), observe));
    Surface { gateway, others, metrics }
}

/// Counts a request until its answer is out or its client has left, whichever comes first; a stream counts as long as it is open.
struct InFlight(Gauge);

impl InFlight {
    fn new(gauge: Gauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// A body that is counted while it is being sent.
struct CountedBody {
    body: Body,
    _in_flight: InFlight,
}

impl HttpBody for CountedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

async fn observe(State(metrics): State<Metrics>, request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().cloned();
    let path = path.as_ref().map_or("(none)", MatchedPath::as_str);
    observed(&metrics, path, request, async |request| next.run(request).await).await
}

/// One span, one line and one count for each request. Paths are the templates, so that no id becomes a label.
async fn observed(
    metrics: &Metrics,
    path: &str,
    mut request: Request,
    answer: impl AsyncFnOnce(Request) -> Response,
) -> Response {
    let trace = TraceContext::current(request.headers());
    trace.write(request.headers_mut()); // whoever reads the headers later is in the same trace
    let area = area(path);
    let span = tracing::info_span!("request", trace.id = trace.trace_id(), http.method = %request.method(), http.route = path);
    let started = Instant::now();
    let in_flight = InFlight::new(metrics.in_flight.clone());
    let mut response = answer(request).instrument(span.clone()).await;
    let status = response.status().as_u16();
    metrics.answered(area, status, started.elapsed());
    let _entered = span.enter();
    let reason = response.extensions().get::<RefusedFor>().map_or("", |RefusedFor(reason)| reason);
    if !reason.is_empty() {
        metrics.refused(reason);
    }
    let reason = response.extensions().get::<AnsweredProblem>().map_or(reason, |AnsweredProblem(code)| code);
    if reason == VIEW_STALE {
        metrics.refused_as_stale(area);
    }
    let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    match area {
        "health" => tracing::trace!(http.status = status, duration.ms = milliseconds, "answered"),
        _ if status >= 500 => {
            tracing::warn!(http.status = status, duration.ms = milliseconds, reason, "answered");
        }
        "mcp" if reason.is_empty() => {
            tracing::debug!(http.status = status, duration.ms = milliseconds, "answered");
        }
        _ => tracing::info!(http.status = status, duration.ms = milliseconds, reason, "answered"),
    }
    response
        .headers_mut()
        .entry(header::X_CONTENT_TYPE_OPTIONS)
        .or_insert(HeaderValue::from_static("nosniff"));
    response.map(|body| Body::new(CountedBody { body, _in_flight: in_flight }))
}

fn area(path: &str) -> &'static str {
    match path {
        _ if path.starts_with("/mcp/") => "mcp",
        _ if path.starts_with("/v1/") => "admin",
        _ if path.starts_with("/oauth/") => "oauth",
        "/healthz" | "/readyz" | "/metrics" => "health",
        _ => "pages",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_plane_is_at_one_segment_behind_its_place_and_nowhere_else() {
        assert_eq!(instance_of("/mcp/an-instance"), Some("an-instance"));
        for path in ["/mcp", "/mcp/", "/mcp/an-instance/", "/mcp/an-instance/more", "/v1/mcp/x", "mcp/x"] {
            assert_eq!(instance_of(path), None, "{path}");
        }
    }
}
