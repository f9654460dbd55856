//! `sekisho projections`: how far each read model is, and what it could not fold.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use domain::value::{DisplayName, Position};
use projections::{ParkedEvent, Status};

use super::opened::{OpenError, Opened};
use super::parked::{Fate, OrderError, decide};
use super::{checked, complain, say};
use crate::config::{Deployment, DeploymentOptions, Place, PlaceOptions};

/// What to tell.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Projections {
    #[command(subcommand)]
    what: Option<What>,

    #[command(flatten)]
    options: PlaceOptions,
}

#[derive(Debug, Subcommand)]
enum What {
    /// What a read model could not fold, and what to do about it
    #[command(subcommand)]
    Parked(Parked),
}

#[derive(Debug, Subcommand)]
enum Parked {
    /// List the events that a read model could not fold, and why
    List {
        /// The read model
        name: String,

        #[command(flatten)]
        options: PlaceOptions,
    },
    /// Fold a parked event again, and those that wait behind it
    Retry(Box<Order>),
    /// Leave a parked event out for ever, and fold those that wait behind it
    Skip(Box<Order>),
}

/// A decision about a parked event. The log keeps it with its reason.
#[derive(Debug, Args)]
struct Order {
    /// The read model
    name: String,

    /// The event's place in the log
    #[arg(value_parser = position)]
    position: Position,

    /// Why, for the audit
    #[arg(long, value_name = "TEXT")]
    reason: DisplayName,

    #[command(flatten)]
    options: DeploymentOptions,
}

fn position(text: &str) -> Result<Position, std::num::ParseIntError> {
    text.parse().map(Position::new)
}

#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("the database does not answer: {0}")]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Order(#[from] OrderError),
}

impl Projections {
    pub(super) async fn run(self) -> ExitCode {
        let told = match self.what {
            None => match checked(self.options.check()) {
                Ok(place) => tell(&place).await,
                Err(code) => return code,
            },
            Some(What::Parked(Parked::List { name, options })) => match checked(options.check()) {
                Ok(place) => list(&place, &name).await,
                Err(code) => return code,
            },
            Some(What::Parked(Parked::Retry(order))) => match checked(order.options.check()) {
                Ok(deployment) => decided(&deployment, Fate::Retry, &order).await,
                Err(code) => return code,
            },
            Some(What::Parked(Parked::Skip(order))) => match checked(order.options.check()) {
                Ok(deployment) => decided(&deployment, Fate::Skip, &order).await,
                Err(code) => return code,
            },
        };
        match told {
            Ok(lines) => {
                for line in lines {
                    say(&line);
                }
                ExitCode::SUCCESS
            }
            Err(error) => {
                complain(&error.to_string());
                ExitCode::FAILURE
            }
        }
    }
}

async fn tell(place: &Place) -> Result<Vec<String>, Failed> {
    let opened = Opened::of(place).await?;
    let found = projections::status(&opened.pool).await;
    opened.close().await;
    Ok(table(&found?))
}

async fn list(place: &Place, name: &str) -> Result<Vec<String>, Failed> {
    let opened = Opened::of(place).await?;
    let found = projections::parked_events(&opened.pool, name).await;
    opened.close().await;
    Ok(listed(&found?))
}

async fn decided(deployment: &Deployment, fate: Fate, order: &Order) -> Result<Vec<String>, Failed> {
    let Order { name, position, reason, options: _ } = order;
    let opened = Opened::of(&deployment.place).await?;
    let ordered = decide(deployment, &opened, fate, (name, *position, reason)).await;
    opened.close().await;
    let ordered = ordered?;
    Ok(vec![format!("{name} goes on after the event at {position}; the order is event {ordered} of the log")])
}

fn listed(found: &[ParkedEvent]) -> Vec<String> {
    let line = |event: &ParkedEvent| {
        let ParkedEvent { position, aggregate_type, aggregate_id, reason, parked_at: _ } = event;
        format!("{position:>10}  {aggregate_type} {aggregate_id}: {reason}")
    };
    found.iter().map(line).collect()
}

fn table(found: &[Status]) -> Vec<String> {
    let heading = format!(
        "{:<16} {:>7} {:>10} {:>10} {:>9} {:>7}",
        "NAME", "VERSION", "POSITION", "EVENTS", "LAG MS", "PARKED"
    );
    let row = |status: &Status| {
        let Status { name, version, position, lag_events, lag_millis, parked } = status;
        format!("{name:<16} {version:>7} {position:>10} {lag_events:>10} {lag_millis:>9} {parked:>7}")
    };
    std::iter::once(heading).chain(found.iter().map(row)).collect()
}
