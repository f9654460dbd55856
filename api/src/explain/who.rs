//! Who could make a call: every key of the instance's organization that the decision lets through.
//!
//! A page judges so many keys and folds only what they rest on: the keys, their users, the organization, the instance and the deployment. So a page costs
//! what its keys have lived through, whatever the length of the log, and may show few of them, or none, and still lead on.

use std::collections::BTreeSet;

use domain::value::{OrganizationId, Position};
use projections::access::AccessView;
use projections::directory::Cursor;
use projections::history::{History, Range};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{As, Call, ExplainError, decide, instance_within, moment, wanted};

/// Somebody who could make the call.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Caller {
    /// The API key.
    key: Uuid,
    /// Its public part.
    key_id: String,
    /// The user in whose name it calls.
    user: Uuid,
    /// What the user is in the organization.
    role: &'static str,
}

/// Those of the next so many keys that could make a call, and where to go on.
pub(crate) async fn who(
    history: &History,
    within: Option<OrganizationId>,
    call: &Call,
    after: Cursor,
    keys_max: u32,
) -> Result<(Vec<Caller>, Option<Cursor>), ExplainError> {
    let organization = instance_within(history, within, call.instance).await?;
    let As { position, now } = moment(history, call.at).await?;
    let range = Range { after: Position::new(after.get().unsigned_abs()), to: position };
    let keys = history.keys_issued(organization, range, keys_max).await?;
    let next = keys.last().filter(|_| u32::try_from(keys.len()).is_ok_and(|count| count == keys_max));
    let next = next.map(|key| Cursor::after(i64::try_from(key.position.get()).unwrap_or(i64::MAX)));
    let mut names: BTreeSet<(&'static str, String)> = [
        ("deployment", "deployment".to_owned()),
        ("organization", organization.to_string()),
        ("instance", call.instance.to_string()),
    ]
    .into();
    for key in &keys {
        names.insert(("api_key", key.id.to_string()));
        names.insert(("user", key.principal.to_string()));
    }
    let names: Vec<_> = names.into_iter().collect();
    let view = AccessView::of_aggregates(history, &names, position).await?;
    let allowed = keys.iter().filter(|key| decide(&view, &wanted(key.id, call), now).is_ok());
    let callers = allowed.filter_map(|issued| {
        let key = view.key_by_id(issued.id)?;
        Some(Caller {
            key: issued.id.uuid(),
            key_id: view.public_part(key)?.to_string(),
            user: key.principal.uuid(),
            role: view.role(key.organization, key.principal)?.as_str(),
        })
    });
    Ok((callers.collect(), next))
}
