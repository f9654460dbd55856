//! `/connections/{connection}/authorize` and `/connections/callback`: somebody who holds a connection authorizes it at the upstream's authorization
//! server.
//!
//! Nobody is led there by a link: they see what it is about, and choose. The way back counts for whoever chose, in the browser in which they did
//! (`oauth.md`, cases 5 and 7).

use axum::extract::{Path, State};
use axum::response::Response;
use commands::connection::{PrepareAuthorization, Prepared};
use commands::{CarryOutError, Ports, Refused};
use domain::server::Transport;
use domain::value::{ConnectionId, OrganizationId};
use http::{StatusCode, Uri};
use projections::directory::{connections, organizations};
use url::Url;

use super::visitor::unavailable;
use super::{Next, People, Sent, SignedIn, Visitor};
use crate::oauth::Parameters;
use crate::pages::Fault;
use crate::pages::connections::{Asking, connected, not_connected};
use crate::pages::sign_in::led_to;
use crate::upstream_oauth::{Redeemed, Traveller, Trouble};

/// A connection that somebody may authorize.
struct Held {
    organization: OrganizationId,
    connection: ConnectionId,
    name: String,
    shared: bool,
    prepared: Prepared,
}

/// Asks.
pub(super) async fn show<P: Ports + 'static>(
    State(people): State<People<P>>,
    Path(connection): Path<String>,
    visitor: Visitor,
) -> Response {
    let somebody = match visitor.signed_in() {
        Ok(somebody) => somebody,
        Err(visitor) => return visitor.to_sign_in(&Next::of(Some(&page_of(&connection)))),
    };
    match held(&people, &somebody, &connection).await {
        Ok(held) => asking(&people, &somebody, &held, None).await,
        Err(fault) => somebody.visitor.fault(fault),
    }
}

/// Leads there.
pub(super) async fn begin<P: Ports + 'static>(
    State(people): State<People<P>>,
    Path(connection): Path<String>,
    Sent { visitor, .. }: Sent,
) -> Response {
    let somebody = match visitor.signed_in() {
        Ok(somebody) => somebody,
        Err(visitor) => return visitor.to_sign_in(&Next::of(Some(&page_of(&connection)))),
    };
    let held = match held(&people, &somebody, &connection).await {
        Ok(held) => held,
        Err(fault) => return somebody.visitor.fault(fault),
    };
    let browser = somebody.visitor.token.digest();
    let traveller = Traveller { browser: &browser, user: somebody.user() };
    let place = (held.organization, held.connection);
    match people.upstreams.begin(traveller, place, &held.prepared).await {
        Ok(address) => {
            let there = Url::parse(&address).ok().and_then(|url| url.host_str().map(str::to_owned));
            let page = led_to(somebody.visitor.language(), &there.unwrap_or_default(), address);
            somebody.visitor.page(&people, StatusCode::OK, page)
        }
        Err(trouble) => {
            told(&trouble, held.connection);
            asking(&people, &somebody, &held, Some(&trouble)).await
        }
    }
}

/// Comes back.
pub(super) async fn back<P: Ports + 'static>(
    State(people): State<People<P>>,
    visitor: Visitor,
    uri: Uri,
) -> Response {
    let somebody = match visitor.signed_in() {
        Ok(somebody) => somebody,
        Err(visitor) => return visitor.to_sign_in(&Next::default()), // whoever signs in anew begins anew
    };
    let Ok(back) = Parameters::parse(uri.query().unwrap_or_default().as_bytes()) else {
        return somebody.visitor.fault(Fault::Malformed); // twice the same is none
    };
    let browser = somebody.visitor.token.digest();
    let traveller = Traveller { browser: &browser, user: somebody.user() };
    let redeemed = match people.upstreams.redeem(traveller, &back).await {
        Ok(redeemed) => redeemed,
        Err(trouble) => return refused(&people, &somebody, &trouble, None),
    };
    match put_in_force(&people, &somebody, redeemed).await {
        Ok(response) | Err(response) => response,
    }
}

