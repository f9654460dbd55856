//! Consent: let a client act in one's own name at an instance, or let it do more or less there than before.
//!
//! Only in person, out of a session: a credential that can consent for its user could turn little into much. Of two
//! consents at once to the same, the later one finds the place taken; asked again, it changes what the first one granted.

use domain::Aggregate as _;
use domain::ClaimScope;
use domain::client::{Client, ClientCommand, ClientDocument};
use domain::grant::{Grant, GrantCommand, GrantEnd, place};
use domain::instance::Instance;
use domain::organization::{Organization, OrganizationError};
use domain::value::{
    ClientId, Clock as _, GrantId, InstanceId, OrganizationId, Role, Scopes, Timestamp, UserId,
};
use serde::{Deserialize, Serialize};

use crate::access::acting_user;
use crate::{Actor, Authority, Credential, Entropy as _, Log, Ports, Refused, Unit, UseCase};

/// Let a client act in one's own name at an instance.
#[derive(Debug, Clone)]
pub struct Issue {
    /// Which client.
    pub client: ClientId,
    /// Where.
    pub instance: InstanceId,
    /// The most that its tokens may do; what was consented to before counts no more.
    pub scopes: Scopes,
    /// When a new grant ends by itself, if it does. One that is live keeps its end.
    pub expires_at: Option<Timestamp>,
    /// What the person saw of the client, where the identifier of the client is the address of a document.
    pub seen: Option<Box<ClientDocument>>,
}

/// The client may act.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Issued {
    /// The grant that is live now.
    pub grant: GrantId,
}

impl UseCase for Issue {
    type Answer = Issued;

    async fn run<P: Ports>(
        &self,
        ports: &P,
        actor: &Actor,
        unit: &mut Unit<'_, P::Log>,
    ) -> Result<Issued, Refused> {
        must_be_in_person(actor)?;
        let user = acting_user(unit, actor).await?;
        let organization = self.reachable_for(user, unit).await?;
        if let Some(seen) = &self.seen {
            unit.decide::<Client>(self.client, ClientCommand::SeeDocument(seen.clone())).await?;
        }
        self.must_suit_the_client(organization, unit).await?;
        // Of one that registered itself, that it is used: from here on nobody forgets it, whoever looks at the same moment.
        unit.decide::<Client>(self.client, ClientCommand::Use).await?;

        let held = unit.owner_of(ClaimScope::Grant, &place(user, self.client, self.instance)).await?;
        let held = held.and_then(|id| GrantId::parse(&id).ok());
        let now = ports.clock().now();
        if let Some(id) = held {
            if !unit.load::<Grant>(id).await?.is_over(now) {
                let change = GrantCommand::ChangeScopes { scopes: self.scopes.clone() };
                unit.decide::<Grant>(id, change).await?;
                return Ok(Issued { grant: id });
            }
            unit.decide::<Grant>(id, GrantCommand::Revoke { reason: GrantEnd::Expired }).await?;
        }
        let id = GrantId::new(ports.entropy().id());
        let grant = GrantCommand::Grant {
            organization,
            user,
            client: self.client,
            instance: self.instance,
            scopes: self.scopes.clone(),
            expires_at: self.expires_at,
            at: now,
        };
        unit.decide::<Grant>(id, grant).await?;
        Ok(Issued { grant: id })
    }
}

impl Issue {
    /// Whose the instance is. Where the user is no member, there is none.
    async fn reachable_for<L: Log>(
        &self,
        user: UserId,
        unit: &Unit<'_, L>,
    ) -> Result<OrganizationId, Refused> {
        let unknown = || Refused::NotFound("instance");
        let instance = unit.load::<Instance>(self.instance).await?;
        let organization = instance.organization(self.instance).filter(|_| instance.exists());
        let organization = organization.ok_or_else(unknown)?;
        let state = unit.load::<Organization>(organization).await?;
        let role = state.role_of(user).filter(|_| state.exists()).ok_or_else(unknown)?;
        if state.is_suspended() {
            return Err(OrganizationError::Suspended.into());
        }
        match role {
            Role::Owner | Role::Admin | Role::Member | Role::Viewer => {}
            Role::Auditor => return Err(Refused::Forbidden("auditors of the organization call no tools")),
        }
        if instance.takes_tokens() {
            Ok(organization)
        } else {
            Err(Refused::Invalid(
                "this instance takes no access tokens; its organization decides how it is called".to_owned(),
            ))
        }
    }

    /// Another organization's client looks like none; one of nobody in particular may be let in anywhere.
    async fn must_suit_the_client<L: Log>(
        &self,
        organization: OrganizationId,
        unit: &Unit<'_, L>,
    ) -> Result<(), Refused> {
        let client = unit.load::<Client>(self.client).await?;
        let is_foreign = client.organization(self.client).is_some_and(|owner| owner != organization);
        if !client.exists() || is_foreign {
            return Err(Refused::NotFound("client"));
        }
        if !client.is_enabled() {
            return Err(Refused::Forbidden("this client is disabled"));
        }
        match client.scopes() {
            Some(most) if most.grant_all(&self.scopes) => Ok(()),
            Some(_) | None => Err(Refused::Invalid("this client cannot be granted as much".to_owned())),
        }
    }
}

/// What a user is asked at a page of their own, no key answers.
fn must_be_in_person(actor: &Actor) -> Result<(), Refused> {
    match (actor.credential, actor.authority) {
        // The demonstration agrees by itself, for black-box tools on its own machine: the log says so.
        (Credential::Session | Credential::AutoConsent, Authority::User { .. }) => Ok(()),
        (
            Credential::Session
            | Credential::AutoConsent
            | Credential::ApiKey(_)
            | Credential::BootstrapToken
            | Credential::CommandLine
            | Credential::Client(_)
            | Credential::Schedule,
            Authority::User { .. }
            | Authority::Member { .. }
            | Authority::Administrator { .. }
            | Authority::Founder
            | Authority::Client { .. }
            | Authority::Server,
        ) => Err(Refused::Forbidden("people consent in person, signed in at a page of their own")),
    }
}
