//! Move the keys that sign access tokens along: publish one, let it sign, retire one; any number of steps in one unit. The server itself by its
//! schedule, administrators of the deployment, and its command line.
//!
//! What is secret of a key is sealed beside the log before its first step is asked for: a key that is published can sign.

use domain::deployment::{Deployment, DeploymentCommand};
use domain::value::{Clock as _, DeploymentId, KeyThumbprint, PublicJwk, SigningAlgorithm};

use crate::access::operator;
use crate::{Actor, Authority, Credential, Ports, Refused, Unit, UseCase};

/// Move the keys that sign access tokens along.
#[derive(Debug, Clone)]
pub struct SigningKeys {
    /// One after the other, all or none.
    pub steps: Vec<SigningKeyStep>,
}

/// One step of one key.
#[derive(Debug, Clone)]
pub enum SigningKeyStep {
    /// Publish it, before it signs anything.
    Add {
        /// Which.
        kid: KeyThumbprint,
        /// How it signs.
        algorithm: SigningAlgorithm,
        /// What others verify with.
        public_jwk: PublicJwk,
    },
    /// Have it sign, in place of the one that did, whatever its algorithm.
    Activate {
        /// Which.
        kid: KeyThumbprint,
    },
    /// Publish it no longer.
    Retire {
        /// Which.
        kid: KeyThumbprint,
        /// Whether it is to be done though tokens of it are still in use.
        emergency: bool,
    },
}

impl UseCase for SigningKeys {
    type Answer = ();

    async fn run<P: Ports>(
        &self,
        ports: &P,
        actor: &Actor,
        unit: &mut Unit<'_, P::Log>,
    ) -> Result<(), Refused> {
        match (actor.credential, actor.authority) {
            (Credential::Schedule, Authority::Server) => {}
            (
                Credential::Schedule
                | Credential::ApiKey(_)
                | Credential::BootstrapToken
                | Credential::CommandLine
                | Credential::Session
                | Credential::AutoConsent
                | Credential::Client(_),
                Authority::Server
                | Authority::Member { .. }
                | Authority::Administrator { .. }
                | Authority::Founder
                | Authority::User { .. }
                | Authority::Client { .. },
            ) => operator(unit, actor).await?,
        }
        let at = ports.clock().now();
        for step in self.steps.iter().cloned() {
            let command = match step {
                SigningKeyStep::Add { kid, algorithm, public_jwk } => {
                    DeploymentCommand::AddSigningKey { kid, algorithm, public_jwk, at }
                }
                SigningKeyStep::Activate { kid } => DeploymentCommand::ActivateSigningKey { kid, at },
                SigningKeyStep::Retire { kid, emergency } => {
                    DeploymentCommand::RetireSigningKey { kid, at, emergency }
                }
            };
            unit.decide::<Deployment>(DeploymentId, command).await?;
        }
        Ok(())
    }
}
