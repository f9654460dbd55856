//! The management API: one file for each noun, each a table of routes that state the access they require.
//!
//! The table is the only way to add a route, so that no route is without a stated access, an OpenAPI operation and a place in the tests'
//! coverage. The check runs before the handler and hands it the `Actor`; whatever else a role may not do is refused by the use case.

mod admit;
mod answer;
mod ask;
mod everywhere;
mod outlet;
mod places;
mod recording;
mod shapes;
mod table;
mod tools;

mod api_keys;
mod audit;
mod authz;
mod bootstrap;
mod calls;
mod catalogue;
mod clients;
mod clients_of_nobody;
mod connection_authorization;
mod connections;
mod deployment;
mod events;
mod grants;
mod instances;
mod me;
mod members;
mod notary;
mod organizations;
mod passwords;
mod providers;
mod read_models;
mod servers;
mod users;
mod what_if;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use commands::{Actor, CarryOutError, Done, Order, Ports, UseCase, carry_out};
use domain::value::{Clock, Position};
use mcp::upstream::OpenNetworks;
use projections::RunnerHandle;
use projections::access::{Deciding, LiveView};
use projections::leases::Leases;
use projections::notary::NotaryHandle;
use sqlx::PgPool;

use crate::extract::{Command, Paging, Path, SHOWN_WAIT};
use crate::gateway::{CheckKey, SealCalls};
use crate::passwords::Passwords;
use crate::providers::Providers;
use crate::shutdown::Shutdown;
use crate::upstream_oauth::UpstreamOauth;

pub use crate::openapi::{Parameter, SchemaOf};
pub use answer::{Listed, Written};
pub use places::Places;
pub use table::{Access, Area, Route};

/// The token that founds a deployment, checked once.
pub trait CheckBootstrapToken: Send + Sync {
    /// Whether this is the token.
    fn matches(&self, presented: &str) -> bool;
}

/// Everything the management API needs. `P` are the ports of the use cases.
pub struct Admin<P> {
    /// The ports of the use cases.
    pub ports: Arc<P>,
    /// Read models.
    pub pool: PgPool,
    /// Who may ask what.
    pub view: LiveView,
    /// What decisions rest on.
    pub deciding: Deciding,
    /// How far every node is.
    pub leases: Leases,
    /// Progress of the directory.
    pub directory: RunnerHandle,
    /// Checks presented keys.
    pub keys: Arc<dyn CheckKey>,
    /// The time of decisions.
    pub clock: Arc<dyn Clock>,
    /// Who may found the deployment.
    pub bootstrap: Arc<dyn CheckBootstrapToken>,
    /// What was signed of the log.
    pub notary: NotaryHandle,
    /// Where callers reach this deployment, without a slash at the end.
    pub url: Arc<str>,
    /// Tells answers without an end that the node stops.
    pub shutdown: Shutdown,
    /// Opens sealed arguments of calls.
    pub calls: Arc<dyn SealCalls>,
    /// How many long answers may be under way.
    pub places: Places,
    /// What people's passwords are kept with.
    pub passwords: Passwords,
    /// The identity providers, as this node knows them.
    pub providers: Providers,
    /// Where the servers of organizations may be.
    pub networks: OpenNetworks,
    /// Tokens for upstreams.
    pub upstreams: UpstreamOauth<P>,
}

impl<P> Clone for Admin<P> {
    fn clone(&self) -> Self {
        Self {
            ports: Arc::clone(&self.ports),
            pool: self.pool.clone(),
            view: self.view.clone(),
            deciding: self.deciding.clone(),
            leases: self.leases.clone(),
            directory: self.directory.clone(),
            keys: Arc::clone(&self.keys),
            clock: Arc::clone(&self.clock),
            bootstrap: Arc::clone(&self.bootstrap),
            notary: self.notary.clone(),
            url: Arc::clone(&self.url),
            shutdown: self.shutdown.clone(),
            calls: Arc::clone(&self.calls),
            places: self.places.clone(),
            passwords: self.passwords.clone(),
            providers: self.providers.clone(),
            networks: self.networks.clone(),
            upstreams: self.upstreams.clone(),
        }
    }
}

impl<P> std::fmt::Debug for Admin<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Admin").finish_non_exhaustive()
    }
}

impl<P: Ports + 'static> Admin<P> {
    /// Carries out a use case and waits until this node shows it. When that takes too long it is answered all the same, since it is
    /// written, and the answer says that it is not visible here yet.
    pub async fn carry_out<U: UseCase>(
        &self,
        actor: &Actor,
        order: Order,
        use_case: &U,
    ) -> Result<Written<U::Answer>, CarryOutError> {
        let Done { answer, position, repeated } = carry_out(&*self.ports, actor, order, use_case).await?;
        let visible = self.shown(position, SHOWN_WAIT).await;
        if !visible {
            tracing::warn!(position = position.get(), "written, but this node does not show it yet");
        }
        Ok(Written { answer, position, visible, repeated })
    }

    /// Waits, but no longer than this, until the view and the directory of this node hold a position. Tells whether they do.
    pub async fn shown(&self, position: Position, patience: Duration) -> bool {
        let both = async {
            self.view.reached(position).await;
            self.directory.reached(position).await;
        };
        tokio::time::timeout(patience, both).await.is_ok()
    }
}

/// Every area of the API, in the order of the documentation.
pub fn areas<P: Ports + 'static>() -> Vec<Area<P>> {
    vec![
        bootstrap::area(),
        me::area(),
        organizations::area(),
        members::area(),
        users::area(),
        passwords::area(),
        servers::area(),
        connections::area(),
        connection_authorization::area(),
        instances::area(),
        api_keys::area(),
        clients::area(),
        clients_of_nobody::area(),
        grants::area(),
        deployment::area(),
        providers::area(),
        catalogue::area(),
        events::area(),
        calls::area(),
        authz::area(),
        what_if::area(),
        audit::area(),
        notary::area(),
        read_models::area(),
    ]
}

/// The router of the whole table.
pub fn router<P: Ports + 'static>(admin: &Admin<P>) -> Router {
    areas::<P>().into_iter().fold(Router::new(), |router, area| router.merge(area.into_router(admin)))
}
