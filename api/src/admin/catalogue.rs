//! `/v1/deployment/servers`: the deployment's own catalogue of upstream servers, for its administrators.

use axum::extract::State;
use commands::Ports;
use commands::server::{Registered, Retire};
use domain::value::{Scope, ServerId};
use http::Method;
use projections::directory::servers as rows;

use super::ask::{Answered, Asker};
use super::servers::{Server, ServerBody};
use super::shapes::{Changed, Made, Nothing};
use super::{Access, Admin, Area, Command, Listed, Paging, Path};
use crate::problem::Problem;

const ALL: &str = "/v1/deployment/servers";
const ONE: &str = "/v1/deployment/servers/{server}";

/// The routes.
pub(super) fn area<P: Ports + 'static>() -> Area<P> {
    let reads = || Access::Administrator(Scope::OrgRead);
    let writes = || Access::Administrator(Scope::OrgWrite);
    Area::new("Catalogue", "The deployment's own servers: every organization may connect to the public ones.")
        .make::<ServerBody, Made, _, _>(
            ALL,
            writes(),
            "registerCatalogueServer",
            "Bring a server into the deployment's catalogue",
            register::<P>,
        )
        .list::<Listed<Server>, _, _>(
            ALL,
            reads(),
            "listCatalogueServers",
            "The deployment's catalogue, also what is not public",
            list::<P>,
        )
        .change::<ServerBody, Changed, _, _>(
            Method::PUT,
            ONE,
            writes(),
            "updateCatalogueServer",
            "Replace the description of a catalogue server; at another origin (scheme, host, port) its connections need their secrets set again",
            update::<P>,
        )
        .act::<Changed, _, _>(
            Method::DELETE,
            ONE,
            writes(),
            "retireCatalogueServer",
            "Offer a catalogue server no longer; calls to it are refused",
            retire::<P>,
        )
}

async fn register<P: Ports + 'static>(
    asker: Asker<P>,
    Command { body, order }: Command<ServerBody>,
) -> Answered<Made> {
    asker.ask(order, &body.registration(None), |Registered { id }| Made { id: id.uuid() }).await
}

async fn list<P: Ports + 'static>(
    State(admin): State<Admin<P>>,
    page: Paging,
) -> Result<Listed<Server>, Problem> {
    let rows = rows::catalogue(&admin.pool, page.after, page.rows).await?;
    Ok(Listed::of(rows, Server::from))
}

async fn update<P: Ports + 'static>(
    asker: Asker<P>,
    Path(server): Path<ServerId>,
    Command { body, order }: Command<ServerBody>,
) -> Answered<Changed> {
    asker.change(order, &body.replacement(None, server)).await
}

async fn retire<P: Ports + 'static>(
    asker: Asker<P>,
    Path(server): Path<ServerId>,
    Command { body: Nothing {}, order }: Command<Nothing>,
) -> Answered<Changed> {
    asker.change(order, &Retire { organization: None, server }).await
}
