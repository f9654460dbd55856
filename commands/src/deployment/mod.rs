//! What may be asked of the deployment.

mod bootstrap;
mod end_maintenance;
mod providers;
mod retry_parked;
mod signing_keys;
mod skip_parked;
mod start_maintenance;

pub use bootstrap::{Bootstrap, Bootstrapped};
pub use end_maintenance::EndMaintenance;
pub use providers::{
    AddProvider, ChangeProvider, ClientSecretChange, PROVIDER_SECRET_BYTES_MAX, ProviderSettings,
    RemoveProvider,
};
pub use retry_parked::RetryParked;
pub use signing_keys::{SigningKeyStep, SigningKeys};
pub use skip_parked::SkipParked;
pub use start_maintenance::StartMaintenance;

#[cfg(test)]
mod provider_tests;
#[cfg(test)]
mod tests;
