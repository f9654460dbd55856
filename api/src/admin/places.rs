//! Places for answers that go on for long: so many on this node, so many for each organization, so that none keeps the others out.
//!
//! There are few for answers that count many records: each holds a connection to Postgres for as long as that takes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::value::OrganizationId;
use http::StatusCode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::problem::Problem;

/// Long answers under way on one node. Each holds some hundred kilobytes and now and then a connection to Postgres.
const PLACES_MAX: usize = 256;
/// Of them for the keys of one organization.
const PLACES_ORGANIZATION_MAX: usize = 32;
/// Answers under way on one node that count records.
const COUNTING_MAX: usize = 3;
/// How long a question waits for its turn.
const COUNTING_WAIT: Duration = Duration::from_secs(5);

/// The places of one node.
#[derive(Debug, Clone)]
pub struct Places {
    taken: Arc<Mutex<HashMap<OrganizationId, usize>>>,
    counting: Arc<Semaphore>,
}

impl Default for Places {
    fn default() -> Self {
        Self { taken: Arc::default(), counting: Arc::new(Semaphore::new(COUNTING_MAX)) }
    }
}

/// One place, taken until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Places,
    organization: OrganizationId,
}

impl Places {
    /// Takes one.
    pub(super) fn take(&self, organization: OrganizationId) -> Result<Place, Problem> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let (all, own) = (taken.values().sum::<usize>(), taken.get(&organization).copied().unwrap_or(0));
        if all >= PLACES_MAX || own >= PLACES_ORGANIZATION_MAX {
            let detail = format!(
                "at most {PLACES_ORGANIZATION_MAX} exports and live streams of an organization are under way at once, and {PLACES_MAX} in all"
            );
            return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-streams", detail));
        }
        taken.insert(organization, own + 1);
        Ok(Place { places: self.clone(), organization })
    }

    /// Waits for a turn to count records.
    pub(super) async fn count(&self) -> Result<OwnedSemaphorePermit, Problem> {
        let turn = tokio::time::timeout(COUNTING_WAIT, Arc::clone(&self.counting).acquire_owned()).await;
        turn.ok().and_then(Result::ok).ok_or_else(|| {
            let detail = format!(
                "{COUNTING_MAX} questions about many records are under way already; try again in a while"
            );
            Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-questions", detail).after(COUNTING_WAIT)
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let left = taken.get(&self.organization).map_or(0, |count| count.saturating_sub(1));
        if left == 0 {
            taken.remove(&self.organization);
        } else {
            taken.insert(self.organization, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn one_organization_does_not_take_the_places_of_another_and_gives_back_its_own() {
        let places = Places::default();
        let [acme, rival] = [1, 2].map(|number| OrganizationId::new(Uuid::from_u128(number)));
        let mut held: Vec<_> = (0..PLACES_ORGANIZATION_MAX).map(|_| places.take(acme).unwrap()).collect();
        assert_eq!(places.take(acme).unwrap_err().code(), "too-many-streams");
        drop(places.take(rival).unwrap());
        held.pop();
        held.push(places.take(acme).unwrap());
        held.clear();
        assert!(places.taken.lock().unwrap().is_empty());
    }
}
