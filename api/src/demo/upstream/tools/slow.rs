//! `slow`: waits, step by step, so that progress and cancellation can be seen.
//!
//! The work is pulled by whoever writes the answer. There is no task in the background: when the caller is gone the
//! work is dropped, and with it everything it holds.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until};

use super::{ToolResult, read};

const WAIT_SECONDS_MAX: f64 = 30.0;
const STEPS_MAX: u32 = 1_000;
const STEPS_DEFAULT: u32 = 5;
/// The longest silence on a stream.
const QUIET_SECONDS_MAX: u64 = 5;

/// Not read-only: while it runs it holds a place that others then lack.
pub(super) fn description() -> Value {
    json!({
        "name": "slow",
        "title": "Slow",
        "description": "Takes its time and reports progress at every step. Stops when it is cancelled.",
        "inputSchema": {
            "type": "object",
            "properties": {
                "seconds": {
                    "type": "number",
                    "minimum": 0,
                    "maximum": WAIT_SECONDS_MAX,
                    "description": "How long it takes."
                },
                "steps": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": STEPS_MAX,
                    "default": STEPS_DEFAULT,
                    "description": "In how many steps."
                }
            },
            "required": ["seconds"],
            "additionalProperties": false
        },
        "annotations": {
            "readOnlyHint": false,
            "destructiveHint": false,
            "idempotentHint": true,
            "openWorldHint": false
        }
    })
}

/// A slow call under way.
#[derive(Debug)]
pub(in super::super) struct Work {
    started: Instant,
    step: Duration,
    steps: u32,
    done: u32,
    _place: OwnedSemaphorePermit,
}

/// What happens next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Event {
    /// So many steps are done.
    Step(u32),
    /// Nothing for a while; whoever listens may want to hear that.
    Quiet,
    /// All steps are done.
    End,
}

impl Work {
    /// Starts the clock, or says why not.
    pub(super) fn start(places: &Arc<Semaphore>, arguments: &str) -> Result<Self, ToolResult> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Arguments {
            seconds: f64,
            #[serde(default = "steps_default")]
            steps: u32,
        }
        let Arguments { seconds, steps } = read(arguments)?;
        if !(0.0..=WAIT_SECONDS_MAX).contains(&seconds) {
            return Err(ToolResult::error(format!(
                "wrong arguments: seconds lies between 0 and {WAIT_SECONDS_MAX}"
            )));
        }
        if !(1..=STEPS_MAX).contains(&steps) {
            return Err(ToolResult::error(format!("wrong arguments: steps lies between 1 and {STEPS_MAX}")));
        }
        let place = Arc::clone(places).try_acquire_owned();
        let place = place.map_err(|_| ToolResult::error("too many slow calls at once".to_owned()))?;
        let step = Duration::from_secs_f64(seconds) / steps;
        Ok(Self { started: Instant::now(), step, steps, done: 0, _place: place })
    }

    /// Waits for what happens next.
    pub(in super::super) async fn next(&mut self) -> Event {
        if self.done >= self.steps {
            return Event::End;
        }
        let due = self.started + self.step * (self.done + 1);
        let quiet = Instant::now() + Duration::from_secs(QUIET_SECONDS_MAX);
        sleep_until(due.min(quiet)).await;
        if quiet < due {
            return Event::Quiet;
        }
        self.done += 1;
        Event::Step(self.done)
    }

    pub(in super::super) fn steps(&self) -> u32 {
        self.steps
    }

    pub(in super::super) fn result(&self) -> ToolResult {
        ToolResult::text(format!("{} steps in {:.1} s", self.steps, (self.step * self.steps).as_secs_f64()))
    }
}

fn steps_default() -> u32 {
    STEPS_DEFAULT
}
