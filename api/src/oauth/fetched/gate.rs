//! How much is fetched at once: so many in all, and few of one host, so that nobody makes us knock at somebody else's door all the time.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

/// Fetches at once.
const FETCHES_MAX: usize = 32;
/// Fetches at once from one host.
const FETCHES_HOST_MAX: usize = 4;

/// Lets few through at once.
pub(super) struct Gate {
    hosts: Mutex<HashMap<String, usize>>,
    fetches: Semaphore,
}

impl Default for Gate {
    fn default() -> Self {
        Self { hosts: Mutex::default(), fetches: Semaphore::new(FETCHES_MAX) }
    }
}

/// One of the few.
pub(super) struct Passing<'a> {
    hosts: &'a Mutex<HashMap<String, usize>>,
    host: String,
    _permit: SemaphorePermit<'a>,
}

impl Gate {
    /// Lets somebody through to an address, if there is room.
    pub(super) fn enter(&self, address: &str) -> Option<Passing<'_>> {
        let permit = self.fetches.try_acquire().ok()?;
        let host = host(address);
        let mut held = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.entry(host.to_owned()).or_default();
        if *count >= FETCHES_HOST_MAX {
            return None;
        }
        *count = count.saturating_add(1);
        Some(Passing { hosts: &self.hosts, host: host.to_owned(), _permit: permit })
    }
}

/// Host and port of an address in its normal spelling.
fn host(address: &str) -> &str {
    let (_, rest) = address.split_once("://").unwrap_or(("", address));
    rest.split(['/', '?']).next().unwrap_or(rest)
}

impl Drop for Passing<'_> {
    fn drop(&mut self) {
        let mut held = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(&self.host) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                held.remove(&self.host);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_03_few_knock_at_one_door_at_once_whatever_the_path() {
        let gate = Gate::default();
        let address = |path: usize| format!("https://victim.example/{path}");
        let passing: Vec<_> = (0..FETCHES_HOST_MAX).map(|path| gate.enter(&address(path))).collect();
        assert!(passing.iter().all(Option::is_some));
        assert!(gate.enter(&address(99)).is_none());
        assert!(gate.enter("https://victim.example?x").is_none());
        assert!(gate.enter("https://other.example/").is_some());
        drop(passing);
        assert!(gate.enter(&address(99)).is_some());
        assert!(gate.hosts.lock().unwrap().is_empty(), "nobody is remembered");
    }

    #[test]
    fn attack_03_few_are_fetched_at_once_however_many_doors_there_are() {
        let gate = Gate::default();
        let passing: Vec<_> =
            (0..FETCHES_MAX).map(|n| gate.enter(&format!("https://a{n}.example/"))).collect();
        assert!(passing.iter().all(Option::is_some));
        assert!(gate.enter("https://last.example/").is_none());
    }
}
