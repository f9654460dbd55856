//! Where call records are lacking, as answers that rest on them say it.

use projections::calls::{Incomplete, Lack};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

/// Records that are lacking, so that the answer may be of fewer calls than there were.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LackingRecords {
    /// `dropped`: there was no room for them. `missing`: they were made but have not arrived. `silent`: a node was killed or is cut off, and nobody
    /// can tell what it has not handed on.
    why: &'static str,
    /// Calls of this instance; null when nobody can tell.
    #[schema(required)]
    instance: Option<Uuid>,
    /// Not before.
    #[serde(with = "time::serde::rfc3339")]
    from: OffsetDateTime,
    /// Not after.
    #[serde(with = "time::serde::rfc3339")]
    to: OffsetDateTime,
    /// How many; null when nobody can tell, or whose they were.
    #[schema(required)]
    records: Option<i64>,
}

impl From<Incomplete> for LackingRecords {
    fn from(lacking: Incomplete) -> Self {
        let why = match lacking.lack {
            Lack::Dropped => "dropped",
            Lack::Missing => "missing",
            Lack::Silent => "silent",
        };
        let (from, to) = (lacking.from_at, lacking.until_at);
        Self { why, instance: lacking.instance_id, from, to, records: lacking.lacking }
    }
}
