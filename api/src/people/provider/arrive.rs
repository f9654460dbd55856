//! To whom an identity leads: to whoever it is linked to; else to a new user. Never to somebody who is here under the same address, unless they are
//! signed in at this very moment (`oauth.md`, case 8).

use std::time::Duration;

use commands::user::{LinkIdentity, Visit};
use commands::{Actor, CarryOutError, Entropy as _, Ports};
use domain::ClaimScope;
use domain::deployment::AccountMatching;
use domain::policy::Standing;
use domain::user::identity_claim;
use domain::value::UserId;
use projections::access::Provider;
use projections::directory::users;

use super::callback::NotIn;
use crate::pages::Fault;
use crate::people::verify::owner_in;
use crate::people::{People, SignedIn, Visitor, sessions};
use crate::providers::VouchedFor;

/// A node that decides hears of what was committed within its bound, a second unless it is set otherwise.
const HEARD_WITHIN: Duration = Duration::from_secs(2);

/// Whoever an identity is linked to.
pub(super) async fn known<P>(
    people: &People<P>,
    provider: &Provider,
    vouched_for: &VouchedFor,
) -> Result<Option<UserId>, sqlx::Error> {
    owner_in(&people.pool, ClaimScope::Identity, &identity(people, provider, vouched_for)).await
}

/// What stands for an identity where names are unique.
pub(super) fn identity<P>(people: &People<P>, provider: &Provider, vouched_for: &VouchedFor) -> String {
    people.digests.keyed("identity", &identity_claim(&provider.issuer, &vouched_for.subject))
}

/// Waits for the view to hear of somebody whom Postgres knows already: another tab, or another node, made them a moment ago.
async fn heard_of<P>(people: &People<P>, user: UserId) {
    let mut news = people.view.listen();
    let heard = async { while !people.view.load().has_heard_of(user) && news.changed().await.is_ok() {} };
    // Whoever is not heard of by then is not let in.
    let _ = tokio::time::timeout(HEARD_WITHIN, heard).await;
}

/// Whether somebody may be let in.
pub(super) fn counts<P>(people: &People<P>, user: UserId) -> Result<bool, Fault> {
    let view = people.deciding.fresh().ok_or(Fault::Unavailable)?;
    Ok(match view.user(user) {
        Standing::Active => true,
        Standing::Suspended | Standing::Ended => false,
    })
}

/// Whom an identity leads to, made now if there is nobody. None when they may not be let in.
pub(super) async fn user<P: Ports + 'static>(
    people: &People<P>,
    visitor: &Visitor,
    provider: &Provider,
    vouched_for: &VouchedFor,
) -> Result<Option<UserId>, NotIn> {
    if let Some(user) = known(people, provider, vouched_for).await? {
        heard_of(people, user).await;
        return Ok(counts(people, user)?.then_some(user));
    }
    if let Ok(somebody) = visitor.clone().signed_in()
        && is_theirs(people, &somebody, provider, vouched_for).await?
    {
        return Ok(link(people, &somebody, provider, vouched_for).await?.then(|| somebody.user()));
    }
    let asked = UserId::new(people.ports.entropy().id());
    let first = Visit {
        issuer: provider.issuer.clone(),
        subject: vouched_for.subject.clone(),
        email: vouched_for.email.clone(),
        name: vouched_for.name.clone(),
    };
    match people.carry_out(&Actor::signed_in(asked), &first, &visitor.correlation()).await {
        Ok(visited) => Ok(Some(visited.user)),
        // Somebody was faster: the same person, in another tab.
        Err(CarryOutError::Taken(ClaimScope::Identity)) => {
            let user = known(people, provider, vouched_for).await?;
            if let Some(user) = user {
                heard_of(people, user).await;
            }
            Ok(user)
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether an unknown identity is that of whoever is signed in, by an address that the provider verified and that is theirs here.
async fn is_theirs<P>(
    people: &People<P>,
    somebody: &SignedIn,
    provider: &Provider,
    vouched_for: &VouchedFor,
) -> Result<bool, sqlx::Error> {
    match (provider.matching, &vouched_for.email) {
        (AccountMatching::Identity, _) | (AccountMatching::VerifiedEmail, None) => Ok(false),
        (AccountMatching::VerifiedEmail, Some(email)) => {
            let row = users::any_by_id(&people.pool, somebody.user()).await?;
            Ok(row.and_then(|row| row.email).is_some_and(|theirs| theirs == email.as_str()))
        }
    }
}

/// Lets an identity lead to whoever is signed in. False when it leads to somebody else, or they have too many. The provider was asked since their session was
/// looked at, which takes its time: whoever ended it meanwhile shut somebody out, who must not come back by an identity of their own.
pub(super) async fn link<P: Ports + 'static>(
    people: &People<P>,
    somebody: &SignedIn,
    provider: &Provider,
    vouched_for: &VouchedFor,
) -> Result<bool, NotIn> {
    let mut unit = people.pool.begin().await?;
    if !sessions::lasts(&mut unit, somebody.session.id).await? {
        return Err(Fault::StaleForm.into());
    }
    unit.commit().await?;
    let (issuer, subject) = (provider.issuer.clone(), vouched_for.subject.clone());
    let link = LinkIdentity { issuer, subject };
    match people.carry_out(&somebody.actor(), &link, &somebody.visitor.correlation()).await {
        Ok(()) => Ok(true),
        Err(CarryOutError::Taken(_) | CarryOutError::Refused(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
