//! Pages of a listing: ordered by when a thing was made, continued by an opaque cursor.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sqlx::postgres::{PgArguments, PgPool, PgRow, Postgres};
use sqlx::query::QueryAs;

/// Most rows in one page.
pub const PAGE_ROWS_MAX: u32 = 200;

/// Where a page starts: after the row that was made at this position. Positions are unique, so the order is total and stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cursor(i64);

/// The text is no cursor of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the cursor is not one that this API gave out; leave it away to start from the beginning")]
pub struct CursorError;

impl Cursor {
    /// After the row that was made at this position.
    pub const fn after(position: i64) -> Self {
        Self(position)
    }

    /// The position, for queries.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Reads a cursor that a caller sent back. It is data, bound as a parameter, never part of SQL.
    pub fn parse(text: &str) -> Result<Self, CursorError> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| CursorError)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| CursorError)?;
        let position: i64 =
            text.strip_prefix("p:").and_then(|digits| digits.parse().ok()).ok_or(CursorError)?;
        if position < 0 { Err(CursorError) } else { Ok(Self(position)) }
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(format!("p:{}", self.0)))
    }
}

/// A row that knows its place in a listing.
pub trait Listed {
    /// Position of the event that made it.
    fn created_position(&self) -> i64;
}

/// One page of rows.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Where the next page starts; `None` on the last one.
    pub next: Option<Cursor>,
}

impl<T: Listed> Page<T> {
    /// Makes a page of rows that were read with a limit of one more than wanted.
    fn of(mut rows: Vec<T>, wanted: u32) -> Self {
        let wanted = wanted as usize;
        let more = rows.len() > wanted;
        rows.truncate(wanted);
        let next = if more { rows.last().map(|row| Cursor::after(row.created_position())) } else { None };
        Self { rows, next }
    }

    /// Reads a page by a query whose last two parameters, not bound yet, are the cursor and the limit.
    pub(super) async fn read(
        query: QueryAs<'_, Postgres, T, PgArguments>,
        pool: &PgPool,
        after: Cursor,
        rows: u32,
    ) -> Result<Self, sqlx::Error>
    where
        T: for<'r> sqlx::FromRow<'r, PgRow> + Send + Unpin,
    {
        let wanted = rows.clamp(1, PAGE_ROWS_MAX);
        let found = query.bind(after.get()).bind(i64::from(wanted) + 1).fetch_all(pool).await?;
        Ok(Self::of(found, wanted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Made(i64);

    impl Listed for Made {
        fn created_position(&self) -> i64 {
            self.0
        }
    }

    #[test]
    fn a_cursor_that_we_did_not_give_out_is_refused() {
        for text in ["", "x", "cDotMQ", "cDo5OTk5OTk5OTk5OTk5OTk5OTk5OTk", "' or 1=1"] {
            assert_eq!(Cursor::parse(text), Err(CursorError), "{text}");
        }
        assert_eq!(Cursor::parse(&Cursor::after(42).to_string()), Ok(Cursor::after(42)));
    }

    #[test]
    fn the_last_page_leads_nowhere() {
        assert_eq!(Page::<Made>::of(vec![], 2).next, None);
        assert_eq!(Page::of(vec![Made(3), Made(8)], 2).next, None);
    }

    #[test]
    fn a_page_with_more_behind_it_leads_to_after_its_last_row() {
        let page = Page::of(vec![Made(3), Made(8), Made(9)], 2);
        assert_eq!(page.rows.len(), 2);
        assert_eq!(page.next, Some(Cursor::after(8)));
    }
}
