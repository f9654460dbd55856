//! A read model that forgives nothing: for each event, how often it was folded.

use domain::event::Event;
use projections::rows::{Table, WriteError};
use projections::{Boxed, Foldable, OpenPersonalData, Poison, Projection, Rows, table};
use sqlx::{Executor as _, FromRow, PgConnection, PgPool};

/// The read model.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tally;

impl Tally {
    /// Makes its table.
    pub(crate) async fn make_table(pool: &PgPool) {
        pool.execute("create table tally (position bigint primary key, times bigint not null)")
            .await
            .unwrap();
    }
}

#[derive(Debug, FromRow)]
struct Folded {
    position: i64,
    times: i64,
}

table!(Folded in "tally" by i64 = position; position, times);

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

    fn rows(&self) -> Box<dyn Rows> {
        Box::new(TallyRows(Table::default()))
    }
}

struct TallyRows(Table<Folded>);

fn place(event: &Foldable) -> i64 {
    i64::try_from(event.position.get()).unwrap()
}

impl Rows for TallyRows {
    fn want(&mut self, event: &Foldable, _: &Event) {
        self.0.want(place(event));
    }

    fn load<'a>(&'a mut self, connection: &'a mut PgConnection) -> Boxed<'a, Result<(), sqlx::Error>> {
        Box::pin(self.0.load(connection))
    }

    fn fold(&mut self, event: &Foldable, _: &Event) -> Result<(), Poison> {
        let position = place(event);
        let times = self.0.get(&position).map_or(1, |folded| folded.times + 1);
        self.0.put(Folded { position, times });
        Ok(())
    }

    fn write<'a>(&'a mut self, connection: &'a mut PgConnection) -> Boxed<'a, Result<(), WriteError>> {
        Box::pin(self.0.write(connection))
    }

    fn copy<'a>(&'a mut self, connection: &'a mut PgConnection) -> Boxed<'a, Result<(), WriteError>> {
        Box::pin(self.0.copy(connection))
    }

    fn count(&self) -> usize {
        self.0.len()
    }
}

/// The events of these tests hold no personal data.
#[derive(Debug)]
pub(crate) struct NothingSealed;

impl OpenPersonalData for NothingSealed {
    fn open<'a>(&'a self, _: &'a mut [Foldable]) -> Boxed<'a, Result<(), String>> {
        Box::pin(async { Ok(()) })
    }
}
