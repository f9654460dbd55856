//! `sekisho keys ...`.

mod rotate;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use projections::LogReader;
use projections::access::{Deciding, Grounds, LiveView, Parties, SigningKey, SigningKeyState};
use projections::history::History;

use super::store::{StoreError, StoreOptions};
use super::{complain, say};
use crate::adapters::master_key::MasterKeys;

/// Keys of the deployment.
#[derive(Debug, Subcommand)]
pub(super) enum Keys {
    /// Print a fresh master key; put it into a file that only Sekisho may read. To rotate, put the new key before the old one
    GenerateMaster,
    /// Show the keys that sign access tokens, and how far each is
    List(List),
    /// Have another key sign access tokens: at once in an emergency, else as soon as it was published for long enough
    Rotate(Box<rotate::Rotate>),
}

/// Of which deployment.
#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    store: StoreOptions,
}

/// What is published cannot be told.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Unanswered(#[from] projections::access::Unanswered),
}

impl Keys {
    pub(super) async fn run(self) -> ExitCode {
        match self {
            Self::GenerateMaster => match MasterKeys::generate() {
                Ok(key) => {
                    say(&key);
                    ExitCode::SUCCESS
                }
                Err(error) => failed(&error),
            },
            Self::List(list) => match list.work().await {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => failed(&error),
            },
            Self::Rotate(rotate) => rotate.run().await,
        }
    }
}

fn failed(error: &dyn std::error::Error) -> ExitCode {
    complain(&error.to_string());
    ExitCode::FAILURE
}

impl List {
    async fn work(&self) -> Result<(), Failed> {
        let store = self.store.open().await?;
        let published = published(store.log()).await;
        store.close().await;
        for key in published?.signing_keys() {
            say(&line(key));
        }
        Ok(())
    }
}

/// What the log says of the deployment, its keys among it.
async fn published(log: LogReader) -> Result<Grounds, projections::access::Unanswered> {
    Deciding::new(LiveView::default(), History::new(log)).ask(Parties::default()).await
}

fn line(key: &SigningKey) -> String {
    let (state, since) = match key.state {
        SigningKeyState::Next { since } => ("next", since),
        SigningKeyState::Active { since } => ("active", since),
        SigningKeyState::Retiring { since } => ("retiring", since),
    };
    format!("{}  {:5}  {state:8}  since {since}", key.kid.as_str(), key.algorithm.as_str())
}
