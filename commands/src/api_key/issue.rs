//! Issue a key: to oneself, or as an owner or admin to another member.

use domain::api_key::{ApiKey, ApiKeyCommand, KeyEnvironment};
use domain::instance::Instance;
use domain::user::User;
use domain::value::{
    ApiKeyId, Clock as _, DisplayName, InstanceId, IssuedSecret, KeyId, KeyText, OrganizationId, Scopes,
    Timestamp, UserId,
};
use serde::{Deserialize, Serialize};

use crate::access::{Entered, Rank, enter, find};
use crate::{Actor, Entropy as _, Ports, Refused, SecretHasher as _, Unit, UseCase};

/// Issue a key.
#[derive(Debug, Clone)]
pub struct Issue {
    /// Where.
    pub organization: OrganizationId,
    /// The name shown in lists.
    pub name: DisplayName,
    /// In whose name it calls; none is whoever asks.
    pub principal: Option<UserId>,
    /// The only instance it opens, if it is bound to one.
    pub instance: Option<InstanceId>,
    /// What it may do; never more than the issuer's own role.
    pub scopes: Scopes,
    /// When it stops by itself, if it does.
    pub expires_at: Option<Timestamp>,
    /// What it is for.
    pub environment: KeyEnvironment,
}

/// The key may be presented.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Issued {
    /// Its id.
    pub id: ApiKeyId,
    /// Its public part, by which it is recognised in lists.
    pub key_id: KeyId,
    /// In whose name it calls.
    pub principal: UserId,
    /// The key itself, shown this once.
    pub key: IssuedSecret,
}

impl UseCase for Issue {
    type Answer = Issued;

    async fn run<P: Ports>(
        &self,
        ports: &P,
        actor: &Actor,
        unit: &mut Unit<'_, P::Log>,
    ) -> Result<Issued, Refused> {
        let entered = enter(unit, actor, self.organization).await?;
        let principal = self.principal.unwrap_or(entered.user);
        must_speak_for(&entered, principal)?;
        entered.must_hand_out(&self.scopes)?;
        must_not_outlast(actor, self.expires_at)?;
        if !unit.load::<User>(principal).await?.is_active() {
            return Err(Refused::NotFound("member"));
        }
        if let Some(instance) = self.instance {
            find::<Instance, _>(unit, self.organization, instance).await?;
        }

        let id = ApiKeyId::new(ports.entropy().id());
        let key = KeyText::compose(self.environment, id, &ports.entropy().secret());
        let issue = ApiKeyCommand::Issue {
            organization: self.organization,
            key_id: id.into(),
            name: self.name.clone(),
            principal,
            issued_by: actor.issuer(entered.user, principal),
            instance: self.instance,
            scopes: self.scopes.clone(),
            digest: ports.hasher().digest(&key),
            expires_at: self.expires_at,
            environment: self.environment,
            at: ports.clock().now(),
        };
        unit.decide::<ApiKey>(id, issue).await?;
        Ok(Issued { id, key_id: id.into(), principal, key })
    }
}

/// A credential that ends would otherwise live on in the keys that it issued.
fn must_not_outlast(actor: &Actor, expires_at: Option<Timestamp>) -> Result<(), Refused> {
    match (actor.until, expires_at) {
        (None, _) => Ok(()),
        (Some(until), Some(end)) if end <= until => Ok(()),
        (Some(_), Some(_) | None) => Err(Refused::Forbidden(
            "a key that ends issues no key that ends later or never; ask for an `expires_at` no later than its own",
        )),
    }
}

/// A key calls with its principal's role, so nobody makes one for somebody whose role they could not grant.
fn must_speak_for(entered: &Entered, principal: UserId) -> Result<(), Refused> {
    if principal != entered.user {
        entered.must_command_all()?;
    }
    let held = entered.organization.role_of(principal).ok_or(Refused::NotFound("member"))?;
    match entered.rank {
        Rank::Member(own) if principal != entered.user && !own.may_grant(held) => {
            Err(Refused::Forbidden("nobody issues a key in the name of somebody above their own role"))
        }
        Rank::Member(_) | Rank::Administrator => Ok(()),
    }
}
