//! Refuse everything that a user asks for. Only administrators of the deployment.

use domain::user::{User, UserCommand};
use domain::value::{DisplayName, UserId};

use super::person::must_administer_another;
use crate::{Actor, Ports, Refused, Unit, UseCase};

/// Refuse everything that a user asks for.
#[derive(Debug, Clone)]
pub struct Suspend {
    /// Whose.
    pub user: UserId,
    /// Why, for the audit.
    pub reason: DisplayName,
}

impl UseCase for Suspend {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        must_administer_another(unit, actor, self.user).await?;
        unit.decide::<User>(self.user, UserCommand::Suspend { reason: self.reason.clone() }).await
    }
}
