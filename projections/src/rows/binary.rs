//! Rows in the binary form of COPY (PostgreSQL manual, COPY, "Binary Format"): what the server need not parse it takes fastest.

use std::ops::DerefMut;

use sqlx::PgConnection;
use sqlx::encode::IsNull;
use sqlx::postgres::{PgArgumentBuffer, PgCopyIn};

use super::column::{Column, ColumnError, Columns, refused};
use super::{Row, WriteError};

/// Signature, no flags, no header extension.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const TRAILER: &[u8] = &(-1_i16).to_be_bytes();
const NULL: [u8; 4] = (-1_i32).to_be_bytes();
/// Sent at once.
const SEND_BYTES: usize = 256 * 1024;

/// Sends rows, and what stands around them.
pub(super) async fn send<R: Row, C: DerefMut<Target = PgConnection>>(
    copy: &mut PgCopyIn<C>,
    rows: impl Iterator<Item: std::borrow::Borrow<R>>,
) -> Result<(), WriteError> {
    let mut tuples = Tuples::default();
    tuples.0.extend_from_slice(HEADER);
    let count = i16::try_from(R::COLUMNS.len()).unwrap_or(i16::MAX).to_be_bytes();
    for row in rows {
        tuples.0.extend_from_slice(&count);
        std::borrow::Borrow::<R>::borrow(&row).show(&mut tuples)?;
        if tuples.0.len() >= SEND_BYTES {
            copy.send(tuples.0.as_slice()).await?;
            tuples.0.clear();
        }
    }
    tuples.0.extend_from_slice(TRAILER);
    copy.send(tuples.0.as_slice()).await?;
    Ok(())
}

#[derive(Debug, Default)]
struct Tuples(PgArgumentBuffer);

impl Columns for Tuples {
    fn column(&mut self, name: &'static str, value: &dyn Column) -> Result<(), ColumnError> {
        let start = self.0.len();
        self.0.extend_from_slice(&NULL);
        match value.binary(&mut self.0).map_err(refused(name))? {
            IsNull::Yes => Ok(()),
            IsNull::No => {
                let length = self.0.len() - start - NULL.len();
                let length = i32::try_from(length).map_err(|error| refused(name)(error.to_string()))?;
                if let Some(place) = self.0.get_mut(start..start + NULL.len()) {
                    place.copy_from_slice(&length.to_be_bytes());
                }
                Ok(())
            }
        }
    }
}
