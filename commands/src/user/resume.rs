//! End the suspension of a user. Only administrators of the deployment.

use domain::user::{User, UserCommand};
use domain::value::UserId;

use super::person::must_exist;
use crate::access::administrator;
use crate::{Actor, Ports, Refused, Unit, UseCase};

/// End the suspension of a user.
#[derive(Debug, Clone)]
pub struct Resume {
    /// Whose.
    pub user: UserId,
}

impl UseCase for Resume {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        administrator(unit, actor).await?;
        must_exist(unit, self.user).await?;
        unit.decide::<User>(self.user, UserCommand::Resume).await
    }
}