async fn put_in_force<P: Ports + 'static>(
    people: &People<P>,
    somebody: &SignedIn,
    Redeemed { organization, connection, authorize }: Redeemed,
) -> Result<Response, Response> {
    let visitor = &somebody.visitor;
    let done = people.carry_out(&somebody.actor(), &authorize, &visitor.correlation()).await;
    match done {
        Ok(()) => {}
        Err(CarryOutError::Refused(why @ (Refused::Connection(_) | Refused::Server(_)))) => {
            let page =
                not_connected(visitor.language(), &why.to_string(), Some(&page_of(&connection.to_string())));
            return Err(visitor.page(people, StatusCode::CONFLICT, page));
        }
        Err(error) => return Err(visitor.fault(fault_of(&error))),
    }
    let row = connections::by_id(&people.pool, organization, connection).await;
    let row = row.map_err(|error| visitor.fault(unavailable(&error)))?;
    let name = row.map(|row| row.name).unwrap_or_default();
    Ok(visitor.page(people, StatusCode::OK, connected(visitor.language(), &name)))
}

/// The connection in an address, if the person may authorize it. What is not there looks as what is somebody else's.
async fn held<P: Ports + 'static>(
    people: &People<P>,
    somebody: &SignedIn,
    text: &str,
) -> Result<Held, Fault> {
    let connection = ConnectionId::parse(text).map_err(|_| Fault::UnknownConnection)?;
    let view = people.deciding.fresh().ok_or(Fault::Unavailable)?;
    let organization = view.upstream(connection).map(|(held, _)| held.organization);
    let organization = organization.ok_or(Fault::UnknownConnection)?;
    let prepare = PrepareAuthorization { organization, connection };
    let prepared = people.carry_out(&somebody.actor(), &prepare, &somebody.visitor.correlation()).await;
    let prepared = prepared.map_err(|error| fault_of(&error))?;
    let row = connections::by_id(&people.pool, organization, connection).await;
    let row = row.map_err(|error| unavailable(&error))?.ok_or(Fault::UnknownConnection)?;
    let shared = row.owner_user_id.is_none();
    Ok(Held { organization, connection, name: row.name, shared, prepared })
}

async fn asking<P: Ports + 'static>(
    people: &People<P>,
    somebody: &SignedIn,
    held: &Held,
    trouble: Option<&Trouble>,
) -> Response {
    let visitor = &somebody.visitor;
    let organization = match organizations::by_id(&people.pool, held.organization).await {
        Ok(row) => row.map_or_else(|| held.organization.to_string(), |row| row.name),
        Err(error) => return visitor.fault(unavailable(&error)),
    };
    let Transport::Http { url } = &held.prepared.transport;
    let (csrf, action) = (people.csrf_of(visitor), page_of(&held.connection.to_string()));
    let told = trouble.map(ToString::to_string);
    let asking = Asking {
        csrf: &csrf,
        action: &action,
        connection: &held.name,
        organization: &organization,
        server: url.as_str(),
        shared: held.shared,
        trouble: told.as_deref(),
    };
    let status = trouble.map_or(StatusCode::OK, status_of);
    visitor.page(people, status, asking.page(visitor.language()))
}

fn refused<P: Ports + 'static>(
    people: &People<P>,
    somebody: &SignedIn,
    trouble: &Trouble,
    connection: Option<ConnectionId>,
) -> Response {
    let visitor = &somebody.visitor;
    tracing::warn!(cause = %trouble, "a connection is not authorized");
    let again = connection.map(|connection| page_of(&connection.to_string()));
    let page = not_connected(visitor.language(), &trouble.to_string(), again.as_deref());
    visitor.page(people, status_of(trouble), page)
}

fn told(trouble: &Trouble, connection: ConnectionId) {
    tracing::warn!(connection.id = %connection, cause = %trouble, "a connection is not authorized");
}

/// What a page that tells of trouble is answered with.
const fn status_of(trouble: &Trouble) -> StatusCode {
    match trouble {
        Trouble::NotFound(_) | Trouble::Nobody(_) | Trouble::NotGiven(_) => StatusCode::BAD_GATEWAY,
        Trouble::Denied(_) | Trouble::Mixed | Trouble::Stale => StatusCode::BAD_REQUEST,
        Trouble::Gone => StatusCode::NOT_FOUND,
        Trouble::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn fault_of(error: &CarryOutError) -> Fault {
    match error {
        CarryOutError::Refused(
            Refused::NotFound(_)
            | Refused::Forbidden(_)
            | Refused::Invalid(_)
            | Refused::Server(_)
            | Refused::Connection(_)
            | Refused::Organization(_),
        ) => Fault::UnknownConnection,
        error => unavailable(error),
    }
}

/// The page of a connection.
fn page_of(connection: &str) -> String {
    format!("/connections/{connection}/authorize")
}
