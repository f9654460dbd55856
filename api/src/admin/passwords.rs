//! `/v1/users/{user}/password`: a password for somebody whom one answers for.

use commands::user::SetPassword;
use commands::{Actor, Authority, Ports, Refused};
use domain::value::{Scope, UserId};
use http::Method;
use serde::Deserialize;
use utoipa::ToSchema;

use super::admit::Admission;
use super::ask::{Answered, Asker};
use super::shapes::Changed;
use super::{Access, Area, Command, Path};
use crate::passwords::{InPlaceOf, NewPassword};
use crate::people::replace_password;
use crate::people::sessions::Which;
use crate::problem::Problem;

/// The routes.
pub(super) fn area<P: Ports + 'static>() -> Area<P> {
    Area::new("Passwords", "Passwords with which people sign in. They change them themselves under /account/password.")
        .change::<Password, Changed, _, _>(
            Method::PUT,
            "/v1/users/{user}/password",
            Access::Key(Scope::OrgWrite),
            "setUserPassword",
            "Set the password of somebody else: as an administrator of the deployment, or as an owner or admin of the organization that \
             registered them while they belong to no other. Takes a key with every scope; ends every session of theirs",
            set::<P>,
        )
}

/// A password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Password {
    /// 8 to 71 bytes of UTF-8 without a null character.
    #[schema(value_type = String, min_length = 8, max_length = 71, format = Password, example = "correct horse battery")]
    password: NewPassword,
}

async fn set<P: Ports + 'static>(
    asker: Asker<P>,
    admission: Admission,
    Path(user): Path<UserId>,
    Command { body: Password { password }, order }: Command<Password>,
) -> Answered<Changed> {
    let Asker { actor, admin } = asker;
    let actor = match actor.authority {
        Authority::Member { user, .. } if admission.is_administrator(&admin, Scope::OrgWrite)? => {
            Actor { authority: Authority::Administrator { user }, ..actor }
        }
        Authority::Member { .. }
        | Authority::Administrator { .. }
        | Authority::Founder
        | Authority::User { .. }
        | Authority::Client { .. }
        | Authority::Server => actor,
    };
    let hash = admin.passwords.hash(&password).await.map_err(|error| Problem::from(Refused::Hash(error)))?;
    let written = admin.carry_out(&actor, order, &SetPassword { user }).await?;
    // Whoever asks once more may complete what was cut off, and takes back nothing that was set since.
    let in_place_of = if written.repeated { InPlaceOf::Older } else { InPlaceOf::Any };
    let new = (&hash, written.position, in_place_of);
    let kept = replace_password(&admin.pool, &admin.passwords, user, new, Which::All).await;
    kept.map_err(|error| Problem::unavailable("password-not-kept", &error))?;
    Ok(written.map(|()| Changed {}))
}
