//! Rows of a read model in memory: typed, by primary key, changed by the fold, and only then written, each once however often it changed.
//!
//! A [`Table`] holds either a whole table (a rebuild begins with nothing and sees every event) or the rows that a page of events is about
//! (they are noted, loaded by one select, folded, and written by one upsert and one delete). To the fold both are the same.

mod binary;
mod column;

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use foldhash::fast::RandomState;
use sqlx::postgres::{PgArguments, PgRow, Postgres};
use sqlx::query::QueryAs;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use self::column::JsonRow;
pub use self::column::{Column, ColumnError, Columns};
pub(crate) use self::column::{column_as_text, document, json_document};
use crate::projection::Poison;

/// Rows in one COPY: a transaction that lasts for tenths of a second, however large the table.
const COPY_ROWS_MAX: usize = 50_000;

/// A row of a table, as the fold knows it. [`table!`](crate::table) writes this.
pub trait Row: for<'r> FromRow<'r, PgRow> + Send + Sync + Unpin + 'static {
    /// Its primary key.
    type Key: Key;
    /// Its table.
    const TABLE: &'static str;
    /// The columns of the primary key.
    const KEY: &'static [&'static str];
    /// All columns.
    const COLUMNS: &'static [&'static str];

    /// Its primary key.
    fn key(&self) -> Self::Key;

    /// Shows every column, in the order of `COLUMNS`.
    fn show(&self, columns: &mut dyn Columns) -> Result<(), ColumnError>;
}

/// A query for rows by their keys.
pub type Fetch<'q, R> = QueryAs<'q, Postgres, R, PgArguments>;

/// A primary key.
pub trait Key: Eq + Hash + Clone + Send + Sync + 'static {
    /// The array types of its columns.
    const ARRAYS: &'static [&'static str];

    /// Binds keys, one array for each column.
    fn bind<R>(keys: Vec<Self>, query: Fetch<'_, R>) -> Fetch<'_, R>;
}

impl Key for Uuid {
    const ARRAYS: &'static [&'static str] = &["uuid[]"];

    fn bind<R>(keys: Vec<Self>, query: Fetch<'_, R>) -> Fetch<'_, R> {
        query.bind(keys)
    }
}

impl Key for String {
    const ARRAYS: &'static [&'static str] = &["text[]"];

    fn bind<R>(keys: Vec<Self>, query: Fetch<'_, R>) -> Fetch<'_, R> {
        query.bind(keys)
    }
}

impl Key for i64 {
    const ARRAYS: &'static [&'static str] = &["bigint[]"];

    fn bind<R>(keys: Vec<Self>, query: Fetch<'_, R>) -> Fetch<'_, R> {
        query.bind(keys)
    }
}

impl Key for (Uuid, Uuid) {
    const ARRAYS: &'static [&'static str] = &["uuid[]", "uuid[]"];

    fn bind<R>(keys: Vec<Self>, query: Fetch<'_, R>) -> Fetch<'_, R> {
        let (one, other): (Vec<Uuid>, Vec<Uuid>) = keys.into_iter().unzip();
        query.bind(one).bind(other)
    }
}

/// What is known of one key.
#[derive(Debug)]
struct Slot<R> {
    /// `None` once the row was ended.
    row: Option<R>,
    changed: bool,
}

/// A table's rows in memory.
#[derive(Debug)]
pub struct Table<R: Row> {
    slots: HashMap<R::Key, Slot<R>, RandomState>,
    wanted: HashSet<R::Key, RandomState>,
}

impl<R: Row> Default for Table<R> {
    fn default() -> Self {
        Self { slots: HashMap::default(), wanted: HashSet::default() }
    }
}

/// Copies rows into a table of their columns, within the transaction that is open.
pub(crate) async fn copy_rows<R: Row>(
    connection: &mut PgConnection,
    table: &str,
    rows: &[R],
) -> Result<(), WriteError> {
    let sql = format!("copy {table} ({}) from stdin (format binary)", R::COLUMNS.join(", "));
    let mut copy = connection.copy_in_raw(&sql).await?;
    match binary::send::<R, _>(&mut copy, rows.iter()).await {
        Ok(()) => copy.finish().await?,
        Err(error) => {
            copy.abort("a row cannot be encoded").await?;
            return Err(error);
        }
    };
    Ok(())
}

impl<R: Row> Table<R> {
    /// Notes that an event is about this row, whether or not it is there.
    pub fn want(&mut self, key: R::Key) {
        self.wanted.insert(key);
    }

    /// One row.
    pub fn get(&self, key: &R::Key) -> Option<&R> {
        self.slots.get(key).and_then(|slot| slot.row.as_ref())
    }

    /// All rows.
    pub fn rows(&self) -> impl Iterator<Item = &R> {
        self.slots.values().filter_map(|slot| slot.row.as_ref())
    }

    /// How many rows are held. Ended ones count: what is to be deleted is remembered.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether none is held.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// A row that was not there.
    pub fn make(&mut self, row: R) -> Result<(), Poison> {
        if self.get(&row.key()).is_some() {
            return Err(Poison::exists());
        }
        self.put(row);
        Ok(())
    }

    /// A row in the place of the one with its key, if there is one.
    pub fn put(&mut self, row: R) {
        self.slots.insert(row.key(), Slot { row: Some(row), changed: true });
    }

    /// A row that is there, to be changed. An event about something that is not there is a hole in this read model: it is parked and seen,
    /// not skipped.
    pub fn change(&mut self, key: &R::Key) -> Result<&mut R, Poison> {
        let slot = self.slots.get_mut(key).ok_or_else(Poison::missing)?;
        let row = slot.row.as_mut().ok_or_else(Poison::missing)?;
        slot.changed = true;
        Ok(row)
    }

