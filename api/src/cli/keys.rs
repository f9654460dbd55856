//! `sekisho keys ...`.

use std::process::ExitCode;

use clap::Subcommand;

use super::{complain, say};
use crate::adapters::master_key::MasterKeys;

/// Keys of the deployment.
#[derive(Debug, Subcommand)]
pub(super) enum Keys {
    /// Print a fresh master key; put it into a file that only Sekisho may read. To rotate, put the new key before the old one
    GenerateMaster,
}

impl Keys {
    pub(super) fn run(self) -> ExitCode {
        match self {
            Self::GenerateMaster => match MasterKeys::generate() {
                Ok(key) => {
                    say(&key);
                    ExitCode::SUCCESS
                }
                Err(error) => {
                    complain(&error.to_string());
                    ExitCode::FAILURE
                }
            },
        }
    }
}
