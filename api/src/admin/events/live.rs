//! The history as it happens, as server-sent events (WHATWG HTML, section 9.2): `id` is the position, so `Last-Event-ID` resumes.
//!
//! A reader is never shown more than this node's view holds, and is judged by that view before each look and after it, right before anything goes out:
//! what was written after their key was revoked does not reach them. There is no queue for each reader: a slow one is behind in the log, and costs no memory for it.

use std::time::{Duration, Instant};

use axum::response::{IntoResponse as _, Response};
use commands::Ports;
use domain::value::Position;
use http::{HeaderName, HeaderValue, StatusCode, header};
use projections::LogError;
use projections::history::{Range, Slice, Slices};
use serde_json::json;

use super::Reading;
use crate::admin::outlet::Outlet;
use crate::ndjson;
use crate::problem::Problem;

/// After a silence of this length the reader hears that we are there, and how far it got: what does not concern it need not be read again.
const HEARTBEAT_EVERY: Duration = Duration::from_secs(10);
/// How often a silent stream looks whether its key has expired, and whether this node still knows enough to say so.
const JUDGE_EVERY: Duration = Duration::from_millis(250);
/// The least time between two looks of one reader at the log: a busy log is looked at some times a second, not for every event.
const LOOK_PAUSE: Duration = Duration::from_millis(20);
/// The log does not answer: so long until it is asked again.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(500);
/// How long a browser waits before it comes again.
const RETRY_MILLISECONDS: u32 = 1_000;

const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Begins to answer: after a position, or with what happens from now on.
pub(super) async fn start<P: Ports + 'static>(
    reading: Reading<P>,
    after: Option<Position>,
) -> Result<Response, Problem> {
    let after = match after {
        None => reading.admin.view.load().position(),
        Some(after) => {
            let head = reading.history.head().await?;
            if after > head {
                let detail = format!("there is no position {after} yet: the log ends at {head}");
                return Err(Problem::new(StatusCode::CONFLICT, "position-not-reached", detail));
            }
            after
        }
    };
    let (outlet, body) = Outlet::open(reading.place()?);
    tokio::spawn(run(reading, after, outlet));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (BUFFERING, HeaderValue::from_static("no")), // proxies that gather answers would hold events back
    ];
    Ok((headers, body).into_response())
}

/// How a look at the log went.
enum Look {
    /// There may be more right now.
    More,
    /// Nothing more at the moment.
    AtHead,
    /// Nobody takes what was found.
    ReaderLeft,
    /// Whoever asked for it may not have it any more.
    NotTheirs(&'static str),
}

async fn run<P: Ports + 'static>(reading: Reading<P>, after: Position, outlet: Outlet) {
    let mut moved = reading.admin.view.listen();
    let soft = reading.admin.shutdown.soft();
    let mut slices = reading.history.slices(reading.filter.clone(), Range { after, to: after });
    let mut heard = Instant::now();
    if !outlet.send(format!("retry: {RETRY_MILLISECONDS}\nid: {after}\n\n")).await {
        return;
    }
    loop {
        if soft.is_cancelled() {
            return outlet.end(ended("draining")).await;
        }
        moved.borrow_and_update();
        let view = reading.admin.view.load().position();
        if let Err(problem) = reading.may_go_on() {
            return outlet.end(ended(problem.code())).await;
        }
        slices.extend(view);
        match look(&reading, &mut slices, &outlet, &mut heard).await {
            Ok(Look::More) => continue,
            Ok(Look::AtHead) => {}
            Ok(Look::ReaderLeft) => return,
            Ok(Look::NotTheirs(reason)) => return outlet.end(ended(reason)).await,
            Err(LogError::Database(error)) => {
                tracing::warn!(error = %error, "a live stream waits for the log");
                tokio::time::sleep(PAUSE_AFTER_ERROR).await;
            }
            Err(error) => return outlet.end(ended(Problem::from(error).code())).await,
        }
        if heard.elapsed() >= HEARTBEAT_EVERY {
            heard = Instant::now();
            if !outlet.send(format!(": here\nid: {}\n\n", slices.reached())).await {
                return;
            }
        }
        tokio::select! {
            () = outlet.closed() => return,
            () = soft.cancelled() => {}
            _ = moved.changed() => tokio::time::sleep(LOOK_PAUSE).await,
            () = tokio::time::sleep(JUDGE_EVERY) => {}
        }
    }
}

async fn look<P: Ports + 'static>(
    reading: &Reading<P>,
    slices: &mut Slices,
    outlet: &Outlet,
    heard: &mut Instant,
) -> Result<Look, LogError> {
    let Some(slice) = slices.next().await? else { return Ok(Look::AtHead) };
    let text = text(slice)?;
    if !text.is_empty() {
        if let Err(problem) = reading.may_go_on() {
            return Ok(Look::NotTheirs(problem.code())); // Postgres took its time
        }
        *heard = Instant::now();
        if !outlet.send(text).await {
            return Ok(Look::ReaderLeft);
        }
    }
    Ok(Look::More)
}

/// The events of a slice as they go out: one line of data each.
fn text(slice: Slice) -> Result<Vec<u8>, LogError> {
    let mut text = Vec::new();
    for event in slice.events {
        let position = event.position;
        text.extend_from_slice(format!("id: {position}\ndata: ").as_bytes());
        ndjson::event(event, &mut text).map_err(|error| LogError::Malformed(position, error.to_string()))?;
        text.push(b'\n');
    }
    Ok(text)
}

/// Says why there is no more. A browser comes again after this, and is told by a status if it must not.
fn ended(reason: &str) -> String {
    format!("event: end\ndata: {}\n\n", json!({ "reason": reason }))
}
