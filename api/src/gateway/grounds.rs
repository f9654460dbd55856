//! What a decision rests on, and whether it still does when the decision is used.

use domain::instance::WhenStale;
use domain::value::{InstanceId, KeyText};
use http::{HeaderMap, HeaderName, HeaderValue};
use projections::access::{Basis, Grounds, Mark, Parties, Unanswered};

use super::Gateway;
use super::authenticate::X_API_KEY;
use super::refusal::Refusal;

/// Tells that a decision did not rest on a fresh view of the node.
pub(super) const SEKISHO_DECISION_BASIS: HeaderName = HeaderName::from_static("sekisho-decision-basis");

impl Gateway {
    /// The view of this node, when it is fresh; else the few rows that decide about this caller and this instance.
    pub(super) async fn grounds(
        &self,
        instance: Option<InstanceId>,
        headers: &HeaderMap,
    ) -> Result<Grounds, Refusal> {
        if let Some(grounds) = self.0.deciding.fresh() {
            return Ok(grounds);
        }
        if !self.0.deciding.is_following() {
            return Err(Refusal::view_not_current());
        }
        let key = headers.get(X_API_KEY).and_then(|text| text.to_str().ok());
        let key = key.and_then(|text| KeyText::parse(text.trim()).ok()).map(|parsed| parsed.id());
        match self.0.deciding.ask(Parties { key, instance, ..Parties::default() }).await {
            Ok(grounds) => Ok(grounds),
            Err(Unanswered) => self.stale(instance).ok_or_else(Refusal::view_stale),
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

/// Marks an answer whose decision did not rest on a fresh view.
pub(super) fn show(mark: Mark, headers: &mut HeaderMap) {
    if mark.basis != Basis::View {
        headers.insert(SEKISHO_DECISION_BASIS, HeaderValue::from_static(mark.basis.as_str()));
    }
}
