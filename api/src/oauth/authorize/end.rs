//! How an authorization request ends without a code: on a page of ours, or back at the client. What a mistake is told to is the client; whether the
//! browser is led there by that is another question (RFC 9700, 4.11.2).

use std::sync::Arc;

use axum::response::Response;
use commands::Ports;
use http::StatusCode;
use projections::access::Client;
use projections::directory::grants;

use super::error::AuthorizeError;
use super::redirect::{WayBack, destination};
use crate::limits::TooMany;
use crate::pages::Fault;
use crate::pages::held::Held;
use crate::people::{People, Visitor, leads_to, unavailable};

/// How a request ends here.
pub(super) enum End {
    /// On a page of ours.
    Here(Fault),
    /// On a page of ours that says to wait.
    Later(TooMany),
    /// On a page of ours that says what is wrong, and leads back to this client when somebody chooses to.
    Held(Arc<Client>, WayBack, AuthorizeError),
    /// Back at the client.
    Back(WayBack, AuthorizeError),
}

/// What is wrong with a request whose client and way back are known.
pub(super) enum Wrong {
    /// It is told here.
    Here(End),
    /// The client is to know.
    Told(AuthorizeError),
}

impl From<AuthorizeError> for Wrong {
    fn from(error: AuthorizeError) -> Self {
        Self::Told(error)
    }
}

impl From<End> for Wrong {
    fn from(end: End) -> Self {
        Self::Here(end)
    }
}

/// Whether an error leads on to a client by itself: somebody here stands for it, or the person let it act before.
pub(super) async fn leads_on<P: Ports + 'static>(
    people: &People<P>,
    visitor: &Visitor,
    client: &Client,
) -> bool {
    if !client.is_of_strangers() || people.signs_in_unasked(visitor) {
        return true;
    }
    let Ok(somebody) = visitor.clone().signed_in() else { return false };
    match grants::lets_act(&people.pool, somebody.user(), client.id).await {
        Ok(lets_act) => lets_act,
        Err(error) => {
            unavailable(&error);
            false
        }
    }
}

/// The answer.
pub(super) fn ended<P: Ports + 'static>(people: &People<P>, visitor: &Visitor, end: End) -> Response {
    match end {
        End::Here(fault) => visitor.fault(fault),
        End::Later(too_many) => {
            let mut response = visitor.fault(Fault::TooOften);
            too_many.tell(response.headers_mut());
            response
        }
        End::Held(client, back, error) => {
            let held = Held {
                code: error.code(),
                description: error.description(),
                client: client.name.as_str(),
                destination: &destination(&back.redirect_uri),
                way_back: &back.with_error(error, people.url.issuer()),
            };
            visitor.page(people, StatusCode::BAD_REQUEST, held.page(visitor.language()))
        }
        End::Back(back, error) => leads_to(&back.with_error(error, people.url.issuer())),
    }
}
