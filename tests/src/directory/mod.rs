//! The directory read model against a real Postgres: however a log is folded, the same rows come out, and a listing shows what it should.
#![cfg(test)]

mod authorizations;
pub(crate) mod everything;
mod folding;
pub(crate) mod history;
mod listing;
mod moving;
mod orders;
mod pages;
mod parking;
pub(crate) mod version;
mod visible;

use std::sync::Arc;
use std::time::Duration;

use domain::value::Position;
use projections::directory::Directory;
use projections::{Boxed, Doorbell, Foldable, OpenPersonalData, Projection, Runner, RunnerHandle, rebuild};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::task::JoinHandle;

use self::history::History;

const DEADLINE: Duration = Duration::from_secs(20);

/// The histories of these tests hold personal data in clear, or erased, so there is nothing to open.
#[derive(Debug)]
pub(crate) struct NothingSealed;

impl OpenPersonalData for NothingSealed {
    fn open<'a>(&'a self, _: &'a mut [Foldable]) -> Boxed<'a, Result<(), String>> {
        Box::pin(async { Ok(()) })
    }
}

/// A running projection. Dropping it kills it with its connections, as a crash would.
pub(crate) struct Live {
    pub(crate) doorbell: Doorbell,
    pub(crate) handle: RunnerHandle,
    task: JoinHandle<()>,
}

impl Live {
    pub(crate) fn start(pool: &PgPool) -> Self {
        Self::of(pool, Arc::new(Directory))
    }

    #[expect(
        clippy::default_trait_access,
        reason = "the runner's stop signal is not needed here, nor the crate that names its type"
    )]
    pub(crate) fn of(pool: &PgPool, projection: Arc<dyn Projection>) -> Self {
        let doorbell = Doorbell::default();
        let own =
            PgPoolOptions::new().max_connections(1).connect_lazy_with((*pool.connect_options()).clone());
        let runner = Runner::new(projection, own, Arc::new(NothingSealed), doorbell.clone());
        let handle = runner.handle();
        Self { doorbell, handle, task: tokio::spawn(runner.run(Default::default())) }
    }

    /// Says that the log reaches this far, and waits until it is folded.
    pub(crate) async fn folds_up_to(&self, position: Position) {
        self.doorbell.ring(position);
        let reached = tokio::time::timeout(DEADLINE, self.handle.reached(position)).await;
        assert!(reached.is_ok(), "not folded up to {position} in time: {:?}", self.handle.lag(position));
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Writes a history and folds it live.
pub(crate) async fn folded(pool: &PgPool, history: &History) {
    history.append(pool).await;
    Live::start(pool).folds_up_to(history.head()).await;
}

/// Rebuilds beside the live tables and compares the two, row by row.
pub(crate) async fn the_rebuilt_rows_are_the_live_ones(pool: &PgPool, head: Position) {
    let reached = rebuild(&Directory, pool, &NothingSealed, "rebuilt").await.unwrap();
    assert_eq!(reached, head);
    for table in Directory.tables() {
        assert!(
            count(pool, &format!("select * from public.{table}")).await > 0,
            "{table} is empty: nothing is compared"
        );
        for (one, other) in [("public", "rebuilt"), ("rebuilt", "public")] {
            let difference = format!("select * from {one}.{table} except select * from {other}.{table}");
            assert_eq!(count(pool, &difference).await, 0, "{table}: rows of {one} that are not in {other}");
        }
    }
}

pub(crate) async fn count(pool: &PgPool, rows: &str) -> i64 {
    let (count,): (i64,) =
        sqlx::query_as(&format!("select count(*) from ({rows}) as found")).fetch_one(pool).await.unwrap();
    count
}
