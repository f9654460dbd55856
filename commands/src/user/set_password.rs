//! Let a person sign in with another password. The person, in a browser; administrators of the deployment; its command line; and owners and admins
//! for a person whom their organization registered and who belongs to no other.
//!
//! Here stands only that it happens: what is kept of the password lies beside the log. Whoever sets a password may sign in with it, so a key that
//! sets one must hold whatever a session opens, and no key sets its own user's: a scoped key would make itself a whole person.

use domain::user::{User, UserCommand};
use domain::value::{OrganizationId, Scope, Scopes, UserId};

use super::person::must_exist;
use crate::access::{acting_user, administrator, enter, operator};
use crate::{Actor, Authority, Log, Ports, Refused, Unit, UseCase};

/// Let a person sign in with another password.
#[derive(Debug, Clone, Copy)]
pub struct SetPassword {
    /// Whose.
    pub user: UserId,
}

impl UseCase for SetPassword {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        match actor.authority {
            Authority::User { user } if user == self.user => {
                acting_user(unit, actor).await?;
            }
            Authority::Administrator { user } => {
                administrator(unit, actor).await?;
                self.must_be_another(user)?;
                must_hold_everything(actor)?;
                must_exist(unit, self.user).await?;
            }
            Authority::Member { organization, .. } => self.must_be_ours(unit, actor, organization).await?,
            Authority::Founder => {
                operator(unit, actor).await?;
                must_exist(unit, self.user).await?;
            }
            Authority::User { .. } | Authority::Client { .. } | Authority::Server => {
                return Err(Refused::Forbidden(
                    "a password is set by its person, or by whoever answers for them",
                ));
            }
        }
        unit.decide::<User>(self.user, UserCommand::SetPassword).await
    }
}

impl SetPassword {
    fn must_be_another(&self, user: UserId) -> Result<(), Refused> {
        if self.user == user {
            return Err(Refused::Forbidden(
                "a key does not set the password of its own user; sign in and change it there",
            ));
        }
        Ok(())
    }

    /// A person of one organization alone: that one may let them in. Anybody else looks like nobody.
    async fn must_be_ours<L: Log>(
        &self,
        unit: &Unit<'_, L>,
        actor: &Actor,
        organization: OrganizationId,
    ) -> Result<(), Refused> {
        let entered = enter(unit, actor, organization).await?;
        entered.must_command_all()?;
        self.must_be_another(entered.user)?;
        entered.must_hand_out(&everything())?;
        let unknown = Refused::NotFound("user");
        let user = unit.load::<User>(self.user).await?;
        if !user.exists() || !user.is_registered_in(organization) {
            return Err(unknown);
        }
        if unit.organizations_of(self.user).await?.iter().any(|other| *other != organization) {
            return Err(Refused::Forbidden(
                "this person belongs to other organizations, too; only they or an administrator of the deployment set their password",
            ));
        }
        // A key in somebody's name is also whoever's who issued it: neither sets the password of somebody above them.
        let theirs = entered.organization.role_of(self.user);
        let reaches = |who: UserId| match (entered.organization.role_of(who), theirs) {
            (_, None) => true,
            (Some(own), Some(theirs)) => own.may_grant(theirs),
            (None, Some(_)) => false,
        };
        if reaches(entered.user) && actor.issued_by.is_none_or(reaches) {
            return Ok(());
        }
        Err(Refused::Forbidden("nobody sets the password of somebody above their own role"))
    }
}

fn everything() -> Scopes {
    Scope::NAMED.into_iter().collect()
}

fn must_hold_everything(actor: &Actor) -> Result<(), Refused> {
    match &actor.scopes {
        Some(own) if everything().iter().any(|scope| !own.grant(scope)) => Err(Refused::Forbidden(
            "a key that sets passwords holds every scope: whoever signs in may do as much",
        )),
        Some(_) | None => Ok(()),
    }
}
