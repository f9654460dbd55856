//! Make a person known to the deployment. Administrators of it, and owners and admins of an organization, who then add the person as a member.

use domain::user::{User, UserCommand};
use domain::value::{DisplayName, EmailAddress, HttpsUrl, UserId};
use serde::{Deserialize, Serialize};

use crate::access::{administrator, enter};
use crate::{Actor, Authority, Entropy as _, Ports, Refused, Unit, UseCase};

/// Make a person known to the deployment.
#[derive(Debug, Clone)]
pub struct Register {
    /// The address, if there is one.
    pub email: Option<EmailAddress>,
    /// The name, if there is one.
    pub name: Option<DisplayName>,
    /// The picture, if there is one.
    pub picture: Option<HttpsUrl>,
}

/// A person is known.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Registered {
    /// Their id.
    pub id: UserId,
}

impl UseCase for Register {
    type Answer = Registered;

    async fn run<P: Ports>(
        &self,
        ports: &P,
        actor: &Actor,
        unit: &mut Unit<'_, P::Log>,
    ) -> Result<Registered, Refused> {
        let registered_in = match actor.authority {
            Authority::Member { organization, .. } => {
                enter(unit, actor, organization).await?.must_command_all()?;
                Some(organization)
            }
            Authority::Administrator { .. }
            | Authority::Founder
            | Authority::User { .. }
            | Authority::Client { .. }
            | Authority::Server => {
                administrator(unit, actor).await?;
                None
            }
        };
        let id = UserId::new(ports.entropy().id());
        let register = UserCommand::Register {
            user: id,
            email: self.email.clone(),
            name: self.name.clone(),
            picture: self.picture.clone(),
            registered_in,
        };
        unit.decide::<User>(id, register).await?;
        Ok(Registered { id })
    }
}
