//! `sekisho keys rotate`: another key signs access tokens.
//!
//! In order, it is published first, and whoever serves lets it sign when everybody can have fetched it; the one before it goes when nobody can hold a
//! token of it any more. In an emergency, it signs at once, and every other key goes in the same moment: all tokens that are out are worth nothing.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use commands::deployment::{SigningKeyStep, SigningKeys as MoveSigningKeys};
use domain::value::SigningAlgorithm;
use projections::LogReader;
use projections::access::{SigningKey, SigningKeyState, Unanswered};

use super::super::opened::{OpenError, Opened};
use super::super::operator::{self, OperatorError};
use super::super::{checked, complain, say};
use super::published;
use crate::adapters::token_keys::{MadeKey, SigningKeys, SigningKeysError};
use crate::config::{AlgorithmOptions, Deployment, DeploymentOptions};
use crate::wiring::PUBLISHED_FIRST_SECONDS;

/// Another key.
#[derive(Debug, Args)]
pub(in crate::cli) struct Rotate {
    /// A key is known to somebody: the new one signs at once, and every token that is out is refused from now on
    #[arg(long)]
    emergency: bool,

    #[command(flatten)]
    options: DeploymentOptions,

    #[command(flatten)]
    algorithm: AlgorithmOptions,
}

#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Unanswered(#[from] Unanswered),
    #[error(transparent)]
    Keys(#[from] SigningKeysError),
    #[error(transparent)]
    Order(#[from] OperatorError),
}

impl Rotate {
    pub(in crate::cli) async fn run(self) -> ExitCode {
        let read = checked(self.options.check())
            .and_then(|deployment| Ok((deployment, checked(self.algorithm.check())?)));
        let (deployment, algorithm) = match read {
            Ok(read) => read,
            Err(code) => return code,
        };
        match self.work(&deployment, algorithm).await {
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

    async fn work(&self, deployment: &Deployment, algorithm: SigningAlgorithm) -> Result<String, Failed> {
        let opened = Opened::of(&deployment.place).await?;
        let done = self.rotate(deployment, algorithm, &opened).await;
        opened.close().await;
        done
    }

    async fn rotate(
        &self,
        deployment: &Deployment,
        algorithm: SigningAlgorithm,
        opened: &Opened,
    ) -> Result<String, Failed> {
        let known = published(LogReader::new(opened.pool.clone())).await?;
        let known = known.signing_keys();
        let is_next = |key: &&&SigningKey| {
            matches!(key.state, SigningKeyState::Next { .. }) && key.algorithm == algorithm
        };
        if let (false, Some(next)) = (self.emergency, known.iter().find(is_next)) {
            return Ok(format!("{} is published already, and signs next", next.kid.as_str()));
        }
        let master = opened.master_key(&deployment.master_key)?;
        let keys = SigningKeys::new(opened.pool.clone(), Arc::clone(&master));
        let MadeKey { kid, algorithm, public_jwk } = keys.make(algorithm).await?;
        let mut steps = vec![SigningKeyStep::Add { kid: kid.clone(), algorithm, public_jwk }];
        if self.emergency {
            steps.push(SigningKeyStep::Activate { kid: kid.clone() });
            let gone =
                known.iter().map(|key| SigningKeyStep::Retire { kid: key.kid.clone(), emergency: true });
            steps.extend(gone);
        }
        let correlation = format!("keys rotate:{}", kid.as_str());
        let position = operator::order(deployment, opened, correlation, &MoveSigningKeys { steps }).await?;
        let kid = kid.as_str();
        Ok(if self.emergency {
            format!("{kid} signs from position {position} on; every token that was out is refused")
        } else {
            format!(
                "{kid} is published from position {position} on, and signs in {PUBLISHED_FIRST_SECONDS} seconds, if somebody serves then"
            )
        })
    }
}
