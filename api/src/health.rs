//! `/healthz` (the process answers), `/readyz` (it may get traffic), `/metrics`. Access: open; they tell nothing about anybody.

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderValue, StatusCode, header};
use projections::access::LiveView;
use projections::{Doorbell, RunnerHandle};
use serde_json::json;

use crate::metrics::Metrics;
use crate::shutdown::Shutdown;

/// A reader this far behind the log is not ready.
const LAG_EVENTS_MAX: u64 = 200;

/// What health is judged by.
#[derive(Clone)]
pub(crate) struct Health {
    pub(crate) shutdown: Shutdown,
    pub(crate) view: LiveView,
    pub(crate) projections: Vec<RunnerHandle>,
    pub(crate) doorbell: Doorbell,
    pub(crate) metrics: Metrics,
}

/// The routes.
pub(crate) fn router(health: Health) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(health)
}

impl Health {
    fn lag_of_view(&self) -> u64 {
        self.doorbell.position().get().saturating_sub(self.view.load().position().get())
    }
}

async fn ready(State(health): State<Health>) -> Response {
    let head = health.doorbell.position();
    let mut readers =
        vec![json!({ "reader": "access", "lag_events": health.lag_of_view(), "parked_events": 0 })];
    let mut behind = health.lag_of_view() > LAG_EVENTS_MAX || !health.view.is_following();
    for projection in &health.projections {
        let lag = projection.lag(head);
        behind |= lag.events > LAG_EVENTS_MAX;
        readers.push(
            json!({ "reader": projection.name(), "lag_events": lag.events, "parked_events": lag.parked }),
        );
    }
    let freshness = health.view.freshness();
    let (status, state) = match (health.shutdown.is_draining(), behind, health.view.is_fresh()) {
        (true, _, _) => (StatusCode::SERVICE_UNAVAILABLE, "draining"),
        (false, true, _) => (StatusCode::SERVICE_UNAVAILABLE, "behind"),
        (false, false, false) => (StatusCode::SERVICE_UNAVAILABLE, "stale"),
        (false, false, true) => (StatusCode::OK, "ready"),
    };
    let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let body = json!({
        "state": state,
        "position": head,
        "staleness_millis": millis(freshness.staleness()),
        "staleness_millis_max": millis(freshness.bound()),
        "readers": readers,
    });
    (status, [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body.to_string())
        .into_response()
}

async fn metrics(State(health): State<Health>) -> Response {
    let head = health.doorbell.position();
    health.metrics.log_position.set(i64::try_from(head.get()).unwrap_or(i64::MAX));
    health.metrics.reader("access", health.lag_of_view(), 0);
    health.metrics.show_freshness(health.view.freshness());
    for projection in &health.projections {
        let lag = projection.lag(head);
        health.metrics.reader(projection.name(), lag.events, lag.parked);
    }
    let form = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    ([(header::CONTENT_TYPE, form)], health.metrics.text()).into_response()
}
