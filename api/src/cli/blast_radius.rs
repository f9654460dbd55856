//! `sekisho blast-radius`: what a key, grant or client could do in a span of time, and what it did, as the JSON of the API, read straight from the database.
//!
//! The exit code is 0 with an answer, 2 when there is no such credential or moment, 1 when the database cannot be read.

use std::process::ExitCode;

use clap::Args;
use projections::history::{History, Moment, NotYet};

use super::store::StoreOptions;
use super::{complain, say};
use crate::blast_radius::{BlastRadiusError, Question, blast_radius};
use crate::explain::{Principal, QuestionError};

/// Which credential, from when to when.
#[derive(Debug, Args)]
pub(super) struct BlastRadius {
    /// The API key, by its id or its 22 characters, or the grant or client, by its id
    #[arg(long, value_name = "KEY|GRANT|CLIENT")]
    credential: String, // read by hand: whoever gives a whole key is not shown it again

    /// From when: a position or a time in RFC 3339; without it from its beginning
    #[arg(long, value_name = "POSITION|TIME")]
    from: Option<Moment>,

    /// Until when: a position or a time in RFC 3339; without it now
    #[arg(long, value_name = "POSITION|TIME")]
    to: Option<Moment>,

    #[command(flatten)]
    store: StoreOptions,
}

impl BlastRadius {
    pub(super) async fn run(self) -> ExitCode {
        let Self { credential, from, to, store } = self;
        let credential = match Principal::parse(&credential).map_err(QuestionError::from) {
            Ok(credential) => credential,
            Err(error) => {
                complain(&format!("--credential: {error}"));
                return ExitCode::from(2);
            }
        };
        let store = match store.open().await {
            Ok(store) => store,
            Err(error) => {
                complain(&error.to_string());
                return ExitCode::FAILURE;
            }
        };
        let (log, question) = (store.log(), Question { credential, from, to });
        let found = blast_radius(&History::new(log.clone()), log.pool(), None, &question).await;
        store.close().await;
        let error = match found.map(|found| serde_json::to_string_pretty(&found)) {
            Ok(Ok(json)) => {
                say(&json);
                return ExitCode::SUCCESS;
            }
            Ok(Err(error)) => {
                complain(&error.to_string());
                return ExitCode::FAILURE;
            }
            Err(error) => error,
        };
        complain(&error.to_string());
        ExitCode::from(match error {
            BlastRadiusError::NotFound
            | BlastRadiusError::NoCredential
            | BlastRadiusError::Homeless
            | BlastRadiusError::Backwards
            | BlastRadiusError::NotYet(NotYet::Position { .. } | NotYet::Time { .. }) => 2,
            BlastRadiusError::NotYet(NotYet::Log(_))
            | BlastRadiusError::Evidence(_)
            | BlastRadiusError::Counting(_) => 1,
        })
    }
}
