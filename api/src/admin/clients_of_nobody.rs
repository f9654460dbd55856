//! `/v1/deployment/clients`: clients that registered themselves where anybody may, for the administrators of the deployment: nobody else answers
//! for them. What such a client is, it says itself; here it is looked at, stopped and ended.

use axum::extract::State;
use commands::Ports;
use commands::client::{Delete, Disable, Enable, RevokeRegistrationToken};
use domain::value::{ClientId, Scope};
use http::Method;
use projections::directory::clients as rows;

use super::ask::{Answered, Asker, Found, found};
use super::clients::Client;
use super::shapes::{Because, Changed, Nothing};
use super::{Access, Admin, Area, Command, Listed, Paging, Path};
use crate::problem::Problem;

const ALL: &str = "/v1/deployment/clients";
const ONE: &str = "/v1/deployment/clients/{client}";
const REGISTRATION_TOKEN: &str = "/v1/deployment/clients/{client}/registration-token";
const DISABLE: &str = "/v1/deployment/clients/{client}/disable";
const ENABLE: &str = "/v1/deployment/clients/{client}/enable";

/// The routes.
pub(super) fn area<P: Ports + 'static>() -> Area<P> {
    let reads = || Access::Administrator(Scope::OrgRead);
    let writes = || Access::Administrator(Scope::ClientsWrite);
    Area::new("Clients of nobody", "OAuth clients that registered themselves where anybody may.")
        .list::<Listed<Client>, _, _>(
            ALL,
            reads(),
            "listClientsOfNobody",
            "The clients that belong to no organization",
            list::<P>,
        )
        .read::<Client, _, _>(
            ONE,
            reads(),
            "getClientOfNobody",
            "One client that belongs to no organization",
            get::<P>,
        )
        .act::<Changed, _, _>(
            Method::DELETE,
            REGISTRATION_TOKEN,
            writes(),
            "revokeRegistrationTokenOfNobody",
            "Revoke the token that a client manages its registration with (RFC 7592)",
            revoke_registration_token::<P>,
        )
        .change::<Because, Changed, _, _>(
            Method::POST,
            DISABLE,
            writes(),
            "disableClientOfNobody",
            "Refuse everything that a client asks for",
            disable::<P>,
        )
        .act::<Changed, _, _>(
            Method::POST,
            ENABLE,
            writes(),
            "enableClientOfNobody",
            "Let a client ask again",
            enable::<P>,
        )
        .act::<Changed, _, _>(
            Method::DELETE,
            ONE,
            writes(),
            "deleteClientOfNobody",
            "End a client for good",
            delete::<P>,
        )
}

async fn list<P: Ports + 'static>(
    State(admin): State<Admin<P>>,
    page: Paging,
) -> Result<Listed<Client>, Problem> {
    let rows = rows::list_of_nobody(&admin.pool, page.after, page.rows).await?;
    Ok(Listed::of(rows, Client::from))
}

async fn get<P: Ports + 'static>(
    State(admin): State<Admin<P>>,
    Path(client): Path<ClientId>,
) -> Found<Client> {
    found(rows::of_nobody_by_id(&admin.pool, client).await?, "client", Client::from)
}

async fn revoke_registration_token<P: Ports + 'static>(
    asker: Asker<P>,
    Path(client): Path<ClientId>,
    Command { body: Nothing {}, order }: Command<Nothing>,
) -> Answered<Changed> {
    asker.change(order, &RevokeRegistrationToken { organization: None, client }).await
}

async fn disable<P: Ports + 'static>(
    asker: Asker<P>,
    Path(client): Path<ClientId>,
    Command { body: Because { reason }, order }: Command<Because>,
) -> Answered<Changed> {
    asker.change(order, &Disable { organization: None, client, reason }).await
}

async fn enable<P: Ports + 'static>(
    asker: Asker<P>,
    Path(client): Path<ClientId>,
    Command { body: Nothing {}, order }: Command<Nothing>,
) -> Answered<Changed> {
    asker.change(order, &Enable { organization: None, client }).await
}

async fn delete<P: Ports + 'static>(
    asker: Asker<P>,
    Path(client): Path<ClientId>,
    Command { body: Nothing {}, order }: Command<Nothing>,
) -> Answered<Changed> {
    asker.change(order, &Delete { organization: None, client }).await
}
