//! Change the name and picture of a user. The user themself, or an administrator of the deployment.

use domain::user::{User, UserCommand};
use domain::value::{DisplayName, HttpsUrl, UserId};

use super::person::must_be_self_or_administrator;
use crate::{Actor, Ports, Refused, Unit, UseCase};

/// Change the name and picture of a user.
#[derive(Debug, Clone)]
pub struct ChangeProfile {
    /// Whose.
    pub user: UserId,
    /// The new name, or none.
    pub name: Option<DisplayName>,
    /// The new picture, or none.
    pub picture: Option<HttpsUrl>,
}

impl UseCase for ChangeProfile {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        must_be_self_or_administrator(unit, actor, self.user).await?;
        let change = UserCommand::ChangeProfile {
            user: self.user,
            name: self.name.clone(),
            picture: self.picture.clone(),
        };
        unit.decide::<User>(self.user, change).await
    }
}
