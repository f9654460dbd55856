//! Users, with their personal data in clear for as long as these may be read at all.
//!
//! A deleted user's data are taken out of the row at once, whether or not the key in the log still exists: so the row is the same before
//! and after the key is destroyed, and a rebuild gives what the live table holds.

use domain::user::UserEvent;
use domain::value::{DisplayName, EmailAddress, HttpsUrl, OrganizationId, Personal, UserId};
use sqlx::{FromRow, PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::mark::{Mark, write_one};
use super::page::{Cursor, Listed, Page};
use crate::projection::ProjectionError;
use crate::recorded::Recorded;

/// A row of `users`.
#[derive(Clone, FromRow)]
pub struct UserRow {
    /// Their id.
    pub id: Uuid,
    /// Their address, where it is known.
    pub email: Option<String>,
    /// Their name, where it is known.
    pub name: Option<String>,
    /// Where their picture is, where it is known.
    pub picture: Option<String>,
    /// Whether personal data were known once and were forgotten.
    pub erased: bool,
    /// `active`, `suspended` or `deleted`.
    pub standing: String,
    /// Why they are suspended, while they are.
    pub standing_reason: Option<String>,
    /// When they became known.
    pub created_at: OffsetDateTime,
    /// Position of the event that made them known.
    pub created_position: i64,
    /// When anything about them changed last.
    pub updated_at: OffsetDateTime,
    /// Position of the event that changed it last.
    pub updated_position: i64,
}

/// Never prints the person.
impl std::fmt::Debug for UserRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserRow")
            .field("id", &self.id)
            .field("standing", &self.standing)
            .finish_non_exhaustive()
    }
}

impl Listed for UserRow {
    fn created_position(&self) -> i64 {
        self.created_position
    }
}

/// Folds one event about a user.
pub(super) async fn fold(
    connection: &mut PgConnection,
    event: &Recorded,
    fact: &UserEvent,
) -> Result<(), ProjectionError> {
    let mark = Mark::of(event)?;
    let standing = |standing: &'static str, reason| {
        mark.query(
            "update users set standing = $4, standing_reason = $5, updated_at = $2, updated_position = $3 where id = $1",
        )
        .bind(standing)
        .bind(reason)
    };
    let statement = match fact {
        UserEvent::Registered { email, name, picture, registered_in: _ } => {
            let email = clear(email.as_ref(), EmailAddress::as_str)?;
            let name = clear(name.as_ref(), DisplayName::as_str)?;
            let picture = clear(picture.as_ref(), HttpsUrl::as_str)?;
            mark.query(
                "insert into users (id, email, name, picture, erased, standing, created_at, created_position, updated_at, updated_position)
                 values ($1, $4, $5, $6, $7, 'active', $2, $3, $2, $3)",
            )
            .bind(email.text)
            .bind(name.text)
            .bind(picture.text)
            .bind(email.erased || name.erased || picture.erased)
        }
        UserEvent::EmailChanged { email } => {
            let email = clear(email.as_ref(), EmailAddress::as_str)?;
            mark.query(
                "update users set email = $4, erased = erased or $5, updated_at = $2, updated_position = $3 where id = $1",
            )
            .bind(email.text)
            .bind(email.erased)
        }
        UserEvent::ProfileChanged { name, picture } => {
            let name = clear(name.as_ref(), DisplayName::as_str)?;
            let picture = clear(picture.as_ref(), HttpsUrl::as_str)?;
            mark.query(
                "update users set name = $4, picture = $5, erased = erased or $6, updated_at = $2, updated_position = $3 where id = $1",
            )
            .bind(name.text)
            .bind(picture.text)
            .bind(name.erased || picture.erased)
        }
        UserEvent::Suspended { reason } => standing("suspended", Some(reason.as_str())),
        UserEvent::Resumed {} => standing("active", None),
        UserEvent::Deleted {} => mark.query(
            "update users set email = null, name = null, picture = null, erased = true, standing = 'deleted', standing_reason = null,
                              updated_at = $2, updated_position = $3
             where id = $1",
        ),
    };
    write_one(connection, statement).await
}

