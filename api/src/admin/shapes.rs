//! Bodies that several nouns share, and the schema of a closed set of names.

use domain::value::{DisplayName, Timestamp};
use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};
use uuid::Uuid;

/// No member at all.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// Another name.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewName {
    /// Name shown to people: 1 to 200 characters in any script.
    #[schema(value_type = String, example = "Ticket search")]
    pub(super) name: DisplayName,
}

/// Why something is done.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Because {
    /// The reason, for the audit: 1 to 200 characters.
    #[schema(value_type = String, example = "Unpaid invoices")]
    pub(super) reason: DisplayName,
}

/// Something was made.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Made {
    /// Its id.
    pub(super) id: Uuid,
}

/// It is done; there is nothing more to tell.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Changed {}

/// Reads a moment that may be left out or null, and refuses one in its own words.
pub(super) fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| Timestamp::parse(&text).map_err(D::Error::custom)).transpose()
}

/// The schema of a member that takes one of these names, read off the type itself.
pub(super) fn one_of<const N: usize>(names: [&'static str; N], about: &'static str) -> Object {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names)).description(Some(about)).build()
}
