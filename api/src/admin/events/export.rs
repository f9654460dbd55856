//! The history in one answer, a line for each event, in constant memory.

use axum::response::{IntoResponse as _, Response};
use commands::Ports;
use http::{HeaderValue, header};
use projections::history::{Range, Slice};

use super::Reading;
use crate::admin::outlet::Outlet;
use crate::ndjson::{self, NDJSON};
use crate::problem::Problem;

/// Bytes of one event with its envelope, as events go: what a part is made ready for.
const EVENT_BYTES: usize = 700;

/// Begins to answer.
pub(super) fn start<P: Ports + 'static>(reading: Reading<P>, range: Range) -> Result<Response, Problem> {
    let (outlet, body) = Outlet::open(reading.place()?);
    tokio::spawn(run(reading, range, outlet));
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static(NDJSON))], body).into_response())
}

async fn run<P: Ports + 'static>(reading: Reading<P>, range: Range, outlet: Outlet) {
    let mut slices = reading.history.slices(reading.filter.clone(), range);
    let mut events = 0;
    loop {
        let reached = slices.reached();
        let next = slices.next().await.map_err(Problem::from);
        // Right before it goes out: Postgres may have taken its time.
        let next = reading.may_go_on().and(next);
        let lines = match next {
            Ok(Some(slice)) => {
                events += u64::try_from(slice.events.len()).unwrap_or_default();
                lines(slice)
            }
            Ok(None) => return outlet.end(ndjson::end(reached, events)).await,
            Err(problem) => return outlet.end(ndjson::broken_off(reached, &problem.body())).await,
        };
        match lines {
            Ok(lines) if lines.is_empty() => {}
            Ok(lines) => {
                if !outlet.send(lines).await {
                    return;
                }
            }
            Err(problem) => return outlet.end(ndjson::broken_off(reached, &problem.body())).await,
        }
    }
}

fn lines(slice: Slice) -> Result<Vec<u8>, Problem> {
    let mut lines = Vec::with_capacity(slice.events.len() * EVENT_BYTES);
    for event in slice.events {
        ndjson::event(event, &mut lines)
            .map_err(|error| Problem::unavailable("event-not-written", &error))?;
    }
    Ok(lines)
}