    /// Takes away a row that is there.
    pub fn end(&mut self, key: &R::Key) -> Result<(), Poison> {
        let slot = self.slots.get_mut(key).ok_or_else(Poison::missing)?;
        slot.row.take().ok_or_else(Poison::missing)?;
        slot.changed = true;
        Ok(())
    }

    /// Takes away all rows that are held.
    pub fn end_all(&mut self) {
        for slot in self.slots.values_mut() {
            slot.changed |= slot.row.take().is_some();
        }
    }

    /// Takes in rows as they stand in the database.
    pub fn hold(&mut self, rows: Vec<R>) {
        for row in rows {
            self.slots.entry(row.key()).or_insert(Slot { row: Some(row), changed: false });
        }
    }

    /// Loads the rows that were noted.
    pub async fn load(&mut self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        if self.wanted.is_empty() {
            return Ok(());
        }
        let keys: Vec<R::Key> = self.wanted.drain().collect();
        let arrays: Vec<String> =
            (1..).zip(R::Key::ARRAYS).map(|(number, array)| format!("${number}::{array}")).collect();
        let sql = format!(
            "select * from {} where ({}) in (select * from unnest({}))",
            R::TABLE,
            R::KEY.join(", "),
            arrays.join(", ")
        );
        self.hold(R::Key::bind(keys, sqlx::query_as(&sql)).fetch_all(connection).await?);
        Ok(())
    }

    /// Writes what changed, by one upsert and one delete, and forgets everything.
    pub async fn write(&mut self, connection: &mut PgConnection) -> Result<(), WriteError> {
        let (mut there, mut gone) = (JsonRow::default(), Vec::new());
        for (key, slot) in self.slots.drain().filter(|(_, slot)| slot.changed) {
            match slot.row {
                Some(row) => there.push(&row)?,
                None => gone.push(key),
            }
        }
        if let Some(json) = there.finish() {
            sqlx::query(&upsert::<R>()).bind(json).execute(&mut *connection).await?;
        }
        if !gone.is_empty() {
            let arrays: Vec<String> =
                (1..).zip(R::Key::ARRAYS).map(|(number, array)| format!("${number}::{array}")).collect();
            let sql = format!(
                "delete from {} where ({}) in (select * from unnest({}))",
                R::TABLE,
                R::KEY.join(", "),
                arrays.join(", ")
            );
            R::Key::bind(gone, sqlx::query_as::<_, ()>(&sql)).fetch_all(connection).await?;
        }
        Ok(())
    }

    /// Copies all rows into the empty table and forgets them. Each COPY is a transaction of its own, unless one is open.
    pub async fn copy(&mut self, connection: &mut PgConnection) -> Result<(), WriteError> {
        let sql = format!("copy {} ({}) from stdin (format binary)", R::TABLE, R::COLUMNS.join(", "));
        let mut rows = self.slots.drain().filter_map(|(_, slot)| slot.row).peekable();
        while rows.peek().is_some() {
            let mut copy = connection.copy_in_raw(&sql).await?;
            match binary::send::<R, _>(&mut copy, rows.by_ref().take(COPY_ROWS_MAX)).await {
                Ok(()) => copy.finish().await?,
                Err(error) => {
                    copy.abort("a row cannot be encoded").await?;
                    return Err(error);
                }
            };
        }
        Ok(())
    }
}

/// Rows cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Postgres refuses or does not answer.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// A value that no column takes.
    #[error("a row cannot be written: {0}")]
    Column(#[from] ColumnError),
}

impl WriteError {
    /// Whether the same rows will be refused again, however often they are sent.
    pub(crate) fn is_refusal(&self) -> bool {
        match self {
            // 22 data exception, 23 integrity violation
            Self::Database(sqlx::Error::Database(error)) => {
                error.code().is_some_and(|code| code.starts_with("22") || code.starts_with("23"))
            }
            Self::Database(_) => false,
            Self::Column(_) => true,
        }
    }
}

/// The table's own row type reads the JSON, so that no column's type is written down twice.
fn upsert<R: Row>() -> String {
    let columns = R::COLUMNS.join(", ");
    let others: Vec<String> = R::COLUMNS
        .iter()
        .filter(|column| !R::KEY.contains(column))
        .map(|column| format!("{column} = excluded.{column}"))
        .collect();
    format!(
        "insert into {table} ({columns}) select {columns} from jsonb_populate_recordset(null::{table}, $1::text::jsonb)
         on conflict ({key}) do update set {others}",
        table = R::TABLE,
        key = R::KEY.join(", "),
        others = others.join(", "),
    )
}

/// Says how a struct is a row: its table, its primary key, and its columns, which are its fields. A field that is left out does not compile.
#[macro_export]
macro_rules! table {
    ($row:ident in $table:literal by $key_type:ty = $($key:ident),+; $($column:ident),+ $(,)?) => {
        impl $crate::rows::Row for $row {
            type Key = $key_type;
            const TABLE: &'static str = $table;
            const KEY: &'static [&'static str] = &[$(stringify!($key)),+];
            const COLUMNS: &'static [&'static str] = &[$(stringify!($column)),+];

            fn key(&self) -> Self::Key {
                ($(self.$key.clone()),+)
            }

            fn show(&self, columns: &mut dyn $crate::rows::Columns) -> Result<(), $crate::rows::ColumnError> {
                let Self { $($column),+ } = self;
                $(columns.column(stringify!($column), $column)?;)+
                Ok(())
            }
        }
    };
}
