//! Who may reach a user. Users belong to no organization, so nobody reaches them by a role in one.

use domain::user::User;
use domain::value::UserId;

use crate::access::{acting_user, administrator, must_speak_for_themself};
use crate::{Actor, Authority, Credential, Log, Refused, Unit};

/// Lets through whoever asks about themself, and administrators of the deployment. Decided before anything is looked up, so that nobody
/// else learns who exists.
pub(super) async fn must_be_self_or_administrator<L: Log>(
    unit: &Unit<'_, L>,
    actor: &Actor,
    user: UserId,
) -> Result<(), Refused> {
    must_speak_for_themself(actor)?;
    if acting_user(unit, actor).await? == user {
        return Ok(());
    }
    administrator(unit, actor).await?;
    must_exist(unit, user).await
}

/// Refused when nobody was registered under this id, or they are gone.
pub(super) async fn must_exist<L: Log>(unit: &Unit<'_, L>, user: UserId) -> Result<(), Refused> {
    if unit.load::<User>(user).await?.exists() { Ok(()) } else { Err(Refused::NotFound("user")) }
}

/// Lets administrators of the deployment end somebody else. Whoever does it stays, so the deployment never loses its last one.
pub(super) async fn must_administer_another<L: Log>(
    unit: &Unit<'_, L>,
    actor: &Actor,
    user: UserId,
) -> Result<(), Refused> {
    if administrator(unit, actor).await? == user {
        return Err(Refused::Forbidden("nobody suspends or deletes themself; another administrator can"));
    }
    must_exist(unit, user).await
}

/// Whoever asks in a browser, for themself. How somebody signs in, no key changes.
pub(super) fn must_be_in_person(actor: &Actor) -> Result<UserId, Refused> {
    match (actor.credential, actor.authority) {
        (Credential::Session, Authority::User { user }) => Ok(user),
        (
            Credential::Session
            | Credential::ApiKey(_)
            | Credential::BootstrapToken
            | Credential::CommandLine
            | Credential::Client(_)
            | Credential::Schedule
            | Credential::AutoConsent,
            Authority::User { .. }
            | Authority::Member { .. }
            | Authority::Administrator { .. }
            | Authority::Founder
            | Authority::Client { .. }
            | Authority::Server,
        ) => Err(Refused::Forbidden("people choose how they sign in in person, at a page of their own")),
    }
}
