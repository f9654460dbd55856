//! How far every node has come, as the nodes say themselves: what a write waits for that is to hold everywhere.
//!
//! ```text
//!   node starts --> row, before it looks at the log --every RENEW_EVERY--> position, age, bound
//!   node stops  --> row removed                      node is killed --> row stays behind, and is forgotten after FORGOTTEN_AFTER
//! ```
//! A row that is not renewed counts as long as it is there: its node may be alive and only cut off from Postgres. Such a node decides by no view
//! that is older than its bound, so whoever waits need wait no longer than that for it. A node that has no row yet has looked at nothing yet, so
//! what was written before that row is in everything that it will decide by.
//!
//! Where a log has one node at a time, as the log of an embedded store has, whose folder is locked by its owner, the node that starts knows more: no
//! process is behind any row that it finds.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use domain::value::Position;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::access::LiveView;

/// How often a node says how far it is.
const RENEW_EVERY: Duration = Duration::from_millis(200);
/// A node that has said nothing for so long is taken for late.
const LEASE_MILLIS: i64 = 1_000;
/// Longer than any node decides without Postgres: the greatest bound, and the time that a clock map is used.
const FORGOTTEN_AFTER_SECONDS: f64 = 120.0;
/// How often those are looked for.
const FORGET_EVERY: Duration = Duration::from_secs(10);
/// How often a waiting write looks.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How long a statement may take before it is tried again.
const STATEMENT_WAIT: Duration = Duration::from_secs(2);

const RENEW: &str = "insert into node_leases (node, applied, bound_millis, renewed_at, expires_at)
    values ($1, $2, $3, clock_timestamp(), clock_timestamp() + $4 * interval '1 millisecond')
    on conflict (node) do update set applied = excluded.applied, bound_millis = excluded.bound_millis,
        renewed_at = excluded.renewed_at, expires_at = excluded.expires_at
    returning (select count(*) from node_leases where node <> $1 and expires_at > clock_timestamp())";

/// Every node, the one that is furthest behind first.
const NODES: &str = "select node, applied, bound_millis from node_leases order by applied, renewed_at";

/// The leases of all nodes on one log.
#[derive(Debug, Clone)]
pub struct Leases {
    pool: PgPool,
    node: Uuid,
    view: LiveView,
    nodes: Arc<AtomicU32>,
}

/// How a write came to hold everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Everywhere {
    /// Whether every node has applied it. Else those that have not, decide no more by what they knew before.
    pub applied: bool,
    /// How many nodes there are; nothing, when Postgres did not say.
    pub nodes: usize,
    /// The one that came last, or has not come.
    pub slowest: Option<Uuid>,
    /// How long that took since the write.
    pub took: Duration,
}

/// One look at the leases.
struct Behind {
    nodes: usize,
    slowest: Option<Uuid>,
    /// The greatest bound of those behind.
    bound: Duration,
}

impl Leases {
    /// The lease of this node, which has this view, among those of the others.
    pub fn new(pool: PgPool, node: Uuid, view: LiveView) -> Self {
        Self { pool, node, view, nodes: Arc::new(AtomicU32::new(1)) }
    }

    /// How many nodes there are, this one included, as of the last renewal: what they share is divided by it. A node that says nothing any more
    /// counts until its lease is over; while Postgres is silent, the count stays.
    pub fn live_nodes(&self) -> Arc<AtomicU32> {
        Arc::clone(&self.nodes)
    }

