//! Change or remove the address of a user. The user themself, or an administrator of the deployment.

use domain::user::{User, UserCommand};
use domain::value::{EmailAddress, UserId};

use super::person::must_be_self_or_administrator;
use crate::{Actor, Ports, Refused, Unit, UseCase};

/// Change or remove the address of a user.
#[derive(Debug, Clone)]
pub struct ChangeEmail {
    /// Whose.
    pub user: UserId,
    /// The new address, or none.
    pub email: Option<EmailAddress>,
}

impl UseCase for ChangeEmail {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        must_be_self_or_administrator(unit, actor, self.user).await?;
        unit.decide::<User>(
            self.user,
            UserCommand::ChangeEmail { user: self.user, email: self.email.clone() },
        )
        .await
    }
}
