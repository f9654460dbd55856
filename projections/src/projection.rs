//! What a read model in Postgres is: a name, a version, its tables, and a pure fold of events into rows in memory.

use std::future::Future;
use std::pin::Pin;

use domain::event::Event;
use sqlx::PgConnection;

use crate::recorded::Foldable;
use crate::rows::WriteError;

/// A boxed future: projections are kept in a list, so their methods must be object safe.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A read model in Postgres. Its tables change only in the transaction that also moves its checkpoint.
pub trait Projection: Send + Sync {
    /// Its name in checkpoints, metrics and commands.
    fn name(&self) -> &'static str;

    /// Raised when the rows get another meaning: the first run of a new version empties the tables and folds the log from zero, and
    /// nodes that still run an older one leave them alone from then on. Another shape of the tables takes a migration as well.
    fn version(&self) -> i32;

    /// Its tables, which it alone writes. Each has a primary key.
    fn tables(&self) -> &'static [&'static str];

    /// Rows to fold into; none is there yet.
    fn rows(&self) -> Box<dyn Rows>;
}

/// The rows of a read model in memory: all of them, or those that a page of events is about.
pub trait Rows: Send {
    /// Notes which rows an event is about. Not needed where all rows are held.
    fn want(&mut self, event: &Foldable, fact: &Event);

    /// Loads the rows that were noted, as far as they are there.
    fn load<'a>(&'a mut self, connection: &'a mut PgConnection) -> Boxed<'a, Result<(), sqlx::Error>>;

    /// Folds one event, or changes nothing and says why. Must give the same rows whenever it is run from zero.
    fn fold(&mut self, event: &Foldable, fact: &Event) -> Result<(), Poison>;

    /// Writes what changed and forgets all rows.
    fn write<'a>(&'a mut self, connection: &'a mut PgConnection) -> Boxed<'a, Result<(), WriteError>>;

    /// Copies all rows into empty tables and forgets them.
    fn copy<'a>(&'a mut self, connection: &'a mut PgConnection) -> Boxed<'a, Result<(), WriteError>>;

    /// How many rows are held.
    fn count(&self) -> usize;
}

/// An event makes no sense to a read model, however often it is tried.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Poison(pub String);

impl Poison {
    /// It is about something that is not there.
    pub fn missing() -> Self {
        Self("it changes something that is not in this read model".to_owned())
    }

    /// It makes something that is there.
    pub fn exists() -> Self {
        Self("it makes something that is in this read model already".to_owned())
    }
}

/// Opens sealed personal data in events before they are folded. What cannot be opened any more reads "erased".
pub trait OpenPersonalData: Send + Sync {
    /// Opens in place.
    fn open<'a>(&'a self, events: &'a mut [Foldable]) -> Boxed<'a, Result<(), String>>;
}
