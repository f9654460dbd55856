//! `sekisho rebuild NAME`: a read model anew from the log, while it is served; `notary` stands for the tiles that proofs are made from.

use std::process::ExitCode;

use clap::Args;
use projections::notary::{Anew, AnewError, tiles_anew};
use projections::{Rebuild as Work, RebuildError, Rebuilt};

use super::opened::{OpenError, Opened};
use super::progress::Shown;
use super::{checked, complain, say};
use crate::adapters::notary_key::{self, NotaryKeyError};
use crate::config::{Deployment, DeploymentOptions};

/// The tiles of the notary are no read model, and yet made from the log alone.
const NOTARY: &str = "notary";

/// Which one, and where.
#[derive(Debug, Args)]
pub(super) struct Rebuild {
    /// The read model, as `sekisho projections` names it, or `notary`: the hashes that proofs are made from
    name: String,

    #[command(flatten)]
    options: DeploymentOptions,
}

#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("{0}; what is served is as it was")]
    Rebuild(#[from] RebuildError),
    #[error("{0}; the tiles are as they were")]
    Tiles(#[from] AnewError),
    #[error("the notary's key: {0}")]
    Key(#[from] NotaryKeyError),
    #[error("there is no read model {0:?}: {1}")]
    Unknown(String, String),
}

impl Rebuild {
    pub(super) async fn run(self) -> ExitCode {
        let deployment = match checked(self.options.check()) {
            Ok(deployment) => deployment,
            Err(code) => return code,
        };
        let done = if self.name == NOTARY { tiles(&deployment).await } else { self.work(&deployment).await };
        match done {
            Ok(told) => {
                say(&told);
                ExitCode::SUCCESS
            }
            Err(error) => {
                complain(&error.to_string());
                ExitCode::FAILURE
            }
        }
    }

    async fn work(&self, deployment: &Deployment) -> Result<String, Failed> {
        let known = projections::all();
        let Some(projection) = known.iter().find(|projection| projection.name() == self.name) else {
            let names = known.iter().map(|projection| projection.name());
            let names: Vec<&str> = names.chain([NOTARY]).collect();
            return Err(Failed::Unknown(self.name.clone(), names.join(", ")));
        };
        let opened = Opened::of(&deployment.place).await?;
        let mut shown = Shown::start();
        let rebuilt = match opened.personal_data(&deployment.master_key) {
            Ok(personal) => {
                let work = Work::new(&**projection, &opened.pool, &personal);
                work.run(|progress| shown.show(progress)).await.map_err(Failed::from)
            }
            Err(error) => Err(error.into()),
        };
        shown.end();
        opened.close().await;
        let Rebuilt { position, parked, spilled } = rebuilt?;
        let how = if spilled { ", partly page by page" } else { "" };
        Ok(format!("{} is rebuilt up to event {position}{how}; {parked} events are parked", self.name))
    }
}

async fn tiles(deployment: &Deployment) -> Result<String, Failed> {
    let opened = Opened::of(&deployment.place).await?;
    let mut shown = Shown::start();
    let built = tiles_of(deployment, &opened, &mut shown).await;
    shown.end();
    opened.close().await;
    let Anew { events, mended } = built?;
    Ok(format!(
        "the log is as it was signed, {events} events; {mended} tiles were missing or damaged and are as they should be"
    ))
}

async fn tiles_of(deployment: &Deployment, opened: &Opened, shown: &mut Shown) -> Result<Anew, Failed> {
    let master = opened.master_key(&deployment.master_key)?;
    let signer = notary_key::existing(&opened.pool, &master).await?;
    Ok(tiles_anew(&opened.pool, signer.key(), |progress| shown.show(progress)).await?)
}
