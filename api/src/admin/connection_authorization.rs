//! `/v1/organizations/{organization}/connections/{connection}/authorization`: a connection to a server that is authorized by OAuth. Tokens never come
//! out, and nobody gives them in.

use commands::connection::{PrepareAuthorization, WithdrawAuthorization};
use commands::{Order, Ports};
use domain::server::UpstreamGrant;
use domain::value::{ConnectionId, Scope};
use http::{Method, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

use super::ask::{Answered, Asker, Within};
use super::shapes::{Changed, Nothing};
use super::{Access, Area, Command, Path};
use crate::problem::Problem;
use crate::upstream_oauth::Trouble;

const AUTHORIZATION: &str = "/v1/organizations/{organization}/connections/{connection}/authorization";

/// The routes.
pub(super) fn area<P: Ports + 'static>() -> Area<P> {
    let writes = || Access::Organization(Scope::OrgWrite);
    Area::new(
        "Authorizations of connections",
        "Servers that are authorized by OAuth: who allows it, and that it is taken back.",
    )
    .act::<Begun, _, _>(
        Method::POST,
        AUTHORIZATION,
        writes(),
        "authorizeConnection",
        "Get the page on which whoever holds the connection authorizes it, or authorize its own client at once",
        authorize::<P>,
    )
    .act::<Changed, _, _>(
        Method::DELETE,
        AUTHORIZATION,
        writes(),
        "withdrawConnectionAuthorization",
        "Use the tokens of a connection no longer",
        withdraw::<P>,
    )
}

/// How far the authorization of a connection is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuthorizationBegun)]
struct Begun {
    /// Whether it is done: the connection's own client got its token.
    authorized: bool,
    /// The page that a person who holds the connection opens in a browser; null where nobody is asked.
    #[schema(required)]
    url: Option<String>,
}

async fn authorize<P: Ports + 'static>(
    asker: Asker<P>,
    Path((organization, connection)): Within<ConnectionId>,
    Command { body: Nothing {}, order }: Command<Nothing>,
) -> Answered<Begun> {
    let correlation = order.correlation.clone();
    let prepare = PrepareAuthorization { organization, connection };
    let prepared = asker.ask(order, &prepare, |prepared| prepared).await?;
    match prepared.answer.oauth.grant {
        UpstreamGrant::AuthorizationCode => {
            let url = asker.admin.upstreams.page(connection);
            Ok(prepared.map(|_| Begun { authorized: false, url: Some(url) }))
        }
        UpstreamGrant::ClientCredentials => {
            let place = (organization, connection);
            let authorize =
                asker.admin.upstreams.in_own_name(place, &prepared.answer).await.map_err(problem)?;
            // What is put in force is fresh each time, so it is carried out under no name that a retry could find.
            let order = Order { command: None, request_digest: String::new(), correlation, causation: None };
            asker.ask(order, &authorize, |()| Begun { authorized: true, url: None }).await
        }
    }
}

async fn withdraw<P: Ports + 'static>(
    asker: Asker<P>,
    Path((organization, connection)): Within<ConnectionId>,
    Command { body: Nothing {}, order }: Command<Nothing>,
) -> Answered<Changed> {
    asker.change(order, &WithdrawAuthorization { organization, connection }).await
}

fn problem(trouble: Trouble) -> Problem {
    match trouble {
        Trouble::Gone => Problem::not_found("server"),
        trouble @ Trouble::Unavailable => {
            Problem::unavailable("authorization-unavailable", &trouble.to_string())
        }
        trouble @ (Trouble::NotFound(_)
        | Trouble::Nobody(_)
        | Trouble::NotGiven(_)
        | Trouble::Denied(_)
        | Trouble::Mixed
        | Trouble::Stale) => {
            Problem::new(StatusCode::BAD_GATEWAY, "upstream-not-authorized", trouble.to_string())
        }
    }
}
