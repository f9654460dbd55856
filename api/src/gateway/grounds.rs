//! What a decision rests on, and whether it still does when the decision is used.

use domain::instance::WhenStale;
use domain::value::InstanceId;
use http::{HeaderMap, HeaderName, HeaderValue};
use projections::access::{AccessView, Basis, Grounds, Mark, Parties, Unanswered};

use super::Gateway;
use super::refusal::Refusal;

/// Tells that a decision did not rest on a fresh view of the node.
pub(super) const SEKISHO_DECISION_BASIS: HeaderName = HeaderName::from_static("sekisho-decision-basis");

impl Gateway {
    /// The view of this node, when it is fresh; else the few rows that decide about this caller and this instance. Those also when the view is fresh
    /// and has not heard yet of what a token rests on: another node gave it out a moment ago.
    pub(super) async fn grounds(&self, parties: Parties) -> Result<Grounds, Refusal> {
        if let Some(grounds) = self.0.deciding.fresh() {
            return if has_heard_of(&grounds, parties) {
                Ok(grounds)
            } else {
                Ok(self.0.deciding.ask(parties).await.unwrap_or(grounds))
            };
        }
        if !self.0.deciding.is_following() {
            return Err(Refusal::view_not_current());
        }
        match self.0.deciding.ask(parties).await {
            Ok(grounds) => Ok(grounds),
            Err(Unanswered) => self.stale(parties.instance).ok_or_else(Refusal::view_stale),
        }
    }

    /// What this node knew last, for an instance that goes on with that.
    fn stale(&self, instance: Option<InstanceId>) -> Option<Grounds> {
        let grounds = self.0.deciding.stale();
        let serves = grounds.instance(instance?)?.when_stale == WhenStale::Serve;
        serves.then_some(grounds)
    }

    /// Whether a decision may be used now: whatever took its time since, a pause of this process too, makes its grounds older.
    pub(super) fn must_hold(&self, mark: Mark) -> Result<(), Refusal> {
        if !self.0.deciding.still_hold(mark) {
            return Err(Refusal::view_stale());
        }
        if mark.basis != Basis::View {
            self.0.metrics.decided_by(mark.basis);
        }
        Ok(())
    }
}

/// Whether a view knows the client and the grant of a token. We signed it, so there are such.
fn has_heard_of(view: &AccessView, parties: Parties) -> bool {
    parties.client.is_none_or(|client| view.client(client).is_some())
        && parties.grant.is_none_or(|grant| view.grant(grant).is_some())
}

/// Marks an answer whose decision did not rest on a fresh view.
pub(super) fn show(mark: Mark, headers: &mut HeaderMap) {
    if mark.basis != Basis::View {
        headers.insert(SEKISHO_DECISION_BASIS, HeaderValue::from_static(mark.basis.as_str()));
    }
}
