//! End a user for good; the address is free. Only administrators of the deployment.

use domain::user::{User, UserCommand};
use domain::value::UserId;

use super::person::must_administer_another;
use crate::{Actor, Ports, Refused, Unit, UseCase};

/// End a user for good; the address is free.
#[derive(Debug, Clone)]
pub struct Delete {
    /// Whose.
    pub user: UserId,
}

impl UseCase for Delete {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        must_administer_another(unit, actor, self.user).await?;
        unit.decide::<User>(self.user, UserCommand::Delete).await
    }
}
