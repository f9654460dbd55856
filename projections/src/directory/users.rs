//! Users, with their personal data in clear for as long as these may be read at all.
//!
//! A deleted user's data are taken out of the row at once, whether or not the key in the log still exists: so the row is the same before
//! and after the key is destroyed, and a rebuild gives what the live table holds.

use domain::user::UserEvent;
use domain::value::{DisplayName, EmailAddress, HttpsUrl, OrganizationId, Personal, UserId};
use sqlx::{FromRow, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::mark::{Mark, changed, changing};
use super::page::{Cursor, Listed, Page};
use crate::projection::Poison;
use crate::recorded::Foldable;
use crate::rows::Table;
use crate::table;

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
    /// `active`, `suspended`, `deleted` or `erased`.
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

table!(UserRow in "users" by Uuid = id;
    id, email, name, picture, erased, standing, standing_reason, created_at, created_position, updated_at, updated_position);
changing!(UserRow);

/// Folds one event about a user.
pub(super) fn fold(users: &mut Table<UserRow>, event: &Foldable, fact: &UserEvent) -> Result<(), Poison> {
    let mark = Mark::of(event)?;
    match fact {
        UserEvent::Registered { email, name, picture, registered_in: _ } => {
            let email = clear(email.as_ref(), EmailAddress::as_str)?;
            let name = clear(name.as_ref(), DisplayName::as_str)?;
            let picture = clear(picture.as_ref(), HttpsUrl::as_str)?;
            users.make(UserRow {
                id: mark.id,
                email: email.text,
                name: name.text,
                picture: picture.text,
                erased: email.erased || name.erased || picture.erased,
                standing: "active".to_owned(),
                standing_reason: None,
                created_at: mark.at,
                created_position: mark.position,
                updated_at: mark.at,
                updated_position: mark.position,
            })?;
        }
        UserEvent::EmailChanged { email } => {
            let email = clear(email.as_ref(), EmailAddress::as_str)?;
            let user = changed(users, &mark.id, mark)?;
            user.email = email.text;
            user.erased |= email.erased;
        }
        UserEvent::ProfileChanged { name, picture } => {
            let name = clear(name.as_ref(), DisplayName::as_str)?;
            let picture = clear(picture.as_ref(), HttpsUrl::as_str)?;
            let user = changed(users, &mark.id, mark)?;
            user.name = name.text;
            user.picture = picture.text;
            user.erased |= name.erased || picture.erased;
        }
        UserEvent::Suspended { reason } => {
            changed(users, &mark.id, mark)?.stand("suspended", Some(reason));
        }
        UserEvent::Resumed {} => changed(users, &mark.id, mark)?.stand("active", None),
        UserEvent::Deleted {} => {
            let user = changed(users, &mark.id, mark)?;
            (user.email, user.name, user.picture, user.erased) = (None, None, None, true);
            user.stand("deleted", None);
        }
        // The row loses them here, and a rebuild, which cannot open them any more, comes to the same row.
        UserEvent::Erased { reason: _ } => {
            let user = changed(users, &mark.id, mark)?;
            (user.email, user.name, user.picture, user.erased) = (None, None, None, true);
            user.stand("erased", None);
        }
        // How somebody signs in is shown to nobody.
        UserEvent::PasswordSet {}
        | UserEvent::PasswordRemoved {}
        | UserEvent::IdentityLinked { issuer: _, subject: _ }
        | UserEvent::IdentityUnlinked { issuer: _, subject: _ }
        | UserEvent::FallbackBegan { issuer: _, vouched_at: _ }
        | UserEvent::FallbackEnded { issuer: _ } => {
            changed(users, &mark.id, mark)?;
        }
    }
    Ok(())
}

impl UserRow {
    fn stand(&mut self, standing: &str, reason: Option<&DisplayName>) {
        standing.clone_into(&mut self.standing);
        self.standing_reason = reason.map(|reason| reason.as_str().to_owned());
    }
}

/// What a row keeps of a personal datum.
#[derive(Debug, PartialEq, Eq)]
struct Clear {
    text: Option<String>,
    erased: bool,
}

fn clear<T>(datum: Option<&Personal<T>>, text: impl Fn(&T) -> &str) -> Result<Clear, Poison> {
    match datum {
        None => Ok(Clear { text: None, erased: false }),
        Some(Personal::Known { subject: _, value }) => {
            Ok(Clear { text: Some(text(value).to_owned()), erased: false })
        }
        Some(Personal::Erased { .. }) => Ok(Clear { text: None, erased: true }),
        // a row must not say "forgotten" of what was only not opened
        Some(Personal::Sealed { .. }) => {
            Err(Poison("personal data are still sealed: they were not opened before folding".to_owned()))
        }
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
        assert!(refused.to_string().contains("still sealed"), "{refused}");
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
            Clear { text: Some("安".to_owned()), erased: false }
        );
    }
}
