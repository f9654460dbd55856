//! The credential that is asked about, and what it left in the log.

use domain::api_key::ApiKeyEvent;
use domain::event::Event;
use domain::value::{ClientId, InstanceId, OrganizationId, Position, UserId};
use projections::access::Credential;
use projections::access::evidence::{EvidenceError, Unfolding};
use projections::history::{Doer, Done, History, Range};

use super::reach::Span;
use super::{BlastRadiusError, ISSUED_MAX, PATIENCE};
use crate::explain::Principal;

/// A credential that there is.
pub(super) struct Found {
    pub(super) credential: Credential,
    pub(super) organization: OrganizationId,
    /// In whose name it calls; a client calls in its own.
    pub(super) user: Option<UserId>,
    /// The client that calls; none calls with a key.
    pub(super) client: Option<ClientId>,
    /// The one instance of a grant.
    pub(super) instance: Option<InstanceId>,
    pub(super) began: Position,
}

/// Finds the credential that is meant. One that the asker may not see is not found.
pub(super) async fn find(
    history: &History,
    within: Option<OrganizationId>,
    meant: &Principal,
) -> Result<Found, BlastRadiusError> {
    if let Principal::User(_) = meant {
        return Err(BlastRadiusError::NoCredential);
    }
    let (credential, origin) = meant.credential(history, within).await?.ok_or(BlastRadiusError::NotFound)?;
    let organization = origin.organization.ok_or(BlastRadiusError::Homeless)?;
    let name = (credential.kind(), credential.uuid().to_string());
    let mut unfolding = Unfolding::of(history, &[name], origin.position).await?;
    let (_, view) = unfolding.step()?.ok_or(BlastRadiusError::NotFound)?;
    let (user, client, instance) = match credential {
        Credential::Key(id) => (view.key_by_id(id).map(|key| key.principal), None, None),
        Credential::Grant(id) => {
            let grant = view.grant(id).ok_or(BlastRadiusError::NotFound)?;
            (Some(grant.user), Some(grant.client), Some(grant.instance))
        }
        Credential::Client(id) => (None, Some(id), None),
    };
    Ok(Found { credential, organization, user, client, instance, began: origin.position })
}

impl Found {
    /// As whom events name it. Nothing is written with the tokens of a grant: they open no management API.
    fn actor(&self) -> Option<String> {
        match self.credential {
            Credential::Key(_) => self.user.map(|user| format!("user:{user}")),
            Credential::Grant(_) => None,
            Credential::Client(id) => Some(format!("client:{id}")),
        }
    }

    /// Where the events of one type that it wrote are listed, between two positions.
    pub(super) fn listed_at(&self, done: &Done) -> String {
        let Done { aggregate_type, event_type, first, last, .. } = done;
        let actor = self.actor().unwrap_or_default();
        format!(
            "/v1/events?actor={actor}&aggregate={aggregate_type}&type={event_type}&from={first}&to={last}"
        )
    }
}

/// A key that was issued with this one.
pub(super) struct Issued {
    pub(super) position: Position,
    pub(super) id: String,
    pub(super) key_id: String,
    pub(super) principal: UserId,
    pub(super) scopes: Vec<String>,
}

/// What was written with a credential.
pub(super) struct Traces {
    pub(super) done: Vec<Done>,
    pub(super) issued: Vec<Issued>,
    pub(super) more_issued: bool,
}

impl Traces {
    /// Gathers it, within what may be seen.
    pub(super) async fn gather(
        history: &History,
        found: &Found,
        within: Option<OrganizationId>,
        span: Span,
    ) -> Result<Self, BlastRadiusError> {
        let Some(actor) = found.actor() else {
            return Ok(Self { done: Vec::new(), issued: Vec::new(), more_issued: false });
        };
        let credential = found.credential.to_string();
        let doer = Doer { actor: &actor, credential: &credential, organization: within };
        let range = Range { after: span.before.max(found.began), to: span.to };
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
