//! `/sign-out`: the session of this browser ends, everywhere at once, also one that does not count at the moment: its provider could bring it back. Only by
//! a form of ours: no link and no image signs anybody out. Where something is to go on, somebody else may sign in for it.

use axum::extract::State;
use axum::response::Response;
use commands::Ports;
use http::{StatusCode, Uri};

use super::sessions;
use super::visitor::unavailable;
use super::{Next, People, Sent, Visitor};
use crate::oauth::Parameters;
use crate::pages::sign_in::{leaving, left};

/// Asks.
pub(super) async fn show<P: Ports + 'static>(
    State(people): State<People<P>>,
    visitor: Visitor,
    uri: Uri,
) -> Response {
    let query = Parameters::parse(uri.query().unwrap_or_default().as_bytes()).unwrap_or_default();
    let next = query.get("next").map(|next| Next::of(Some(next)));
    if !visitor.may_leave() {
        return visitor.page(&people, StatusCode::OK, left(visitor.language()));
    }
    let page = leaving(visitor.language(), &people.csrf(&visitor.token), next.as_ref().map(Next::as_str));
    visitor.page(&people, StatusCode::OK, page)
}

/// Ends it.
pub(super) async fn sign_out<P: Ports + 'static>(
    State(people): State<People<P>>,
    Sent { visitor, form }: Sent,
) -> Response {
    let next = form.get("next").map(|next| Next::of(Some(next)));
    if let Err(error) = sessions::leave(&people.pool, &visitor.token).await {
        return visitor.fault(unavailable(&error));
    }
    let visitor = visitor.gone();
    if let Some(next) = next {
        return visitor.to_sign_in(&next); // somebody else is to go on with it
    }
    visitor.page(&people, StatusCode::OK, left(visitor.language()))
}
