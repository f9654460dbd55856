//! Into the tables, by COPY: a batch is stored whole or not at all, and what is there already is not stored again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use sqlx::{PgConnection, PgPool};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use super::entry::{Call, Entry};
use super::partitions::{Retention, make_for_arguments, make_for_calls};
use super::record::CallRecord;
use super::runs::{self, Run};
use crate::rows::{WriteError, copy_rows};

/// A batch was not stored.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Postgres refuses or does not answer.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::Write(error.into())
    }
}

impl StoreError {
    fn is_refusal(&self) -> bool {
        let Self::Write(error) = self;
        error.is_refusal()
    }

    /// Whether something of the batch was there already.
    fn is_repeated(&self) -> bool {
        let Self::Write(WriteError::Database(sqlx::Error::Database(error))) = self else { return false };
        error.is_unique_violation()
    }
}

/// The tables of call records.
#[derive(Debug, Clone)]
pub struct CallStore {
    pool: PgPool,
    retention: Retention,
    /// Partitions that are known to be there: of calls, and of arguments.
    made: Arc<Mutex<(BTreeSet<Date>, BTreeSet<Date>)>>,
}

impl CallStore {
    /// The tables in this database.
    pub fn new(pool: PgPool, retention: Retention) -> Self {
        Self { pool, retention, made: Arc::default() }
    }

    /// The database.
    pub const fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// How long records are kept.
    pub const fn retention(&self) -> Retention {
        self.retention
    }

    /// Stores a batch, in one transaction. What is older than records are kept is not stored, but counts as arrived.
    pub async fn store(&self, entries: &[Entry], now: OffsetDateTime) -> Result<(), StoreError> {
        if entries.is_empty() {
            return Ok(());
        }
        match self.store_once(entries, now).await {
            Err(error) if error.is_refusal() => {}
            stored => return stored,
        }
        // A partition that somebody dropped, or a record that no column takes: one by one, so that the others are kept.
        *self.made.lock().unwrap_or_else(PoisonError::into_inner) = <_>::default();
        for entry in entries {
            match self.store_once(std::slice::from_ref(entry), now).await {
                Err(error) if error.is_refusal() => {
                    tracing::error!(error = %error, "a call record is counted as dropped: the table does not take it");
                    self.store_once(&[Entry::Drops(entry.given_up())], now).await?;
                }
                stored => stored?,
            }
        }
        Ok(())
    }

    async fn store_once(&self, entries: &[Entry], now: OffsetDateTime) -> Result<(), StoreError> {
        let batch = Batch::of(entries, self.retention.first_day(now.date()), now.date());
        self.make_partitions(&batch).await?;
        match self.write(&batch, entries, now, Manner::Plain).await {
            Err(error) if error.is_repeated() => self.write(&batch, entries, now, Manner::Once).await,
            written => written,
        }
    }

    async fn make_partitions(&self, batch: &Batch<'_>) -> Result<(), StoreError> {
        let missing = |wanted: &BTreeSet<Date>, made: &BTreeSet<Date>| -> Vec<Date> {
            wanted.difference(made).copied().collect()
        };
        let (calls, arguments) = {
            let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
            (missing(&batch.days, &made.0), missing(&batch.argument_days, &made.1))
        };
        for day in calls {
            make_for_calls(&self.pool, day).await?;
            self.made.lock().unwrap_or_else(PoisonError::into_inner).0.insert(day);
        }
        for day in arguments {
            make_for_arguments(&self.pool, day).await?;
            self.made.lock().unwrap_or_else(PoisonError::into_inner).1.insert(day);
        }
        Ok(())
    }

