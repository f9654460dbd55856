//! Take back what was granted, with every token that hangs on it. The user themself, wherever the grant is for, and owners and admins of the
//! organization whose instance it is for.

use domain::Aggregate as _;
use domain::grant::{Grant, GrantCommand, GrantEnd};
use domain::value::{GrantId, OrganizationId};

use crate::access::{acting_user, enter, find};
use crate::{Actor, Authority, Log, Ports, Refused, Unit, UseCase};

/// Take back what was granted.
#[derive(Debug, Clone)]
pub struct Revoke {
    /// Whose instance it is for.
    pub organization: OrganizationId,
    /// Which grant.
    pub grant: GrantId,
}

impl UseCase for Revoke {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        let reason = match self.as_its_user(actor, unit).await? {
            Some(reason) => reason,
            None => self.as_a_member(actor, unit).await?,
        };
        unit.decide::<Grant>(self.grant, GrantCommand::Revoke { reason }).await
    }
}

impl Revoke {
    /// Whoever consented takes it back, also when they are no member any more.
    async fn as_its_user<L: Log>(
        &self,
        actor: &Actor,
        unit: &Unit<'_, L>,
    ) -> Result<Option<GrantEnd>, Refused> {
        match actor.authority {
            Authority::User { user } => {
                acting_user(unit, actor).await?;
                let grant = unit.load::<Grant>(self.grant).await?;
                let is_here = grant.organization(self.grant) == Some(self.organization);
                let is_theirs = grant.is_live() && is_here && grant.user() == Some(user);
                Ok(is_theirs.then_some(GrantEnd::ByUser))
            }
            Authority::Member { .. }
            | Authority::Administrator { .. }
            | Authority::Founder
            | Authority::Client { .. }
            | Authority::Server => Ok(None),
        }
    }

    async fn as_a_member<L: Log>(&self, actor: &Actor, unit: &Unit<'_, L>) -> Result<GrantEnd, Refused> {
        let entered = enter(unit, actor, self.organization).await?;
        let grant = find::<Grant, _>(unit, self.organization, self.grant).await?;
        entered.must_command(grant.user())?;
        Ok(if grant.user() == Some(entered.user) { GrantEnd::ByUser } else { GrantEnd::ByAdministrator })
    }
}

/// Take back what one granted oneself in the organization that one asks in, and nobody else's.
#[derive(Debug, Clone)]
pub struct TakeBack {
    /// Whose instance it is for.
    pub organization: OrganizationId,
    /// Which grant.
    pub grant: GrantId,
}

impl UseCase for TakeBack {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        let entered = enter(unit, actor, self.organization).await?;
        let grant = find::<Grant, _>(unit, self.organization, self.grant).await?;
        if grant.user() != Some(entered.user) {
            return Err(Refused::NotFound("grant"));
        }
        unit.decide::<Grant>(self.grant, GrantCommand::Revoke { reason: GrantEnd::ByUser }).await
    }
}
