//! A read model that forgives nothing: one row for each time that an event was folded.

use domain::event::Event;
use projections::{Boxed, OpenPersonalData, Projection, ProjectionError, Recorded};
use sqlx::{Executor as _, PgConnection, PgPool};

/// The read model.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tally;

impl Tally {
    /// Makes its table. Without a key: an event that is folded twice leaves two rows.
    pub(super) async fn make_table(pool: &PgPool) {
        pool.execute("create table tally (position bigint not null)").await.unwrap();
    }
}

impl Projection for Tally {
    fn name(&self) -> &'static str {
        "tally"
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["tally"]
    }

    fn apply<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        event: &'a Recorded,
        _: &'a Event,
    ) -> Boxed<'a, Result<(), ProjectionError>> {
        Box::pin(async move {
            let position = i64::try_from(event.position.get()).unwrap();
            sqlx::query("insert into tally (position) values ($1)")
                .bind(position)
                .execute(connection)
                .await?;
            Ok(())
        })
    }
}

/// The events of these tests hold no personal data.
#[derive(Debug)]
pub(super) struct NothingSealed;

impl OpenPersonalData for NothingSealed {
    fn open<'a>(&'a self, _: &'a mut [Recorded]) -> Boxed<'a, Result<(), String>> {
        Box::pin(async { Ok(()) })
    }
}
