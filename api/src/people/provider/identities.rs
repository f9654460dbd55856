//! On the account page: which identities lead here, one more, one less. Both want somebody who showed lately who they are: whoever finds an open
//! browser must not make a way in of their own (`oauth.md`, case 8).

use axum::extract::State;
use axum::response::Response;
use commands::user::UnlinkIdentities;
use commands::{CarryOutError, Ports, Refused};
use domain::user::UserError;
use domain::value::{Issuer, UserId};

use super::start::{go, named};
use super::visits::{Purpose, Visit};
use crate::pages::Fault;
use crate::pages::account::{Done, IdentityShown};
use crate::people::account::done;
use crate::people::visitor::{leads_to, unavailable};
use crate::people::{Next, People, Sent};
use crate::providers::part;

/// Where somebody shows once more who they are.
const ONCE_MORE: &str = "/sign-in?again=1&next=/account/grants";

/// What somebody signs in with, and what they could sign in with, too.
pub(in crate::people) fn identities<P>(people: &People<P>, user: UserId) -> Vec<IdentityShown> {
    let view = people.view.load();
    let theirs = view.issuers_of(user).map(|issuer| {
        let provider = view.providers().find(|provider| provider.issuer == *issuer);
        let name = provider.map_or_else(|| issuer.to_string(), |provider| provider.name.to_string());
        IdentityShown::Linked { name, issuer: issuer.to_string() }
    });
    let others =
        view.providers().filter(|provider| view.issuers_of(user).all(|issuer| *issuer != provider.issuer));
    let others = others.map(|provider| IdentityShown::Offered {
        name: provider.name.to_string(),
        provider: provider.id.to_string(),
    });
    theirs.chain(others).collect()
}

/// Leads somebody to a provider, to come back with one identity more.
pub(in crate::people) async fn link<P: Ports + 'static>(
    State(people): State<People<P>>,
    Sent { visitor, form }: Sent,
) -> Response {
    let somebody = match visitor.signed_in() {
        Ok(somebody) => somebody,
        Err(visitor) => return visitor.to_sign_in(&Next::default()),
    };
    if !somebody.session.is_fresh() {
        return leads_to(ONCE_MORE);
    }
    let provider = match named(&people, form.get("provider").unwrap_or_default()) {
        Ok(provider) => provider,
        Err(fault) => return somebody.visitor.fault(fault),
    };
    let visit = Visit {
        purpose: Purpose::Link { session: somebody.session.id },
        in_person: false,
        next: Next::default(),
        ui_locales: somebody.visitor.ui_locales().map(str::to_owned),
    };
    go(&people, &somebody.visitor, &provider, &visit).await
}

/// Takes the identities at a provider away, unless somebody could never come back.
pub(in crate::people) async fn unlink<P: Ports + 'static>(
    State(people): State<People<P>>,
    Sent { visitor, form }: Sent,
) -> Response {
    let somebody = match visitor.signed_in() {
        Ok(somebody) => somebody,
        Err(visitor) => return visitor.to_sign_in(&Next::default()),
    };
    if !somebody.session.is_fresh() {
        return leads_to(ONCE_MORE);
    }
    let Some(issuer) = form.get("issuer").and_then(|text| Issuer::parse(text).ok()) else {
        return somebody.visitor.fault(Fault::Malformed);
    };
    let unlink = UnlinkIdentities { issuer: issuer.clone() };
    match people.carry_out(&somebody.actor(), &unlink, &somebody.visitor.correlation()).await {
        Ok(()) => match parted(&people, somebody.user(), &issuer).await {
            Ok(()) => done(Done::Unlinked),
            Err(error) => somebody.visitor.fault(unavailable(&error)),
        },
        Err(CarryOutError::Refused(Refused::User(UserError::LastWayIn))) => done(Done::LastWayIn),
        Err(error) => somebody.visitor.fault(unavailable(&error)),
    }
}

/// Sessions that came from there end with the identity: nobody could vouch for them any more.
async fn parted<P>(people: &People<P>, user: UserId, issuer: &Issuer) -> Result<(), sqlx::Error> {
    let view = people.view.load();
    match view.providers().find(|provider| provider.issuer == *issuer) {
        Some(provider) => part(&people.pool, user, &provider.id).await,
        None => Ok(()), // it was taken away, and its sessions with it
    }
}
