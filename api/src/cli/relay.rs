//! `sekisho relay`: the stream of events in NATS, looked at and filled.

use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand};
use domain::value::Position;
use projections::{Doorbell, Held, LogReader, Progress, Relay as Work, RelayConfig, RelayError, Stage};

use super::opened::{OpenError, Opened};
use super::progress::Shown;
use super::{checked, complain, say};
use crate::adapters::capabilities::RelaySignature;
use crate::adapters::key_digest::{KeyDigestError, KeyDigests};
use crate::adapters::nats::{self, NatsError};
use crate::config::{Deployment, DeploymentOptions, NATS_ALONE, NatsOptions, Place};

/// What to do with the stream.
#[derive(Debug, Subcommand)]
pub(super) enum Relay {
    /// Put into the stream whatever it lacks of the log. A node does so by itself, a second after it was lost; this shows it being done
    ///
    /// Exit code 0: the stream holds the log. 1: it could not be done, try again. 3: the stream is of another log, or tells another story
    /// than this one, and was not touched.
    Backfill(Where),
    /// Tell how much of the log the stream holds: exit code 0 when all, 1 when less, 3 when the stream is of another log or tells another story
    Status(Where),
}

/// The log and the stream.
#[derive(Debug, Args)]
pub(super) struct Where {
    #[command(flatten)]
    options: DeploymentOptions,

    #[command(flatten)]
    nats: NatsOptions,
}

/// The same, read.
struct Asked {
    deployment: Deployment,
    nats_url: Option<String>,
    stream: RelayConfig,
}

impl Where {
    fn check(self) -> Result<Asked, ExitCode> {
        let deployment = checked(self.options.check())?;
        let stream = checked(self.nats.check())?;
        if let (Place::Embedded(_), Some(_)) = (&deployment.place, &self.nats.nats_url) {
            complain(&format!("--database-url: {NATS_ALONE}"));
            return Err(ExitCode::from(2));
        }
        Ok(Asked { deployment, nats_url: self.nats.nats_url, stream })
    }
}

#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    DataKeys(#[from] KeyDigestError),
    #[error(transparent)]
    Nats(#[from] NatsError),
    #[error(transparent)]
    Relay(#[from] RelayError),
    #[error(
        "there is no NATS to look at: give NATS_URL beside DATABASE_URL, or have a nats-server for the embedded store (`sekisho doctor` says which it takes)"
    )]
    NoNats,
}

impl Failed {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Relay(
                RelayError::ForeignStream { .. } | RelayError::Ahead { .. } | RelayError::Diverged(_),
            ) => ExitCode::from(3),
            Self::Relay(
                RelayError::Log(_) | RelayError::Nats(_) | RelayError::Unfit(_) | RelayError::Overtaken(_),
            )
            | Self::Open(_)
            | Self::DataKeys(_)
            | Self::Nats(_)
            | Self::NoNats => ExitCode::FAILURE,
        }
    }
}

impl Relay {
    pub(super) async fn run(self) -> ExitCode {
        let done = match self {
            Self::Backfill(line) => match line.check() {
                Ok(asked) => backfill(&asked).await.map(|held| filled(&asked.stream.stream, held)),
                Err(code) => return code,
            },
            Self::Status(line) => match line.check() {
                Ok(asked) => status(&asked).await.map(|held| told(&asked.stream.stream, held)),
                Err(code) => return code,
            },
        };
        match done {
            Ok((text, code)) => {
                say(&text);
                code
            }
            Err(error) => {
                complain(&error.to_string());
                error.exit_code()
            }
        }
    }
}

fn filled(stream: &str, Held { stream: before, log }: Held) -> (String, ExitCode) {
    let lacked = match before {
        Some(before) if before >= log => "lacked nothing".to_owned(),
        Some(before) => format!("lacked events {} to {log}", before.next()),
        None => "was not there".to_owned(),
    };
    (format!("the stream {stream} {lacked}; it holds all {log} events"), ExitCode::SUCCESS)
}

fn told(stream: &str, Held { stream: held, log }: Held) -> (String, ExitCode) {
    match held {
        None => (format!("there is no stream {stream}; the log has {log} events"), ExitCode::FAILURE),
        Some(held) => {
            let code = if held >= log { ExitCode::SUCCESS } else { ExitCode::FAILURE };
            (format!("the stream {stream} holds events up to {held} of {log}"), code)
        }
    }
}

async fn backfill(asked: &Asked) -> Result<Held, Failed> {
    let opened = Opened::with_nats(&asked.deployment.place, &asked.stream.stream).await?;
    let mut shown = Shown::start();
    let done = async {
        let show = |position: Position, head: Position| {
            shown.show(Progress { stage: Stage::Filling, position, head, rows: 0 });
        };
        Ok(relay(asked, &opened).await?.fill(show).await?)
    }
    .await;
    shown.end();
    opened.close().await;
    done
}

async fn status(asked: &Asked) -> Result<Held, Failed> {
    let opened = Opened::with_nats(&asked.deployment.place, &asked.stream.stream).await?;
    let done = async { Ok(relay(asked, &opened).await?.held().await?) }.await;
    opened.close().await;
    done
}

async fn relay(asked: &Asked, opened: &Opened) -> Result<Work, Failed> {
    let address = match &asked.deployment.place {
        Place::Given(_) => &asked.nats_url,
        Place::Embedded(_) => &opened.nats_url,
    };
    let address = address.as_deref().ok_or(Failed::NoNats)?;
    let master = opened.master_key(&asked.deployment.master_key)?;
    let signer = RelaySignature::of(&KeyDigests::load(&opened.pool, &master).await?);
    let client = nats::connect(address).await?;
    let log = LogReader::new(opened.pool.clone());
    Ok(Work::new(
        log,
        Doorbell::default(),
        client,
        asked.stream.clone(),
        Arc::new(signer),
        Doorbell::default(),
    ))
}
