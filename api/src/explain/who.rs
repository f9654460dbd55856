//! Who could make a call: every key and client of the instance's organization, and every grant at the instance, that the decision lets through.
//!
//! A page judges so many of them and folds only what they rest on: themselves, their users, clients and organizations, the instance and the deployment. So a
//! page costs what these have lived through, whatever the length of the log, and may show few of them, or none, and still lead on.

use std::collections::BTreeSet;

use domain::value::{ClientId, OrganizationId, Position, UserId};
use projections::access::{AccessView, Credential};
use projections::directory::Cursor;
use projections::history::{History, Made, Range};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{As, Call, ExplainError, decide_with, instance_within, moment};

/// Somebody who could make the call.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Caller {
    /// With what: an `api_key`; a `grant`, by tokens in the name of the user who consented; a `client`, by tokens in its own name.
    kind: &'static str,
    /// The id of that.
    credential: Uuid,
    /// The public part of a key; null for what is no key.
    #[schema(required)]
    key_id: Option<String>,
    /// The user in whose name the call is; null for a client's own.
    #[schema(required)]
    user: Option<Uuid>,
    /// The client that calls; null for a key.
    #[schema(required)]
    client: Option<Uuid>,
    /// What the user is in the organization; null for a client's own call.
    #[schema(required)]
    role: Option<&'static str>,
}

/// Those of the next so many credentials that could make a call, and where to go on.
pub(crate) async fn who(
    history: &History,
    within: Option<OrganizationId>,
    call: &Call,
    after: Cursor,
    credentials_max: u32,
) -> Result<(Vec<Caller>, Option<Cursor>), ExplainError> {
    let organization = instance_within(history, within, call.instance).await?;
    let As { position, now } = moment(history, call.at).await?;
    let range = Range { after: Position::new(after.get().unsigned_abs()), to: position };
    let made = history.credentials_made(organization, call.instance, range, credentials_max).await?;
    let is_full = u32::try_from(made.len()).is_ok_and(|count| count == credentials_max);
    let next = made.last().filter(|_| is_full);
    let next = next.map(|made| Cursor::after(i64::try_from(made.position.get()).unwrap_or(i64::MAX)));
    let mut names: BTreeSet<(&'static str, String)> = [
        ("deployment", "deployment".to_owned()),
        ("organization", organization.to_string()),
        ("instance", call.instance.to_string()),
    ]
    .into();
    for Made { credential, user, client, .. } in &made {
        names.insert((credential.kind(), credential.uuid().to_string()));
        names.extend(user.map(|user| ("user", user.to_string())));
        names.extend(client.map(|client| ("client", client.to_string())));
    }
    let names: Vec<_> = names.into_iter().collect();
    let view = AccessView::of_aggregates(history, &names, position).await?;
    let allowed = made.iter().filter(|made| decide_with(&view, made.credential, call, now).is_ok());
    let callers = allowed.map(|made| Caller {
        kind: made.credential.kind(),
        credential: made.credential.uuid(),
        key_id: public_part(&view, made.credential),
        user: made.user.map(UserId::uuid),
        client: made.client.map(ClientId::uuid),
        role: made.user.and_then(|user| view.role(organization, user)).map(|role| role.as_str()),
    });
    Ok((callers.collect(), next))
}

fn public_part(view: &AccessView, credential: Credential) -> Option<String> {
    match credential {
        Credential::Key(id) => {
            view.key_by_id(id).and_then(|key| view.public_part(key)).map(ToString::to_string)
        }
        Credential::Grant(_) | Credential::Client(_) => None,
    }
}
