//! `sekisho replay`: the history to standard output, read straight from the log, in constant memory.
//!
//! The exit code says whether it is whole: 0 when every event that was asked for is out (or whoever reads has had enough), 1 when the log is
//! broken off, has a hole or stops answering, 2 when there is no such moment.

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use domain::value::{OrganizationId, Position};
use projections::history::{AggregateName, EventTypeName, Filter, History, Moment, NotYet, Range, Slices};
use projections::{LogError, Recorded};
use serde_json::json;

use super::complain;
use super::store::StoreOptions;
use crate::ndjson;

/// Which events, and how they are printed.
#[derive(Debug, Args)]
pub(super) struct Replay {
    /// Where to begin: a position, or a time in RFC 3339
    #[arg(long, value_name = "POSITION|TIME", default_value = "1")]
    from: Moment,

    /// Where to end, inclusive: a position, or a time in RFC 3339; without it at the end of the log
    #[arg(long, value_name = "POSITION|TIME", conflicts_with = "as_of")]
    to: Option<Moment>,

    /// Everything that had happened by then: a time in RFC 3339, or a position
    #[arg(long, value_name = "TIME|POSITION")]
    as_of: Option<Moment>,

    /// Only what happened to aggregates of this type, or to one of them
    #[arg(long, value_name = "TYPE[/ID]")]
    aggregate: Option<AggregateName>,

    /// Only events of this type: revoked, of whatever it happened to, or api_key.revoked
    #[arg(long = "type", value_name = "TYPE|AGGREGATE.TYPE")]
    event_type: Option<EventTypeName>,

    /// Only what this actor caused, such as user:0192f0c1-2b3c-7d4e-8f50-112233445566
    #[arg(long, value_name = "ACTOR")]
    actor: Option<String>,

    /// Only events of this organization
    #[arg(long, value_name = "ID")]
    organization: Option<OrganizationId>,

    /// One JSON object a line, ended by a line that says so; or a table for people
    #[arg(long, value_enum, default_value = "ndjson")]
    format: Format,

    #[command(flatten)]
    store: StoreOptions,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Ndjson,
    Table,
}

/// The history is not out as a whole.
#[derive(Debug, thiserror::Error)]
enum ReplayError {
    #[error(transparent)]
    NotYet(#[from] NotYet),
    #[error(transparent)]
    Log(#[from] LogError),
    #[error("the history cannot be written: {0}")]
    Output(#[from] io::Error),
    #[error("an event cannot be written: {0}")]
    Json(#[from] serde_json::Error),
}

impl Replay {
    pub(super) async fn run(self) -> ExitCode {
        let store = match self.store.open().await {
            Ok(store) => store,
            Err(error) => {
                complain(&error.to_string());
                return ExitCode::FAILURE;
            }
        };
        let mut out = BufWriter::new(io::stdout());
        let printed = self.print(&History::new(store.log()), &mut out).await.and_then(|()| Ok(out.flush()?));
        store.close().await;
        match printed {
            Ok(()) => ExitCode::SUCCESS,
            // Whoever reads has seen enough, as `head` has.
            Err(ReplayError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
            Err(error) => {
                complain(&error.to_string());
                let not_yet =
                    matches!(error, ReplayError::NotYet(NotYet::Position { .. } | NotYet::Time { .. }));
                ExitCode::from(if not_yet { 2 } else { 1 })
            }
        }
    }

    async fn print(&self, history: &History, out: &mut impl Write) -> Result<(), ReplayError> {
        let to = match self.to.or(self.as_of) {
            Some(to) => history.at(to).await?,
            None => history.head().await?,
        };
        let range = Range { after: history.before(self.from).await?, to };
        let filter = Filter {
            organization: self.organization,
            aggregate: self.aggregate.clone(),
            actor: self.actor.clone(),
            event_type: self.event_type,
        };
        let hides_holes = !filter.is_everything();
        let mut slices = history.slices(filter, range);
        let whole = if hides_holes { history.must_be_whole(range).await } else { Ok(()) };
        let printed = match (whole, self.format) {
            (Err(error), Format::Ndjson | Format::Table) => Err(error.into()),
            (Ok(()), Format::Ndjson) => lines(&mut slices, out).await,
            (Ok(()), Format::Table) => table(&mut slices, out).await,
        };
        if let (Format::Ndjson, Err(error @ ReplayError::Log(_))) = (self.format, &printed) {
            let error = json!({ "detail": error.to_string() });
            out.write_all(ndjson::broken_off(slices.reached(), &error).as_bytes())?;
        }
        printed
    }
}

async fn lines(slices: &mut Slices, out: &mut impl Write) -> Result<(), ReplayError> {
    let (mut events, mut lines) = (0, Vec::new());
    while let Some(slice) = slices.next().await? {
        lines.clear();
        for event in slice.events {
            ndjson::event(event, &mut lines)?;
            events += 1;
        }
        out.write_all(&lines)?;
    }
    out.write_all(ndjson::end(slices.reached(), events).as_bytes())?;
    Ok(())
}

async fn table(slices: &mut Slices, out: &mut impl Write) -> Result<(), ReplayError> {
    writeln!(out, "{:>9}  {:<27}  {:<31}  {:<41}  ID", "POSITION", "RECORDED", "EVENT", "ACTOR")?;
    while let Some(slice) = slices.next().await? {
        for event in slice.events {
            row(&event, out)?;
        }
    }
    Ok(())
}

fn row(event: &Recorded, out: &mut impl Write) -> io::Result<()> {
    let Recorded { position, recorded_at, aggregate_type, aggregate_id, event_type, .. } = event;
    let actor = event.metadata_text("actor").unwrap_or_default();
    let (recorded, name) = (recorded_at.to_string(), format!("{aggregate_type}.{event_type}"));
    writeln!(out, "{:>9}  {recorded:<27}  {name:<31}  {actor:<41}  {aggregate_id}", Position::get(*position))
}
