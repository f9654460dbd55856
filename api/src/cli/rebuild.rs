//! `sekisho rebuild NAME`: a read model anew from the log, while it is served.

use std::process::ExitCode;

use clap::Args;
use projections::{Rebuild as Work, RebuildError, Rebuilt};

use super::opened::{OpenError, Opened};
use super::progress::Shown;
use super::{checked, complain, say};
use crate::config::{Config, Options};

/// Which one, and where.
#[derive(Debug, Args)]
pub(super) struct Rebuild {
    /// The read model, as `sekisho projections` names it
    name: String,

    #[command(flatten)]
    options: Options,
}

#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("{0}; what is served is as it was")]
    Rebuild(#[from] RebuildError),
    #[error("there is no read model {0:?}: {1}")]
    Unknown(String, String),
}

impl Rebuild {
    pub(super) async fn run(self) -> ExitCode {
        let config = match checked(&self.options) {
            Ok(config) => config,
            Err(code) => return code,
        };
        match self.work(&config).await {
            Ok(Rebuilt { position, parked, spilled }) => {
                let how = if spilled { ", partly page by page" } else { "" };
                say(&format!(
                    "{} is rebuilt up to event {position}{how}; {parked} events are parked",
                    self.name
                ));
                ExitCode::SUCCESS
            }
            Err(error) => {
                complain(&error.to_string());
                ExitCode::FAILURE
            }
        }
    }

    async fn work(&self, config: &Config) -> Result<Rebuilt, Failed> {
        let known = projections::all();
        let Some(projection) = known.iter().find(|projection| projection.name() == self.name) else {
            let names: Vec<&str> = known.iter().map(|projection| projection.name()).collect();
            return Err(Failed::Unknown(self.name.clone(), names.join(", ")));
        };
        let opened = Opened::of(config).await?;
        let mut shown = Shown::start();
        let rebuilt = match opened.personal_data(&config.master_key) {
            Ok(personal) => {
                let work = Work::new(&**projection, &opened.pool, &personal);
                work.run(|progress| shown.show(progress)).await.map_err(Failed::from)
            }
            Err(error) => Err(error.into()),
        };
        shown.end();
        opened.close().await;
        rebuilt
    }
}
