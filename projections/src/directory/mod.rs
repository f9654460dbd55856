//! The directory: everything that the management API lists, as rows in Postgres. One file for each table: its fold and its queries.
//!
//! Every query takes the organization first; a row of another organization is not found, never forbidden.

pub mod organizations;
mod page;

use domain::event::Event;
use sqlx::PgConnection;

pub use page::{Cursor, CursorError, Page};

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
        &["organizations", "members"]
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
                Event::User(_)
                | Event::Client(_)
                | Event::ApiKey(_)
                | Event::Server(_)
                | Event::Connection(_)
                | Event::Instance(_)
                | Event::Deployment(_) => Ok(()),
            }
        })
    }
}
