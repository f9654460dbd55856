//! A form in which somebody agreed counts once (`oauth.md`, case 6). Its name is kept for longer than it could be sent.
//!
//! ```text
//!   shown --agreed to--> used --sent again within 10 seconds--> a code for what was agreed to, and nothing else
//!                          `----sent again later-------------> out of date
//! ```
//! A browser shows the last answer alone: whoever clicks twice is to come to the client with a code all the same.

use sqlx::PgPool;
use uuid::Uuid;

/// How long the same form again is taken for a second click.
const AGAIN_SECONDS: f64 = 10.0;
/// A form is good for a quarter of an hour, by the clock of a node.
pub(crate) const FORGET: &str =
    "delete from consent_forms_used where used_at < clock_timestamp() - interval '1 hour'";

/// How often a form was agreed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FormUse {
    /// Now, once and for all.
    First,
    /// A moment ago.
    JustNow,
    /// Before that.
    LongAgo,
}

/// Uses a form: whoever is first, of however many at once on however many nodes.
pub(super) async fn use_form(pool: &PgPool, form: Uuid) -> Result<FormUse, sqlx::Error> {
    let first =
        sqlx::query("insert into consent_forms_used (form) values ($1) on conflict (form) do nothing")
            .bind(form)
            .execute(pool)
            .await?
            .rows_affected();
    if first == 1 {
        return Ok(FormUse::First);
    }
    let query = "select true from consent_forms_used
        where form = $1 and used_at > clock_timestamp() - make_interval(secs => $2)";
    let just_now: Option<(bool,)> =
        sqlx::query_as(query).bind(form).bind(AGAIN_SECONDS).fetch_optional(pool).await?;
    Ok(if just_now.is_some() { FormUse::JustNow } else { FormUse::LongAgo })
}
