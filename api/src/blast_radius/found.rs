//! The key that is asked about, and what it left in the log.

use domain::api_key::ApiKeyEvent;
use domain::event::Event;
use domain::value::{ApiKeyId, OrganizationId, Position, UserId};
use projections::access::evidence::{EvidenceError, Unfolding};
use projections::history::{Doer, Done, History, Range};

use super::reach::Span;
use super::{BlastRadiusError, ISSUED_MAX, PATIENCE};
use crate::explain::Principal;

/// A key that was issued.
pub(super) struct Found {
    pub(super) id: ApiKeyId,
    pub(super) organization: OrganizationId,
    pub(super) principal: UserId,
    pub(super) issued: Position,
}

/// Finds the key that is meant. One that the asker may not see is not found.
pub(super) async fn find(
    history: &History,
    within: Option<OrganizationId>,
    credential: &Principal,
) -> Result<Found, BlastRadiusError> {
    let id = match credential {
        Principal::Key(key) | Principal::Either(key, _) => Some(*key),
        Principal::KeyId(key_id) => history.key_named(key_id.as_str()).await?,
        Principal::User(_) => return Err(BlastRadiusError::NoKey),
    };
    let id = id.ok_or(BlastRadiusError::NotFound)?;
    let name = id.to_string();
    let origin = history.origin("api_key", &name).await?.ok_or(BlastRadiusError::NotFound)?;
    let organization = origin.organization.ok_or(BlastRadiusError::NotFound)?;
    if within.is_some_and(|within| within != organization) {
        return Err(BlastRadiusError::NotFound);
    }
    let mut unfolding = Unfolding::of(history, &[("api_key", name)], origin.position).await?;
    let (_, view) = unfolding.step()?.ok_or(BlastRadiusError::NotFound)?;
    let principal = view.key_by_id(id).ok_or(BlastRadiusError::NotFound)?.principal;
    Ok(Found { id, organization, principal, issued: origin.position })
}

/// A key that was issued with this one.
pub(super) struct Issued {
    pub(super) position: Position,
    pub(super) id: String,
    pub(super) key_id: String,
    pub(super) principal: UserId,
    pub(super) scopes: Vec<String>,
}

/// What was written with a key.
pub(super) struct Traces {
    pub(super) done: Vec<Done>,
    pub(super) issued: Vec<Issued>,
    pub(super) more_issued: bool,
}

impl Traces {
    /// Gathers it, within what may be seen.
    pub(super) async fn gather(
        history: &History,
        key: &Found,
        within: Option<OrganizationId>,
        span: Span,
    ) -> Result<Self, BlastRadiusError> {
        let (actor, credential) = (format!("user:{}", key.principal), format!("api_key:{}", key.id));
        let doer = Doer { actor: &actor, credential: &credential, organization: within };
        let range = Range { after: span.before.max(key.issued), to: span.to };
        let done = history.done_with(doer, range, PATIENCE).await?;
        let keys = done.iter().find(|done| done.aggregate_type == "api_key" && done.event_type == "issued");
        let Some(keys) = keys else { return Ok(Self { done, issued: Vec::new(), more_issued: false }) };
        // No further than where they are known to be.
        let position = |column: i64| Position::new(column.unsigned_abs());
        let range = Range { after: position(keys.first - 1), to: position(keys.last) };
        let mut issued = Vec::new();
        for event in history.keys_issued_with(doer, range, ISSUED_MAX).await? {
            let fact = event.decode().map_err(|error| EvidenceError::Undecodable(event.position, error))?;
            let Event::ApiKey(ApiKeyEvent::Issued { key_id, principal, scopes, .. }) = fact else { continue };
            issued.push(Issued {
                position: event.position,
                id: event.aggregate_id,
                key_id: key_id.to_string(),
                principal,
                scopes: scopes.iter().map(ToString::to_string).collect(),
            });
        }
        let more_issued = keys.events > i64::from(ISSUED_MAX);
        Ok(Self { done, issued, more_issued })
    }
}
