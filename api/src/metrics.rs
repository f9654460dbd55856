//! Metrics in the OpenMetrics text form. Labels come from fixed sets only: no credential, name or address is ever a label.

mod freshness;
mod providers;
mod upstreams;

use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mcp::memory::ByteBudget;
use projections::calls::ObserveCalls;
use projections::notary::ObserveNotary;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

pub(crate) use providers::ProviderOutcome;
pub(crate) use upstreams::{CheckOutcome, TroubledUpstreams};

/// Which part of the product answered, and how.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct AnswerLabels {
    area: &'static str,
    status: u16,
}

/// Why a call was refused.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct RefusalLabels {
    reason: &'static str,
}

/// An area of the product.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct AreaLabels {
    area: &'static str,
}

/// A read model.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct ReaderLabels {
    reader: &'static str,
}

/// A budget of memory.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct BudgetLabels {
    budget: &'static str,
}

/// A limit on how often somebody asks.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct LimitLabels {
    surface: &'static str,
    limit: &'static str,
}

/// A place where checkpoints are published.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct PlaceLabels {
    place: &'static str,
}

/// The way that a record of a call took.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct WayLabels {
    way: &'static str,
}

/// Everything that is counted. Cheap to clone, as whoever answers a request does.
#[derive(Debug, Clone, Default)]
pub struct Metrics(Arc<Counts>);

impl Deref for Metrics {
    type Target = Counts;

    fn deref(&self) -> &Counts {
        &self.0
    }
}

/// The counters themselves.
#[derive(Debug)]
pub struct Counts {
    registry: Registry,
    answers: Family<AnswerLabels, Counter>,
    refusals: Family<RefusalLabels, Counter>,
    limited: Family<LimitLabels, Counter>,
    durations: Family<AreaLabels, Histogram>,
    upstream: Histogram,
    calls: CallMetrics,
    held: Family<BudgetLabels, Gauge>,
    budgets: Mutex<Vec<(&'static str, ByteBudget)>>,
    unprotected: Histogram,
    notarized: Gauge,
    notary_refuses: Gauge,
    unpublished: Family<PlaceLabels, Counter>,
    freshness: freshness::Counted,
    providers: providers::Counted,
    upstreams: upstreams::Counted,
    /// Requests being answered right now, streams included.
    pub(crate) in_flight: Gauge,
    /// Last position of the log that this node has heard of.
    pub(crate) log_position: Gauge,
    /// How far each reader is behind, in events.
    pub(crate) lag: Family<ReaderLabels, Gauge>,
    /// Events that each projection could not fold.
    pub(crate) parked: Family<ReaderLabels, Gauge>,
}

/// From 0.5 ms to about 16 s.
fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.000_5, 2.0, 16))
}

/// What becomes of records of calls.
#[derive(Debug, Clone, Default)]
struct CallMetrics {
    recorded: Family<WayLabels, Counter>,
    dropped: Counter,
    queued: Gauge,
    projected: Counter,
    waiting: Gauge,
}

impl CallMetrics {
    fn of(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        let Self { recorded, dropped, queued, projected, waiting } = metrics.clone();
        registry.register("call_records", "Records of calls handed on, by way: nats or postgres", recorded);
        registry.register("call_records_dropped", "Records of calls dropped for want of room", dropped);
        registry.register("call_records_queued", "Records of calls in memory", queued);
        registry.register("call_records_projected", "Records of calls out of NATS into Postgres", projected);
        registry.register("call_records_waiting", "Records of calls in NATS when it was last asked", waiting);
        metrics
    }
}