/// What a row keeps of a personal datum.
#[derive(Debug, PartialEq, Eq)]
struct Clear<'a> {
    text: Option<&'a str>,
    erased: bool,
}

fn clear<T>(datum: Option<&Personal<T>>, text: impl Fn(&T) -> &str) -> Result<Clear<'_>, ProjectionError> {
    match datum {
        None => Ok(Clear { text: None, erased: false }),
        Some(Personal::Known { subject: _, value }) => Ok(Clear { text: Some(text(value)), erased: false }),
        Some(Personal::Erased { .. }) => Ok(Clear { text: None, erased: true }),
        // a row must not say "forgotten" of what was only not opened
        Some(Personal::Sealed { .. }) => Err(ProjectionError::Poison(
            "personal data are still sealed: they were not opened before folding".to_owned(),
        )),
    }
}

/// The members of an organization as users, unless deleted.
pub async fn list(
    pool: &PgPool,
    organization: OrganizationId,
    after: Cursor,
    rows: u32,
) -> Result<Page<UserRow>, sqlx::Error> {
    let query = sqlx::query_as(
        "select u.* from users u join members m on m.user_id = u.id
         where m.organization_id = $1 and u.standing <> 'deleted' and u.created_position > $2 order by u.created_position limit $3",
    );
    Page::read(query.bind(organization.uuid()), pool, after, rows).await
}

/// One member of an organization as a user, unless deleted.
pub async fn by_id(
    pool: &PgPool,
    organization: OrganizationId,
    user: UserId,
) -> Result<Option<UserRow>, sqlx::Error> {
    sqlx::query_as(
        "select u.* from users u join members m on m.user_id = u.id
         where m.organization_id = $1 and u.id = $2 and u.standing <> 'deleted'",
    )
    .bind(organization.uuid())
    .bind(user.uuid())
    .fetch_optional(pool)
    .await
}

/// Every user of the deployment: for its administrators only.
pub async fn list_all(pool: &PgPool, after: Cursor, rows: u32) -> Result<Page<UserRow>, sqlx::Error> {
    let query = sqlx::query_as(
        "select * from users where standing <> 'deleted' and created_position > $1 order by created_position limit $2",
    );
    Page::read(query, pool, after, rows).await
}

/// Any user of the deployment, unless deleted: for its administrators, and for users asking about themselves.
pub async fn any_by_id(pool: &PgPool, user: UserId) -> Result<Option<UserRow>, sqlx::Error> {
    sqlx::query_as("select * from users where id = $1 and standing <> 'deleted'")
        .bind(user.uuid())
        .fetch_optional(pool)
        .await
}

#[cfg(test)]
mod tests {
    use domain::value::SubjectId;

    use super::*;

    const SUBJECT: SubjectId = SubjectId::new(Uuid::from_u128(1));

    #[test]
    fn a_datum_that_is_still_sealed_is_poison() {
        let sealed: Personal<DisplayName> =
            Personal::Sealed { subject: SUBJECT, nonce: String::new(), ciphertext: String::new() };
        let refused = clear(Some(&sealed), DisplayName::as_str).unwrap_err();
        assert!(refused.is_poison(), "{refused}");
    }

    #[test]
    fn a_forgotten_datum_is_told_from_one_that_was_never_known() {
        let erased: Personal<DisplayName> = Personal::Erased { subject: SUBJECT };
        assert_eq!(clear(Some(&erased), DisplayName::as_str).unwrap(), Clear { text: None, erased: true });
        assert_eq!(clear(None, DisplayName::as_str).unwrap(), Clear { text: None, erased: false });
    }

    #[test]
    fn a_known_datum_is_kept_in_clear() {
        let known = Personal::new(SUBJECT, DisplayName::parse("安").unwrap());
        assert_eq!(
            clear(Some(&known), DisplayName::as_str).unwrap(),
            Clear { text: Some("安"), erased: false }
        );
    }
}
