//! One value of a row, as JSON for the upsert and in Postgres's binary form for COPY.

use serde::Serialize;
use sqlx::encode::{Encode, IsNull};
use sqlx::postgres::{PgArgumentBuffer, Postgres};
use time::format_description::well_known::Rfc3339;
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use super::Row;

/// A value that no column takes.
#[derive(Debug, thiserror::Error)]
#[error("column {column}: {reason}")]
pub struct ColumnError {
    column: &'static str,
    reason: String,
}

/// The value of a column.
pub trait Column: Sync {
    /// As JSON, as `jsonb_populate_recordset` reads the column's type.
    fn json(&self, out: &mut Vec<u8>) -> Result<(), String>;

    /// As COPY reads it.
    fn binary(&self, out: &mut PgArgumentBuffer) -> Result<IsNull, String>;
}

/// Whoever is shown the columns of a row, one after the other.
pub trait Columns {
    /// The next one.
    fn column(&mut self, name: &'static str, value: &dyn Column) -> Result<(), ColumnError>;
}

pub(super) fn refused(column: &'static str) -> impl Fn(String) -> ColumnError {
    move |reason| ColumnError { column, reason }
}

fn written(value: &impl Serialize, out: &mut Vec<u8>) -> Result<(), String> {
    serde_json::to_writer(out, value).map_err(|error| error.to_string())
}

fn encoded<'q>(value: &impl Encode<'q, Postgres>, out: &mut PgArgumentBuffer) -> Result<IsNull, String> {
    value.encode_by_ref(out).map_err(|error| error.to_string())
}

macro_rules! plain {
    ($($type:ty),+) => {$(
        impl Column for $type {
            fn json(&self, out: &mut Vec<u8>) -> Result<(), String> {
                written(self, out)
            }

            fn binary(&self, out: &mut PgArgumentBuffer) -> Result<IsNull, String> {
                encoded(self, out)
            }
        }
    )+};
}

plain!(bool, i16, i64, String, Uuid, Vec<String>, Vec<Uuid>);

impl Column for OffsetDateTime {
    fn json(&self, out: &mut Vec<u8>) -> Result<(), String> {
        written(&self.format(&Rfc3339).map_err(|error| error.to_string())?, out)
    }

    fn binary(&self, out: &mut PgArgumentBuffer) -> Result<IsNull, String> {
        encoded(self, out)
    }
}

impl Column for Date {
    fn json(&self, out: &mut Vec<u8>) -> Result<(), String> {
        written(&self.to_string(), out) // ISO 8601
    }

    fn binary(&self, out: &mut PgArgumentBuffer) -> Result<IsNull, String> {
        encoded(self, out)
    }
}

/// A `bytea` column.
impl Column for Vec<u8> {
    fn json(&self, out: &mut Vec<u8>) -> Result<(), String> {
        let digits = self.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        let digits = digits.filter_map(|digit| char::from_digit(u32::from(digit), 16));
        written(&"\\x".chars().chain(digits).collect::<String>(), out)
    }

    fn binary(&self, out: &mut PgArgumentBuffer) -> Result<IsNull, String> {
        encoded(self, out)
    }
}

impl<T: Column> Column for Option<T> {
    fn json(&self, out: &mut Vec<u8>) -> Result<(), String> {
        match self {
            None => written(&(), out),
            Some(value) => value.json(out),
        }
    }

    fn binary(&self, out: &mut PgArgumentBuffer) -> Result<IsNull, String> {
        match self {
            None => Ok(IsNull::Yes),
            Some(value) => value.binary(out),
        }
    }
}

/// A `jsonb` column.
pub(crate) fn json_document(value: &impl Serialize, out: &mut PgArgumentBuffer) -> Result<IsNull, String> {
    out.push(1); // the one version of jsonb's binary form
    written(value, out)?;
    Ok(IsNull::No)
}

/// Says that a type stands in a `jsonb` column.
macro_rules! document {
    ($($type:ty),+) => {$(
        impl $crate::rows::Column for $type {
            fn json(&self, out: &mut Vec<u8>) -> Result<(), String> {
                serde_json::to_writer(out, self).map_err(|error| error.to_string())
            }

            fn binary(
                &self,
                out: &mut sqlx::postgres::PgArgumentBuffer,
            ) -> Result<sqlx::encode::IsNull, String> {
                $crate::rows::json_document(self, out)
            }
        }
    )+};
}
pub(crate) use document;

/// Says that an enum stands in a `text` column, under the names that sqlx and serde give its variants.
macro_rules! column_as_text {
    ($($type:ty),+) => {$(
        impl $crate::rows::Column for $type {
            fn json(&self, out: &mut Vec<u8>) -> Result<(), String> {
                serde_json::to_writer(out, self).map_err(|error| error.to_string())
            }

            fn binary(
                &self,
                out: &mut sqlx::postgres::PgArgumentBuffer,
            ) -> Result<sqlx::encode::IsNull, String> {
                sqlx::Encode::<sqlx::Postgres>::encode_by_ref(self, out).map_err(|error| error.to_string())
            }
        }
    )+};
}
pub(crate) use column_as_text;

/// Rows as one JSON array of objects.
#[derive(Debug, Default)]
pub(super) struct JsonRow(Vec<u8>);

impl JsonRow {
    /// One row more.
    pub(super) fn push(&mut self, row: &impl Row) -> Result<(), ColumnError> {
        self.0.push(if self.0.is_empty() { b'[' } else { b',' });
        self.0.push(b'{');
        row.show(self)?;
        self.0.push(b'}');
        Ok(())
    }

    /// The array, unless there are no rows.
    pub(super) fn finish(mut self) -> Option<String> {
        if self.0.is_empty() {
            return None;
        }
        self.0.push(b']');
        String::from_utf8(self.0).ok() // JSON is UTF-8
    }
}

impl Columns for JsonRow {
    fn column(&mut self, name: &'static str, value: &dyn Column) -> Result<(), ColumnError> {
        if self.0.last() != Some(&b'{') {
            self.0.push(b',');
        }
        written(&name, &mut self.0).map_err(refused(name))?;
        self.0.push(b':');
        value.json(&mut self.0).map_err(refused(name))
    }
}
