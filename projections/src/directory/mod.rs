//! The directory: everything that the management API lists, as rows in Postgres. One file for each table
//! family: its fold and its queries.
//!
//! Every query takes the organization first; a row of another organization is not found, never forbidden. The few that take none are for
//! administrators of the deployment, and say so. Deliberately absent: secrets and their digests.

pub mod api_keys;
pub mod clients;
pub mod connections;
pub mod deployment;
pub mod instances;
mod mark;
pub mod organizations;
mod page;
pub mod servers;
pub mod users;

use domain::event::Event;
use sqlx::PgConnection;

pub use page::{Cursor, CursorError, Listed, PAGE_ROWS_MAX, Page};

use crate::projection::{Boxed, Projection, ProjectionError};
use crate::recorded::Recorded;

/// The projection behind the management API.
#[derive(Debug, Clone, Copy, Default)]
pub struct Directory;

impl Projection for Directory {
    fn name(&self) -> &'static str {
        "directory"
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &[
            "organizations",
            "members",
            "users",
            "servers",
            "connections",
            "instances",
            "api_keys",
            "clients",
            "administrators",
            "maintenance",
            "announcements",
            "links",
        ]
    }

    fn apply<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        event: &'a Recorded,
        fact: &'a Event,
    ) -> Boxed<'a, Result<(), ProjectionError>> {
        Box::pin(async move {
            match fact {
                Event::Organization(fact) => organizations::fold(connection, event, fact).await,
                Event::User(fact) => users::fold(connection, event, fact).await,
                Event::Client(fact) => clients::fold(connection, event, fact).await,
                Event::ApiKey(fact) => api_keys::fold(connection, event, fact).await,
                Event::Server(fact) => servers::fold(connection, event, fact).await,
                Event::Connection(fact) => connections::fold(connection, event, fact).await,
                Event::Instance(fact) => instances::fold(connection, event, fact).await,
                Event::Deployment(fact) => deployment::fold(connection, event, fact).await,
            }
        })
    }
}
