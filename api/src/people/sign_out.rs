//! `/sign-out`: the session of this browser ends, everywhere at once. Only by a form of ours: no link and no image signs anybody out. Where something is to go on, somebody else may sign in for it.

use axum::extract::State;
use axum::response::Response;
use commands::Ports;
use http::{StatusCode, Uri};

use super::sessions::{self, Which};
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
    match visitor.signed_in() {
        Ok(somebody) => {
            let visitor = &somebody.visitor;
            let page =
                leaving(visitor.language(), &people.csrf(&visitor.token), next.as_ref().map(Next::as_str));
            visitor.page(&people, StatusCode::OK, page)
        }
        Err(visitor) => visitor.page(&people, StatusCode::OK, left(visitor.language())),
    }
}

/// Ends it.
pub(super) async fn sign_out<P: Ports + 'static>(
    State(people): State<People<P>>,
    Sent { visitor, form }: Sent,
) -> Response {
    let next = form.get("next").map(|next| Next::of(Some(next)));
    let visitor = match visitor.signed_in() {
        Ok(somebody) => {
            let which = Which::One(somebody.session.id);
            if let Err(error) = sessions::end(&people.pool, somebody.user(), which).await {
                return somebody.visitor.fault(unavailable(&error));
            }
            somebody.visitor
        }
        Err(visitor) => visitor,
    };
    if let Some(next) = next {
        return visitor.to_sign_in(&next); // somebody else is to go on with it
    }
    visitor.page(&people, StatusCode::OK, left(visitor.language()))
}
