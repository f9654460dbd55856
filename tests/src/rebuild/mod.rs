//! Building a read model anew beside the live one: under traffic, killed, twice at once, and what the new tables take over.

#![cfg(test)]

mod administered;
mod killed;
mod takeover;
mod traffic;
mod twice;

use projections::directory::Directory;
use projections::{Projection, Rebuild, RebuildError, Rebuilt, rebuild};
use sqlx::PgPool;

use crate::directory::{NothingSealed, count};

/// Rebuilds the directory in place.
async fn rebuilt(pool: &PgPool) -> Result<Rebuilt, RebuildError> {
    Rebuild::new(&Directory, pool, &NothingSealed).run(|_| {}).await
}

/// The live rows are those that a fold from zero gives, row for row, and nothing is parked.
async fn the_live_rows_are_right(pool: &PgPool) {
    rebuild(&Directory, pool, &NothingSealed, "from_zero").await.unwrap();
    for table in Directory.tables() {
        for (one, other) in [("public", "from_zero"), ("from_zero", "public")] {
            let difference = format!("select * from {one}.{table} except all select * from {other}.{table}");
            assert_eq!(count(pool, &difference).await, 0, "{table}: rows of {one} that are not in {other}");
        }
    }
    assert_eq!(count(pool, "select * from parked_events").await, 0);
}
