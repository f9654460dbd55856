//! `sekisho projections`: how far each read model is, and what it could not fold.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use projections::Status;

use super::opened::{OpenError, Opened};
use super::{checked, complain, say};
use crate::config::{Config, Options};

/// What to tell.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Projections {
    #[command(subcommand)]
    what: Option<What>,

    #[command(flatten)]
    options: Options,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List the events that a read model could not fold, and why
    Parked {
        /// The read model
        name: String,

        #[command(flatten)]
        options: Box<Options>,
    },
}

#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("the database does not answer: {0}")]
    Database(#[from] sqlx::Error),
}

impl Projections {
    pub(super) async fn run(self) -> ExitCode {
        let options = match &self.what {
            None => &self.options,
            Some(What::Parked { options, .. }) => &**options,
        };
        let config = match checked(options) {
            Ok(config) => config,
            Err(code) => return code,
        };
        match self.tell(&config).await {
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

    async fn tell(&self, config: &Config) -> Result<Vec<String>, Failed> {
        let opened = Opened::of(config).await?;
        let told = match &self.what {
            None => projections::status(&opened.pool).await.map(|found| table(&found)),
            Some(What::Parked { name, .. }) => {
                projections::parked_events(&opened.pool, name).await.map(|found| {
                    let line = |event: &projections::ParkedEvent| {
                        let projections::ParkedEvent {
                            position, aggregate_type, aggregate_id, reason, ..
                        } = event;
                        format!("{position:>10}  {aggregate_type} {aggregate_id}: {reason}")
                    };
                    found.iter().map(line).collect()
                })
            }
        };
        opened.close().await;
        Ok(told?)
    }
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