    async fn write(
        &self,
        batch: &Batch<'_>,
        entries: &[Entry],
        now: OffsetDateTime,
        manner: Manner,
    ) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        let nodes: BTreeSet<Uuid> = entries.iter().map(Entry::node_id).collect();
        let nodes: Vec<Uuid> = nodes.into_iter().collect();
        runs::lock_nodes(&mut transaction, &nodes, now).await?;
        match manner {
            Manner::Plain => copy_rows(&mut transaction, "calls", &batch.records).await?,
            Manner::Once => copy_once(&mut transaction, &batch.records).await?,
        }
        write_arguments(&mut transaction, batch).await?;
        write_drops(&mut transaction, entries).await?;
        runs::take_in(&mut transaction, arrived(entries)).await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// How rows are written.
#[derive(Debug, Clone, Copy)]
enum Manner {
    /// Straight into the table: fails when one of them is there.
    Plain,
    /// By way of a table beside it: those that are there are left out.
    Once,
}

/// What of a batch is to be kept.
struct Batch<'a> {
    calls: Vec<&'a Call>,
    records: Vec<CallRecord>,
    days: BTreeSet<Date>,
    argument_days: BTreeSet<Date>,
}

impl<'a> Batch<'a> {
    fn of(entries: &'a [Entry], first_day: Date, today: Date) -> Self {
        let mut seen = BTreeSet::new();
        let calls = entries.iter().filter_map(|entry| match entry {
            Entry::Call(call) => Some(call),
            Entry::Drops(_) => None,
        });
        let calls: Vec<&Call> =
            calls.filter(|call| call.record.at.date() >= first_day && seen.insert(call.record.id)).collect();
        let arguments = calls.iter().filter_map(|call| call.arguments.as_ref());
        Self {
            records: calls.iter().map(|call| call.record.clone()).collect(),
            days: calls.iter().map(|call| call.record.at.date()).collect(),
            argument_days: arguments.map(|sealed| sealed.until).filter(|until| *until > today).collect(),
            calls,
        }
    }
}

fn arrived(entries: &[Entry]) -> BTreeMap<Uuid, Vec<Run>> {
    let mut arrived: BTreeMap<Uuid, Vec<Run>> = BTreeMap::new();
    for entry in entries {
        let (from_at, until_at) = entry.span();
        let run = Run { first: entry.number(), last: entry.number(), from_at, until_at };
        arrived.entry(entry.node_id()).or_default().push(run);
    }
    arrived
}

async fn copy_once(connection: &mut PgConnection, records: &[CallRecord]) -> Result<(), StoreError> {
    sqlx::query("create temporary table calls_arriving (like calls) on commit drop")
        .execute(&mut *connection)
        .await?;
    copy_rows(connection, "calls_arriving", records).await?;
    sqlx::query("insert into calls select * from calls_arriving on conflict do nothing")
        .execute(connection)
        .await?;
    Ok(())
}

/// Those whose time is over already have no partition any more, and are left out.
async fn write_arguments(connection: &mut PgConnection, batch: &Batch<'_>) -> Result<(), StoreError> {
    let (mut until, mut ids, mut sealed) = (Vec::new(), Vec::new(), Vec::new());
    for call in &batch.calls {
        if let Some(arguments) =
            call.arguments.as_ref().filter(|kept| batch.argument_days.contains(&kept.until))
        {
            until.push(arguments.until);
            ids.push(call.record.id);
            sealed.push(arguments.sealed.as_slice());
        }
    }
    if ids.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "insert into call_arguments (until, id, sealed)
         select * from unnest($1::date[], $2::uuid[], $3::bytea[]) on conflict do nothing",
    )
    .bind(until)
    .bind(ids)
    .bind(sealed)
    .execute(connection)
    .await?;
    Ok(())
}

async fn write_drops(connection: &mut PgConnection, entries: &[Entry]) -> Result<(), StoreError> {
    for entry in entries {
        let Entry::Drops(drops) = entry else { continue };
        sqlx::query(
            "insert into call_drops (node_id, number, organization_id, instance_id, from_at, until_at, dropped)
             values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing",
        )
        .bind(drops.node_id)
        .bind(drops.number)
        .bind(drops.organization_id)
        .bind(drops.instance_id)
        .bind(drops.from_at)
        .bind(drops.until_at)
        .bind(drops.dropped)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}
