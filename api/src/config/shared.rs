//! Options of the server that a command for operators takes too, since what it writes is as the server would write it.

use clap::Args;
use domain::value::SigningAlgorithm;

use super::ConfigError;
use super::faults::Faults;

/// What new digests cost, as it was written.
#[derive(Debug, Clone, Args)]
pub struct BcryptOptions {
    /// Cost of bcrypt for passwords and client secrets, 10 to 14: each step doubles the time of a sign-in
    #[arg(long, env = "SEKISHO_BCRYPT_COST", default_value = "10", value_name = "COST")]
    pub bcrypt_cost: String,
}

impl BcryptOptions {
    /// The cost, or what is wrong.
    pub fn check(&self) -> Result<u32, Vec<ConfigError>> {
        let mut faults = Faults::default();
        let cost = faults.bcrypt_cost("--bcrypt-cost", &self.bcrypt_cost);
        faults.or(cost)
    }
}

/// By what tokens are signed, as it was written.
#[derive(Debug, Clone, Args)]
pub struct AlgorithmOptions {
    /// How access tokens are signed: RS256, which every client verifies, ES256 or EdDSA
    #[arg(long, env = "SEKISHO_SIGNING_ALGORITHM", default_value = "RS256", value_name = "ALGORITHM")]
    pub signing_algorithm: String,
}

impl AlgorithmOptions {
    /// The algorithm, or what is wrong.
    pub fn check(&self) -> Result<SigningAlgorithm, Vec<ConfigError>> {
        let mut faults = Faults::default();
        let algorithm = faults.signing_algorithm(&self.signing_algorithm);
        faults.or(algorithm)
    }
}
