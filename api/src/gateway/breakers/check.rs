//! Checks: whether an upstream in trouble is there, found out by a request of our own.
//!
//! It is `server/discover`, which every server of 2026-07-28 answers at once and every other one refuses at once; with no credential, session or
//! word of anybody's in it, so that nobody but the server itself can make it fail. Being refused is being answered. It takes the way that calls
//! take, through the same guard on addresses. Checked is what somebody asked for and did not get, nothing else, so many at a time for all
//! upstreams and for those of one organization, so that none waits behind another's dead servers.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use domain::value::OrganizationId;
use http::{HeaderMap, HeaderValue, Method, header};
use mcp::headers::{MCP_METHOD, MCP_PROTOCOL_VERSION};
use mcp::upstream::{Patience, Upstream, UpstreamRequest};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::evidence::Evidence;
use super::{Breakers, Checking, Place};
use crate::breaker::BreakerState;
use crate::metrics::{CheckOutcome, TroubledUpstreams};

/// How often it is looked which checks are due, when nobody says that one is.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Checks under way at once.
const CHECKS_MAX: usize = 32;
/// Of upstreams of one organization, or of the catalogue.
const CHECKS_PER_OWNER_MAX: usize = 8;

const METHOD: &str = "server/discover";
const REVISION: &str = "2026-07-28";
const MESSAGE: &str = concat!(
    r#"{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{"_meta":{"#,
    r#""io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"#,
    r#""io.modelcontextprotocol/clientInfo":{"name":"sekisho","version":""#,
    env!("CARGO_PKG_VERSION"),
    r#""}}}}"#
);

impl Breakers {
    /// Checks upstreams in trouble, until told to stop. Checks under way end with it.
    pub(crate) async fn check(self, upstream: Upstream, stop: CancellationToken) {
        let mut checks = JoinSet::new();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                Some(_) = checks.join_next() => {}
                () = self.0.doubt.notified() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            self.start_checks(&upstream, &mut checks);
        }
    }

    fn start_checks(&self, upstream: &Upstream, checks: &mut JoinSet<()>) {
        let now = Instant::now();
        let places = self.in_trouble(now);
        self.0.metrics.upstreams_in_trouble(counted(&places, now));
        let mut under_way: HashMap<Option<OrganizationId>, usize> = HashMap::new();
        for place in &places {
            if place.checking.load(std::sync::atomic::Ordering::Acquire) {
                *under_way.entry(place.owner).or_default() += 1;
            }
        }
        for place in places.into_iter().filter(|place| place.breaker.wants_a_check(now)) {
            let of_owner = under_way.entry(place.owner).or_default();
            if checks.len() >= CHECKS_MAX {
                return;
            }
            if *of_owner >= CHECKS_PER_OWNER_MAX {
                continue;
            }
            if let Some(checking) = Checking::start(&place) {
                *of_owner += 1;
                checks.spawn(self.clone().check_one(checking, upstream.clone()));
            }
        }
    }

    async fn check_one(self, checking: Checking, upstream: Upstream) {
        let place = &checking.0;
        let answer = tokio::time::timeout(self.0.limits.check, upstream.send(request(place))).await;
        // Where it is our own refusal, or our own want, callers are told of that themselves.
        let is_there = match answer.as_ref().map(Evidence::of) {
            Ok(Evidence::There | Evidence::Nothing) => true,
            Ok(Evidence::Trouble(_)) | Err(_) => false,
        };
        if is_there {
            self.0.metrics.upstream_checked(CheckOutcome::Answered);
            self.recovered(place);
        } else {
            self.0.metrics.upstream_checked(CheckOutcome::Failed);
            self.changed(place, place.breaker.check_failed(Instant::now()));
        }
    }
}

fn counted(places: &[std::sync::Arc<Place>], now: Instant) -> TroubledUpstreams {
    let mut counted = TroubledUpstreams::default();
    for place in places {
        match place.breaker.state(now) {
            BreakerState::Closed => counted.closed += 1,
            BreakerState::Open => counted.open += 1,
            BreakerState::HalfOpen => counted.half_open += 1,
        }
    }
    counted
}

fn request(place: &Place) -> UpstreamRequest {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
    headers.insert(MCP_PROTOCOL_VERSION, HeaderValue::from_static(REVISION));
    headers.insert(MCP_METHOD, HeaderValue::from_static(METHOD));
    UpstreamRequest {
        method: Method::POST,
        url: place.url.clone(),
        headers,
        body: Bytes::from_static(MESSAGE.as_bytes()),
        patience: Patience::Call,
        reach: place.reach,
    }
}

#[cfg(test)]
mod tests {
    use mcp::envelope::Message;

    use super::*;

    #[test]
    fn the_question_is_one_of_the_revision_that_it_names() {
        let message = Message::parse(Bytes::from_static(MESSAGE.as_bytes())).unwrap();
        assert_eq!((message.method(), message.protocol_version()), (Some(METHOD), Some(REVISION)));
        assert!(message.states_capabilities());
    }
}
