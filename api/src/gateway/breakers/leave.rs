//! Leave to ask an upstream, and what the asking says of it.

use std::sync::Arc;
use std::time::Instant;

use mcp::memory::ByteBudget;
use mcp::upstream::{Upstream, UpstreamError, UpstreamRequest, UpstreamResponse};

use super::evidence::Evidence;
use super::{Breakers, Place, Repeat};
use crate::breaker::{BreakerState, Failure, Permit};
use crate::gateway::refusal::Refusal;
use crate::gateway::route::Destination;

/// Leave for one request to an upstream. Who has it and leaves without asking has said nothing of the upstream.
#[derive(Debug)]
pub(in crate::gateway) struct Leave<'a> {
    breakers: &'a Breakers,
    destination: &'a Destination,
    /// Nothing, while there is no trouble.
    permit: Option<(Arc<Place>, Permit)>,
}

impl Breakers {
    /// Leave to ask this upstream, unless it is left alone.
    pub(in crate::gateway) fn leave<'a>(
        &'a self,
        destination: &'a Destination,
    ) -> Result<Leave<'a>, Refusal> {
        let Some(place) = self.find(destination) else {
            return Ok(Leave { breakers: self, destination, permit: None });
        };
        let now = Instant::now();
        *place.used() = now;
        let permit = place.breaker.permit(now).map_err(|held| Refusal::upstream_down(held.wait))?;
        if permit.is_probe() {
            self.changed(&place, Some(BreakerState::HalfOpen));
        }
        Ok(Leave { breakers: self, destination, permit: Some((place, permit)) })
    }
}

impl Leave<'_> {
    /// Asks. A request that may be repeated is sent once more when its connection ended before there was an answer.
    pub(in crate::gateway) async fn send(
        self,
        upstream: &Upstream,
        request: UpstreamRequest,
        memory: &ByteBudget,
        repeat: Repeat,
    ) -> Result<UpstreamResponse, UpstreamError> {
        let again = match repeat {
            Repeat::Once => Some(request.clone()),
            Repeat::Never => None,
        };
        let mut answer = upstream.send_within(request, memory).await;
        if let (Err(UpstreamError::Closed(_)), Some(request)) = (&answer, again) {
            self.breakers.0.metrics.upstream_asked_again();
            answer = upstream.send_within(request, memory).await;
        }
        self.tell(Evidence::of(&answer));
        answer
    }

    fn tell(self, evidence: Evidence) {
        match evidence {
            Evidence::Nothing => {} // where this was to find out, the next one does
            Evidence::There => self.answered(),
            Evidence::Trouble(failure) => self.failed(failure),
        }
    }

    fn answered(self) {
        let place = match self.permit {
            Some((place, permit)) => {
                self.breakers.changed(&place, permit.succeeded());
                Some(place)
            }
            None => self.breakers.find(self.destination), // others had trouble meanwhile
        };
        if let Some(place) = place {
            self.breakers.recovered(&place);
        }
    }

    fn failed(self, failure: Failure) {
        let now = Instant::now();
        match self.permit {
            Some((place, permit)) => self.breakers.changed_by_doubt(&place, permit.failed(failure, now)),
            None => self.breakers.failed(self.destination, failure, now),
        }
    }
}

impl Breakers {
    /// Somebody has given up waiting for this upstream before its own time was over: a doubt, which a check clears up.
    pub(in crate::gateway) fn given_up(&self, destination: &Destination) {
        self.failed(destination, Failure::Doubtful, Instant::now());
    }

    fn failed(&self, destination: &Destination, failure: Failure, now: Instant) {
        if let Some(place) = self.trouble(destination, now) {
            self.changed_by_doubt(&place, place.breaker.failed(failure, now));
        }
    }

    fn changed_by_doubt(&self, place: &Place, changed: Option<BreakerState>) {
        self.changed(place, changed);
        if place.breaker.is_doubted() {
            self.0.doubt.notify_one();
        }
    }
}
