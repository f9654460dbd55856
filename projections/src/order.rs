//! An administrator's order about a parked event: it stands in the log like everything else, and whoever folds carries it out when it gets
//! there, in the transaction that moves the checkpoint. So it is carried out once, by one node, and a rebuild comes to the same rows.

use domain::deployment::DeploymentEvent;
use domain::event::Event;
use domain::value::Position;

use crate::turn::Told;

/// What to do with a parked event. Those that wait behind it are folded after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// Fold it again.
    Retry(Position),
    /// Leave it out.
    Skip(Position),
}

impl Order {
    /// The order in an event, if it is one to this projection.
    pub(crate) fn of(told: &Told, projection: &str) -> Option<Self> {
        let (_, Ok(Event::Deployment(fact))) = told else { return None };
        match fact {
            DeploymentEvent::ParkedEventRetried { projection: to, position, reason: _ } => {
                (to.as_str() == projection).then_some(Self::Retry(*position))
            }
            DeploymentEvent::ParkedEventSkipped { projection: to, position, reason: _ } => {
                (to.as_str() == projection).then_some(Self::Skip(*position))
            }
            DeploymentEvent::Bootstrapped { .. }
            | DeploymentEvent::AdministratorAdded { .. }
            | DeploymentEvent::AdministratorRemoved { .. }
            | DeploymentEvent::MaintenanceStarted { .. }
            | DeploymentEvent::MaintenanceEnded {}
            | DeploymentEvent::AnnouncementPublished { .. }
            | DeploymentEvent::AnnouncementWithdrawn { .. }
            | DeploymentEvent::LinksChanged { .. }
            | DeploymentEvent::SigningKeyAdded { .. }
            | DeploymentEvent::SigningKeyActivated { .. }
            | DeploymentEvent::SigningKeyRetired { .. }
            | DeploymentEvent::ProviderAdded { .. }
            | DeploymentEvent::ProviderChanged { .. }
            | DeploymentEvent::ProviderRemoved { .. } => None,
        }
    }

    /// The event that it is about.
    pub(crate) const fn position(self) -> Position {
        match self {
            Self::Retry(position) | Self::Skip(position) => position,
        }
    }

    /// Which of the events that wait are to be folded now.
    pub(crate) fn to_fold(self, waiting: Vec<Position>) -> Vec<Position> {
        match self {
            Self::Retry(_) => waiting,
            Self::Skip(position) => waiting.into_iter().filter(|waits| *waits != position).collect(),
        }
    }
}
