//! `/sign-in/callback/{provider}`: a browser comes back (OpenID Connect Core, 3.1.2.5).

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use commands::{CarryOutError, Ports};
use domain::value::UserId;
use http::Uri;
use projections::access::Provider;

use super::arrive;
use super::start::named;
use super::visits::{self, Purpose, Visit};
use crate::oauth::Parameters;
use crate::pages::Fault;
use crate::pages::account::Done;
use crate::pages::sign_in::Trouble;
use crate::people::account::done;
use crate::people::sessions::Method;
use crate::people::sign_in::{NotLetIn, Proof, begin, form};
use crate::people::visitor::{leads_to, unavailable};
use crate::people::{Next, People, Visitor};
use crate::providers::{NotVouched, VouchError, VouchedFor, Vouching, vouch};

/// Why nobody is signed in.
pub(super) enum NotIn {
    /// Told on the page that asks again.
    Said(Trouble, Next),
    /// Told by the page that they came from.
    Back(Next),
    /// Told on a page of its own.
    Fault(Fault),
}

impl From<Fault> for NotIn {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<sqlx::Error> for NotIn {
    fn from(error: sqlx::Error) -> Self {
        Self::Fault(unavailable(&error))
    }
}

impl From<CarryOutError> for NotIn {
    fn from(error: CarryOutError) -> Self {
        Self::Fault(unavailable(&error))
    }
}

impl From<VouchError> for NotIn {
    fn from(error: VouchError) -> Self {
        Self::Fault(unavailable(&error))
    }
}

/// A browser comes back.
pub(in crate::people) async fn back<P: Ports + 'static>(
    State(people): State<People<P>>,
    Path(provider): Path<String>,
    visitor: Visitor,
    uri: Uri,
) -> Response {
    match came(&people, visitor.clone(), &provider, &uri).await {
        Ok(response) => response,
        Err(NotIn::Said(trouble, next)) => form(&people, &visitor, &next, Some(trouble)),
        Err(NotIn::Back(next)) => leads_to(next.as_str()),
        Err(NotIn::Fault(fault)) => visitor.fault(fault),
    }
}

async fn came<P: Ports + 'static>(
    people: &People<P>,
    visitor: Visitor,
    provider: &str,
    uri: &Uri,
) -> Result<Response, NotIn> {
    let query = uri.query().unwrap_or_default().as_bytes();
    let back = Parameters::parse(query).map_err(|_| Fault::Malformed)?; // twice the same is none
    let state = back.get("state").ok_or(Fault::Malformed)?;
    let provider = named(people, provider)?;
    let visit = visits::take(&people.pool, (&visitor.token, &provider.id), state).await?;
    let visit = visit.ok_or(Fault::StaleForm)?;
    let visitor = visitor.reading(visit.ui_locales.as_deref());
    let vouched_for = people.providers.redeem(&provider, &back, state, visit.in_person).await;
    let vouched_for = vouched_for.map_err(|why| {
        tracing::warn!(provider.id = %provider.id, cause = %why, "nobody is vouched for");
        let trouble = match why {
            // Back to where they came from: they go on as anybody does whose provider does not answer.
            NotVouched::Down(_) if matches!(visit.purpose, Purpose::Renew { .. }) => {
                return NotIn::Back(visit.next.clone());
            }
            NotVouched::Down(_) => Trouble::ProviderDown,
            NotVouched::Refused(_) | NotVouched::Unfit(_) => Trouble::ProviderRefused,
        };
        NotIn::Said(trouble, visit.next.clone())
    })?;
    match visit.purpose {
        Purpose::SignIn => {
            let user = arrive::user(people, &visitor, &provider, &vouched_for).await?;
            let user = user.ok_or_else(|| NotIn::Said(Trouble::NotAllowed, visit.next.clone()))?;
            signed_in(people, &visitor, &provider, (user, &vouched_for), &visit).await
        }
        Purpose::Renew { session } => {
            // Whoever else is signed in at the provider by now takes nobody's session over.
            let user = arrive::known(people, &provider, &vouched_for).await?;
            let theirs = visitor.has_session(session).filter(|theirs| Some(*theirs) == user);
            let user = theirs.ok_or_else(|| NotIn::Said(Trouble::OtherPerson, visit.next.clone()))?;
            signed_in(people, &visitor, &provider, (user, &vouched_for), &visit).await
        }
        Purpose::Link { session } => {
            let Ok(somebody) = visitor.signed_in() else { return Err(Fault::StaleForm.into()) };
            if somebody.session.id != session {
                return Err(Fault::StaleForm.into());
            }
            let linked = arrive::link(people, &somebody, &provider, &vouched_for).await?;
            Ok(done(if linked { Done::Linked } else { Done::NotLinked }))
        }
    }
}

/// The provider vouched for somebody who is known and not suspended: their session begins, in place of the one before.
async fn signed_in<P: Ports + 'static>(
    people: &People<P>,
    visitor: &Visitor,
    provider: &Arc<Provider>,
    (user, vouched_for): (UserId, &VouchedFor),
    visit: &Visit,
) -> Result<Response, NotIn> {
    if !arrive::counts(people, user)? {
        return Err(NotIn::Said(Trouble::NotAllowed, visit.next.clone()));
    }
    let correlation = visitor.correlation();
    let vouching = Vouching {
        providers: &people.providers,
        ports: &*people.ports,
        pool: &people.pool,
        correlation: &correlation,
    };
    vouch(&vouching, user, provider).await?;
    let identity = arrive::identity(people, provider, vouched_for);
    let method = Method::Provider { provider: provider.id.clone(), identity };
    let proof = Proof { method, proved_at: vouched_for.proved_at };
    begin(people, visitor, user, proof, &visit.next).await.map_err(|why| match why {
        NotLetIn::PasswordReplaced => Fault::StaleForm.into(), // it rests on none
        NotLetIn::IdentityUnlinked => NotIn::Said(Trouble::NotAllowed, visit.next.clone()),
        NotLetIn::Fault(fault) => fault.into(),
    })
}
