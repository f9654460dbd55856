//! All records in one answer, a line for each call, in constant memory.
//!
//! ```text
//! {"id":"0192f0c1-...", ...}                          a call
//! {"end":{"calls":17,"incomplete":[...]}}             whole
//! {"error":{"type":...},"cursor":"0192f0c1-..."}      broken off: go on with this cursor
//! ```

use axum::response::{IntoResponse as _, Response};
use commands::Ports;
use http::{HeaderValue, header};
use serde_json::json;
use uuid::Uuid;

use super::Reading;
use super::shape::RecordedCall;
use crate::admin::outlet::Outlet;
use crate::ndjson::NDJSON;
use crate::problem::Problem;

/// Records in one part: some hundred kilobytes.
const PART_RECORDS_MAX: u32 = 500;

/// Begins to answer.
pub(super) fn start<P: Ports + 'static>(
    reading: Reading<P>,
    after: Option<Uuid>,
) -> Result<Response, Problem> {
    let place = reading.admin.places.take(reading.admission.organization())?;
    let (outlet, body) = Outlet::open(place);
    tokio::spawn(async move {
        let mut reached = after;
        let last = match send(&reading, &outlet, &mut reached).await {
            Ok(Some(calls)) => reading
                .lacking()
                .await
                .map(|incomplete| json!({ "end": { "calls": calls, "incomplete": incomplete } })),
            Ok(None) => return, // nobody takes it
            Err(problem) => Err(problem),
        };
        let last = last.unwrap_or_else(|problem| json!({ "error": problem.body(), "cursor": reached }));
        outlet.end(format!("{last}\n")).await;
    });
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static(NDJSON))], body).into_response())
}

/// How many records were sent; `None` when their reader has left.
async fn send<P: Ports + 'static>(
    reading: &Reading<P>,
    outlet: &Outlet,
    reached: &mut Option<Uuid>,
) -> Result<Option<u64>, Problem> {
    let mut calls = 0_u64;
    loop {
        let records = reading.records(*reached, PART_RECORDS_MAX).await?;
        reading.admission.holds(&reading.admin)?; // right before it goes out: Postgres may have taken its time
        let Some(last) = records.last().map(|record| record.id) else { return Ok(Some(calls)) };
        let mut lines = Vec::new();
        for record in records {
            serde_json::to_writer(&mut lines, &RecordedCall::of(record))
                .map_err(|error| Problem::unavailable("call-not-written", &error))?;
            lines.push(b'\n');
            calls += 1;
        }
        if !outlet.send(lines).await {
            return Ok(None);
        }
        *reached = Some(last);
    }
}