    /// Renews the lease of this node until told to stop, and gives it back then.
    pub async fn keep(self, stop: CancellationToken) {
        let mut forgot = Instant::now();
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(RENEW_EVERY) => {}
            }
            let _ = self.renew().await; // the next one is soon
            if forgot.elapsed() >= FORGET_EVERY {
                forgot = Instant::now();
                self.forget_the_dead().await;
            }
        }
        let leave = sqlx::query("delete from node_leases where node = $1").bind(self.node);
        let _ = tokio::time::timeout(STATEMENT_WAIT, leave.execute(&self.pool)).await; // it is forgotten later all the same
    }

    /// Says that this node is there, until that is known. To be awaited before it looks at the log for the first time.
    pub async fn enter(&self) {
        while !self.renew().await {
            tokio::time::sleep(RENEW_EVERY).await;
        }
    }

    /// The same for a node beside which there can be no other: the rows of those before it are of the dead, and go.
    pub async fn enter_alone(&self) {
        while !self.forget_all().await {
            tokio::time::sleep(RENEW_EVERY).await;
        }
        self.enter().await;
    }

    /// Tells whether it is done.
    async fn forget_all(&self) -> bool {
        let forget = sqlx::query("delete from node_leases").execute(&self.pool);
        matches!(tokio::time::timeout(STATEMENT_WAIT, forget).await, Ok(Ok(_)))
    }

    /// Says how far this node is. Tells whether that is known now.
    async fn renew(&self) -> bool {
        let freshness = self.view.freshness();
        let bound = i64::try_from(freshness.bound().as_millis()).unwrap_or(i64::MAX);
        let renewal = sqlx::query_scalar::<_, i64>(RENEW)
            .bind(self.node)
            .bind(i64::try_from(freshness.position().get()).unwrap_or(i64::MAX))
            .bind(bound)
            .bind(LEASE_MILLIS);
        match tokio::time::timeout(STATEMENT_WAIT, renewal.fetch_one(&self.pool)).await {
            Ok(Ok(others)) => {
                let others = u32::try_from(others).unwrap_or(u32::MAX);
                self.nodes.store(others.saturating_add(1), Ordering::Relaxed);
                return true;
            }
            Ok(Err(error)) => tracing::debug!(error = %error, "the lease of this node is not renewed"),
            Err(_) => tracing::debug!("the lease of this node is not renewed in time"),
        }
        false
    }

    /// Waits until every node holds a position, or must have stopped to decide without it.
    pub async fn everywhere(&self, position: Position) -> Everywhere {
        let written = Instant::now();
        let mut last = Behind { nodes: 0, slowest: None, bound: self.view.freshness().bound() };
        loop {
            if let Some(behind) = self.behind(position).await {
                match behind.slowest {
                    None => return Everywhere::new(true, behind.nodes, last.slowest, written),
                    Some(_) => last = behind,
                }
            }
            if written.elapsed() >= last.bound {
                return Everywhere::new(false, last.nodes, last.slowest, written);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Who is behind a position; nothing, when Postgres does not say.
    async fn behind(&self, position: Position) -> Option<Behind> {
        let position = i64::try_from(position.get()).unwrap_or(i64::MAX);
        let nodes = sqlx::query_as(NODES).fetch_all(&self.pool);
        let nodes: Vec<(Uuid, i64, i64)> =
            tokio::time::timeout(self.view.freshness().bound(), nodes).await.ok()?.ok()?;
        // Without this node the table is not whole, and who else is missing there cannot be told.
        nodes.iter().find(|(node, ..)| *node == self.node)?;
        let behind: Vec<_> = nodes.iter().filter(|(_, applied, _)| *applied < position).collect();
        let bound = behind.iter().map(|(.., bound)| bound.unsigned_abs()).max().unwrap_or_default();
        Some(Behind {
            nodes: nodes.len(),
            slowest: behind.first().map(|(node, ..)| *node),
            bound: Duration::from_millis(bound),
        })
    }

    async fn forget_the_dead(&self) {
        let forget = sqlx::query(
            "delete from node_leases where expires_at < clock_timestamp() - $1 * interval '1 second'",
        )
        .bind(FORGOTTEN_AFTER_SECONDS);
        let _ = tokio::time::timeout(STATEMENT_WAIT, forget.execute(&self.pool)).await; // another time, or another node
    }
}

impl Everywhere {
    fn new(applied: bool, nodes: usize, slowest: Option<Uuid>, since: Instant) -> Self {
        Self { applied, nodes, slowest, took: since.elapsed() }
    }
}
