//! What a read model in Postgres is: a name, a version, and a fold of one event into rows.

use std::future::Future;
use std::pin::Pin;

use domain::event::Event;
use sqlx::PgConnection;

use crate::recorded::Recorded;

/// A boxed future: projections are kept in a list, so their methods must be object safe.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A read model in Postgres. Its rows change only in `apply`, in the transaction that also moves its checkpoint.
pub trait Projection: Send + Sync {
    /// Its name in checkpoints, metrics and commands.
    fn name(&self) -> &'static str;

    /// Raised when the rows get another meaning: the first run of a new version empties the tables and folds the log from zero, and
    /// nodes that still run an older one leave them alone from then on. Another shape of the tables takes a migration as well.
    fn version(&self) -> i32;

    /// Its tables, which it alone writes.
    fn tables(&self) -> &'static [&'static str];

    /// Folds one event. Must give the same rows whenever it is run from zero.
    fn apply<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        event: &'a Recorded,
        fact: &'a Event,
    ) -> Boxed<'a, Result<(), ProjectionError>>;
}

/// An event could not be folded.
#[derive(Debug, thiserror::Error)]
pub enum ProjectionError {
    /// Postgres refuses or does not answer.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// The event makes no sense to this read model.
    #[error("{0}")]
    Poison(String),
}

impl ProjectionError {
    /// Whether this event will fail again however often it is tried.
    pub(crate) fn is_poison(&self) -> bool {
        match self {
            Self::Poison(_) => true,
            // 22 data exception, 23 integrity violation: the same rows will be refused again
            Self::Database(sqlx::Error::Database(error)) => {
                error.code().is_some_and(|code| code.starts_with("22") || code.starts_with("23"))
            }
            Self::Database(_) => false,
        }
    }
}

/// Opens sealed personal data in events before they are folded. What cannot be opened any more reads "erased".
pub trait OpenPersonalData: Send + Sync {
    /// Opens in place.
    fn open<'a>(&'a self, events: &'a mut [Recorded]) -> Boxed<'a, Result<(), String>>;
}
