//! The directory: everything that the management API lists, as rows in Postgres. One file for each table
//! family: its fold and its queries.
//!
//! Every query takes the organization first; a row of another organization is not found, never forbidden. The few that take none are for
//! administrators of the deployment, and say so. Deliberately absent: secrets and their digests.

pub mod api_keys;
pub mod clients;
pub mod connections;
pub mod deployment;
pub mod grants;
mod held;
pub mod instances;
mod mark;
pub mod organizations;
mod page;
pub mod servers;
pub mod users;

pub use page::{Cursor, CursorError, Listed, PAGE_ROWS_MAX, Page};

use crate::projection::{Projection, Rows};

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
            "grants",
            "administrators",
            "maintenance",
            "announcements",
            "links",
        ]
    }

    fn rows(&self) -> Box<dyn Rows> {
        Box::new(held::DirectoryRows::default())
    }
}
