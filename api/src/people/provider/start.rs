//! Somebody chooses a provider, or has a session renewed, and is led there.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use commands::Ports;
use domain::value::ProviderId;
use http::{StatusCode, Uri};
use projections::access::Provider;

use super::visits::{self, Purpose, Visit};
use crate::oauth::Parameters;
use crate::pages::Fault;
use crate::pages::sign_in::{Trouble, led_to};
use crate::people::sign_in::form;
use crate::people::visitor::{leads_to, unavailable};
use crate::people::{Next, People, Sent, Visitor};
use crate::providers::{Down, Way};

/// Why somebody is not led there.
pub(super) enum NotLed {
    Down,
    Fault(Fault),
}

impl From<Down> for NotLed {
    fn from(_: Down) -> Self {
        Self::Down
    }
}

/// Somebody chose a provider on the page that asks for a password, too.
pub(in crate::people) async fn choose<P: Ports + 'static>(
    State(people): State<People<P>>,
    Path(provider): Path<String>,
    Sent { visitor, form: sent }: Sent,
) -> Response {
    let next = Next::of(sent.get("next"));
    let provider = match named(&people, &provider) {
        Ok(provider) => provider,
        Err(fault) => return visitor.fault(fault),
    };
    let visit = Visit {
        purpose: Purpose::SignIn,
        in_person: sent.get("again").is_some(),
        next: next.clone(),
        ui_locales: visitor.ui_locales().map(str::to_owned),
    };
    go(&people, &visitor, &provider, &visit).await
}

/// Leads a browser there by a page of ours: a form's redirect would be stopped at whatever address the provider leads on to (CSP 3, `form-action`).
pub(super) async fn go<P: Ports + 'static>(
    people: &People<P>,
    visitor: &Visitor,
    provider: &Provider,
    visit: &Visit,
) -> Response {
    match way(people, visitor, provider, visit).await {
        Ok(address) => {
            let page = led_to(visitor.language(), provider.name.as_str(), address);
            visitor.page(people, StatusCode::OK, page)
        }
        Err(NotLed::Down) => form(people, visitor, &visit.next, Some(Trouble::ProviderDown)),
        Err(NotLed::Fault(fault)) => visitor.fault(fault),
    }
}

/// A session whose time at its provider is up: the same person is to be vouched for again.
pub(in crate::people) async fn renew<P: Ports + 'static>(
    State(people): State<People<P>>,
    visitor: Visitor,
    uri: Uri,
) -> Response {
    let query = Parameters::parse(uri.query().unwrap_or_default().as_bytes()).unwrap_or_default();
    let next = Next::of(query.get("next"));
    let Some((session, provider)) = visitor.due() else { return leads_to(next.as_str()) };
    let provider = match named(&people, provider.as_str()) {
        Ok(provider) => provider,
        Err(fault) => return visitor.fault(fault),
    };
    let ui_locales = visitor.ui_locales().map(str::to_owned);
    let visit = Visit { purpose: Purpose::Renew { session }, in_person: false, next, ui_locales };
    match way(&people, &visitor, &provider, &visit).await {
        Ok(address) => leads_to(&address),
        Err(NotLed::Down) => form(&people, &visitor, &visit.next, Some(Trouble::ProviderDown)),
        Err(NotLed::Fault(fault)) => visitor.fault(fault),
    }
}

async fn way<P: Ports + 'static>(
    people: &People<P>,
    visitor: &Visitor,
    provider: &Provider,
    visit: &Visit,
) -> Result<String, NotLed> {
    people.providers.contact(provider).await?;
    let state =
        visits::keep(&people.pool, people.ports.entropy(), (&visitor.token, &provider.id), visit).await;
    let state = state.map_err(|error| NotLed::Fault(unavailable(&error)))?;
    let ui_locales = Some(visitor.language().tag());
    Ok(people.providers.lead(provider, Way { state: &state, in_person: visit.in_person, ui_locales }).await?)
}

/// The provider in an address.
pub(super) fn named<P>(people: &People<P>, text: &str) -> Result<Arc<Provider>, Fault> {
    let id = ProviderId::parse(text).map_err(|_| Fault::UnknownProvider)?;
    let view = people.deciding.fresh().ok_or(Fault::Unavailable)?;
    view.provider(&id).cloned().ok_or(Fault::UnknownProvider)
}