impl Default for Counts {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("sekisho");
        let answers = Family::<AnswerLabels, Counter>::default();
        let refusals = Family::<RefusalLabels, Counter>::default();
        let durations = Family::<AreaLabels, Histogram>::new_with_constructor(seconds);
        let (upstream, unprotected) = (seconds(), seconds());
        let (notarized, notary_refuses) = (Gauge::default(), Gauge::default());
        let unpublished = Family::<PlaceLabels, Counter>::default();
        let (in_flight, log_position) = (Gauge::default(), Gauge::default());
        let (lag, parked) =
            (Family::<ReaderLabels, Gauge>::default(), Family::<ReaderLabels, Gauge>::default());
        registry.register("http_answers", "Answers by area and status", answers.clone());
        let limited = Family::<LimitLabels, Counter>::default();
        registry.register(
            "rate_limited",
            "Requests refused for asking too often, by surface and limit",
            limited.clone(),
        );
        registry.register("mcp_refusals", "Refused MCP calls by reason", refusals.clone());
        registry.register_with_unit(
            "http_duration",
            "Time to the head of the answer",
            Unit::Seconds,
            durations.clone(),
        );
        registry.register_with_unit(
            "upstream_first_byte",
            "Time to the head of an upstream's answer",
            Unit::Seconds,
            upstream.clone(),
        );
        registry.register("http_in_flight", "Requests being answered, streams included", in_flight.clone());
        registry.register("log_position", "Last position of the log heard of", log_position.clone());
        registry.register("reader_lag_events", "Events that a reader has not taken in yet", lag.clone());
        registry.register(
            "projection_parked_events",
            "Events that a projection could not fold",
            parked.clone(),
        );
        let held = Family::<BudgetLabels, Gauge>::default();
        registry.register_with_unit(
            "held",
            "Requests and answers in memory by budget",
            Unit::Bytes,
            held.clone(),
        );
        registry.register_with_unit(
            "notary_unprotected",
            "Time from the commit of an event to the signed checkpoint that covers it, for the oldest of each checkpoint",
            Unit::Seconds,
            unprotected.clone(),
        );
        registry.register("notary_position", "Last position that this node has signed", notarized.clone());
        registry.register(
            "notary_refuses",
            "1 while the notary refuses to sign because the log is not what it signed before",
            notary_refuses.clone(),
        );
        registry.register(
            "notary_unpublished",
            "Checkpoints that could not be brought to a place",
            unpublished.clone(),
        );
        let freshness = freshness::Counted::register(&mut registry);
        let providers = providers::Counted::register(&mut registry);
        let upstreams = upstreams::Counted::register(&mut registry);
        let calls = CallMetrics::of(&mut registry);
        let budgets = Mutex::default();
        Self {
            registry,
            answers,
            refusals,
            limited,
            durations,
            upstream,
            calls,
            held,
            budgets,
            unprotected,
            notarized,
            notary_refuses,
            unpublished,
            freshness,
            providers,
            upstreams,
            in_flight,
            log_position,
            lag,
            parked,
        }
    }
}

impl ObserveCalls for Metrics {
    fn handed_on(&self, way: &'static str, records: usize) {
        self.calls.recorded.get_or_create(&WayLabels { way }).inc_by(records as u64);
    }

    fn queue(&self, held: usize, dropped: u64) {
        self.calls.queued.set(i64::try_from(held).unwrap_or(i64::MAX));
        let told = self.calls.dropped.get();
        self.calls.dropped.inc_by(dropped.saturating_sub(told)); // one task tells it
    }

    fn projected(&self, records: usize, waiting: u64) {
        self.calls.projected.inc_by(records as u64);
        self.calls.waiting.set(i64::try_from(waiting).unwrap_or(i64::MAX));
    }
}

impl ObserveNotary for Metrics {
    fn signed(&self, size: u64, unprotected: Duration) {
        self.notarized.set(i64::try_from(size).unwrap_or(i64::MAX));
        self.unprotected.observe(unprotected.as_secs_f64());
    }

    fn refuses(&self, refuses: bool) {
        self.notary_refuses.set(i64::from(refuses));
    }

    fn unpublished(&self, place: &'static str) {
        self.unpublished.get_or_create(&PlaceLabels { place }).inc();
    }
}

impl Metrics {
    /// One answer of an area of the product.
    pub(crate) fn answered(&self, area: &'static str, status: u16, took: Duration) {
        self.answers.get_or_create(&AnswerLabels { area, status }).inc();
        self.durations.get_or_create(&AreaLabels { area }).observe(took.as_secs_f64());
    }

    /// One refused call.
    pub(crate) fn refused(&self, reason: &'static str) {
        self.refusals.get_or_create(&RefusalLabels { reason }).inc();
    }

    /// Somebody asked too often.
    pub(crate) fn rate_limited(&self, surface: &'static str, limit: &'static str) {
        self.limited.get_or_create(&LimitLabels { surface, limit }).inc();
    }

    /// An upstream began to answer.
    pub(crate) fn upstream_answered(&self, took: Duration) {
        self.upstream.observe(took.as_secs_f64());
    }

    /// How far a reader is behind, and what it has parked.
    pub(crate) fn reader(&self, reader: &'static str, lag: u64, parked: u64) {
        let labels = ReaderLabels { reader };
        self.lag.get_or_create(&labels).set(i64::try_from(lag).unwrap_or(i64::MAX));
        self.parked.get_or_create(&labels).set(i64::try_from(parked).unwrap_or(i64::MAX));
    }

    /// Shows from now on what is held of these.
    pub(crate) fn show_held(&self, budgets: impl IntoIterator<Item = (&'static str, ByteBudget)>) {
        self.budgets.lock().unwrap_or_else(PoisonError::into_inner).extend(budgets);
    }

    /// The text for a scraper.
    pub(crate) fn text(&self) -> String {
        for (budget, bytes) in self.budgets.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let bytes = i64::try_from(bytes.bytes_held()).unwrap_or(i64::MAX);
            self.held.get_or_create(&BudgetLabels { budget }).set(bytes);
        }
        let mut text = String::new();
        // Writing into a string cannot fail.
        let _ = prometheus_client::encoding::text::encode(&mut text, &self.registry);
        text
    }
}
