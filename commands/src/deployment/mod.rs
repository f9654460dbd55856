//! What may be asked of the deployment.

mod bootstrap;
mod end_maintenance;
mod start_maintenance;

pub use bootstrap::{Bootstrap, Bootstrapped};
pub use end_maintenance::EndMaintenance;
pub use start_maintenance::StartMaintenance;

#[cfg(test)]
mod tests;
