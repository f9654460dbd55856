//! The evidence of a decision: each fact that enters it as of one position, with the event that last changed it.
//!
//! Only the aggregates that the decision rests on are folded: the credential, its user, client and organization, the instance with its organization, the connection
//! and server that the tool leads to, and the deployment. They are found by the primary key of the log, in three rounds since one names the next, and folded in order by the
//! same fold as the view of the gateway. So the cost grows with the history of these few things, not with the length of the log: about a
//! dozen look-ups and some dozens of events, whether the log holds a thousand events or a hundred million.

mod fact;
mod search;
#[cfg(test)]
mod tests;

use domain::event::{Event, Undecodable};
use domain::value::{IdError, InstanceId, Position, Timestamp};
use serde_json::Value;

pub use fact::FactName;
use search::Search;

use super::{AccessView, Credential};
use crate::history::History;
use crate::log::LogError;
use crate::recorded::Recorded;

/// What a decision is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject<'a> {
    /// What the call is made with.
    pub credential: Credential,
    /// Where it goes.
    pub instance: InstanceId,
    /// The tool, as the instance exposes it: it says through which of several connections.
    pub tool: &'a str,
}

/// A part of the view of one moment, and where what is in it comes from.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// What the view held about the subject. It is empty elsewhere.
    pub view: AccessView,
    /// Every fact, in the order in which the decision looks at them.
    pub facts: Vec<Fact>,
}

/// One fact as of the moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// Which one.
    pub name: FactName,
    /// What it was; `None` when there was nothing to have it.
    pub value: Option<Value>,
    /// The event that changed it last; `None` when none ever did.
    pub set_by: Option<SetBy>,
}

/// An event as evidence names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetBy {
    /// Its position, which is also its id.
    pub position: Position,
    /// Type of the aggregate.
    pub aggregate_type: String,
    /// Id of the aggregate.
    pub aggregate_id: String,
    /// Type of the event.
    pub event_type: String,
    /// Who caused it.
    pub actor: Option<String>,
    /// When it was written.
    pub recorded_at: Timestamp,
}

/// The evidence cannot be gathered.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// An event is of a kind or version that this program does not know.
    #[error("at position {0}: {1}")]
    Undecodable(Position, Undecodable),
    /// The id of an aggregate is none.
    #[error("at position {0}: {1}")]
    Id(Position, IdError),
}

impl From<&Recorded> for SetBy {
    fn from(event: &Recorded) -> Self {
        Self {
            position: event.position,
            aggregate_type: event.aggregate_type.to_string(),
            aggregate_id: event.aggregate_id.clone(),
            event_type: event.event_type.to_string(),
            actor: event.metadata_text("actor"),
            recorded_at: event.recorded_at,
        }
    }
}

impl AccessView {
    /// The view of some aggregates, and of nothing else, as of a position.
    pub async fn of_aggregates(
        history: &History,
        names: &[(&'static str, String)],
        at: Position,
    ) -> Result<Self, EvidenceError> {
        let mut view = Self::default();
        for (set_by, fact) in told(history, names, at).await? {
            view.take_some(set_by.position, &set_by.aggregate_id, fact)
                .map_err(|error| EvidenceError::Id(set_by.position, error))?;
        }
        Ok(view)
    }
}

pub(super) async fn told(
    history: &History,
    names: &[(&'static str, String)],
    at: Position,
) -> Result<Vec<(SetBy, Event)>, EvidenceError> {
    let events = history.of_aggregates(names, at).await?;
    let decoded = events.iter().map(|event| {
        let fact = event.decode().map_err(|error| EvidenceError::Undecodable(event.position, error))?;
        Ok((SetBy::from(event), fact))
    });
    decoded.collect()
}

/// The history of some aggregates, to be unfolded event by event.
#[derive(Debug, Clone)]
pub struct Unfolding {
    told: std::vec::IntoIter<(SetBy, Event)>,
    view: AccessView,
}

impl Unfolding {
    /// Everything that happened to them up to a position.
    pub async fn of(
        history: &History,
        names: &[(&'static str, String)],
        to: Position,
    ) -> Result<Self, EvidenceError> {
        let told = told(history, names, to).await?.into_iter();
        Ok(Self { told, view: AccessView::default() })
    }

    /// The next event, and the view right after it; `None` after the last one.
    pub fn step(&mut self) -> Result<Option<(SetBy, &AccessView)>, EvidenceError> {
        let Some((set_by, fact)) = self.told.next() else { return Ok(None) };
        self.view
            .take_some(set_by.position, &set_by.aggregate_id, fact)
            .map_err(|error| EvidenceError::Id(set_by.position, error))?;
        Ok(Some((set_by, &self.view)))
    }
}

impl Evidence {
    /// Gathers it as of a position.
    pub async fn gather(
        history: &History,
        subject: Subject<'_>,
        at: Position,
    ) -> Result<Self, EvidenceError> {
        let mut search = Search::new(subject);
        while let Some(names) = search.wants() {
            search.take(told(history, &names, at).await?)?;
        }
        search.finish()
    }

    /// A fact by its name.
    pub fn fact(&self, name: FactName) -> Option<&Fact> {
        self.facts.iter().find(|fact| fact.name == name)
    }
}
