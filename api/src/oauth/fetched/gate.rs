//! How much is fetched at once: so many in all, few of one host, so that nobody makes us knock at somebody else's door all the time, and fewer for one
//! address that asks, so that nobody keeps the others waiting by naming places that never answer (`oauth.md`, case 3).
//!
//! Where there is no room, whoever asks waits for a moment: what is fetched takes seconds at most.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

use crate::limits::Subscriber;

/// Fetches at once.
const FETCHES_MAX: usize = 32;
/// Fetches at once from one host.
const FETCHES_HOST_MAX: usize = 4;
/// Fetches at once for whoever asks from one address.
const FETCHES_ASKER_MAX: usize = 2;

/// Lets few through at once.
#[derive(Default)]
pub(super) struct Gate {
    inside: Mutex<Inside>,
    left: Notify,
}

/// Who is through.
#[derive(Default)]
struct Inside {
    all: usize,
    hosts: HashMap<String, usize>,
    askers: HashMap<Subscriber, usize>,
}

/// One of the few.
pub(super) struct Passing<'a> {
    gate: &'a Gate,
    host: String,
    asker: Subscriber,
}

impl Gate {
    /// Lets somebody through to an address, as soon as there is room, if there is by then.
    pub(super) async fn enter(&self, address: &str, asker: Subscriber, by: Instant) -> Option<Passing<'_>> {
        let entered = async {
            loop {
                let left = self.left.notified(); // made first: whoever leaves in between is not missed
                if let Some(passing) = self.try_enter(address, asker) {
                    return passing;
                }
                left.await;
            }
        };
        tokio::time::timeout_at(by.into(), entered).await.ok()
    }

    fn try_enter(&self, address: &str, asker: Subscriber) -> Option<Passing<'_>> {
        let host = host(address);
        let mut inside = self.inside();
        let of_host = inside.hosts.get(host).copied().unwrap_or_default();
        let of_asker = inside.askers.get(&asker).copied().unwrap_or_default();
        if inside.all >= FETCHES_MAX || of_host >= FETCHES_HOST_MAX || of_asker >= FETCHES_ASKER_MAX {
            return None;
        }
        inside.all = inside.all.saturating_add(1);
        inside.hosts.insert(host.to_owned(), of_host.saturating_add(1));
        inside.askers.insert(asker, of_asker.saturating_add(1));
        Some(Passing { gate: self, host: host.to_owned(), asker })
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Host and port of an address in its normal spelling.
fn host(address: &str) -> &str {
    let (_, rest) = address.split_once("://").unwrap_or(("", address));
    rest.split(['/', '?']).next().unwrap_or(rest)
}

/// One less; nobody is remembered of whom there is none.
fn leave<K: Eq + Hash>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            counts.remove(key);
        }
    }
}

impl Drop for Passing<'_> {
    fn drop(&mut self) {
        let mut inside = self.gate.inside();
        inside.all = inside.all.saturating_sub(1);
        leave(&mut inside.hosts, &self.host);
        leave(&mut inside.askers, &self.asker);
        drop(inside);
        self.gate.left.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    /// Everybody from an address of their own.
    fn asker(number: usize) -> Subscriber {
        let number = u32::try_from(number).unwrap();
        Subscriber::of(IpAddr::V4(Ipv4Addr::from_bits(0xc000_0200 + number)))
    }

    /// Enters if there is room right now.
    async fn enter<'a>(gate: &'a Gate, address: &str, number: usize) -> Option<Passing<'a>> {
        gate.enter(address, asker(number), Instant::now()).await
    }

    #[tokio::test]
    async fn attack_03_few_knock_at_one_door_at_once_whatever_the_path_and_whoever_asks() {
        let gate = Gate::default();
        let address = |path: usize| format!("https://victim.example/{path}");
        let mut passing = Vec::new();
        for number in 0..FETCHES_HOST_MAX {
            passing.push(enter(&gate, &address(number), number).await.expect("there is room"));
        }
        assert!(enter(&gate, &address(99), 99).await.is_none());
        assert!(enter(&gate, "https://victim.example?x", 99).await.is_none());
        assert!(enter(&gate, "https://other.example/", 99).await.is_some());
        drop(passing);
        assert!(enter(&gate, &address(99), 99).await.is_some());
        let inside = gate.inside();
        assert!(inside.hosts.is_empty() && inside.askers.is_empty(), "nobody is remembered");
    }

    #[tokio::test]
    async fn attack_03_few_are_fetched_at_once_however_many_doors_and_askers_there_are() {
        let gate = Gate::default();
        let mut passing = Vec::new();
        for number in 0..FETCHES_MAX {
            let entered = enter(&gate, &format!("https://a{number}.example/"), number).await;
            passing.push(entered.expect("there is room"));
        }
        assert!(enter(&gate, "https://last.example/", FETCHES_MAX).await.is_none());
    }

    #[tokio::test]
    async fn whoever_waits_enters_as_soon_as_somebody_leaves() {
        let gate = Gate::default();
        let one = enter(&gate, "https://a.example/", 0).await.expect("there is room");
        let _other = enter(&gate, "https://b.example/", 0).await.expect("there is room");
        let by = Instant::now() + std::time::Duration::from_mins(1);
        let waits = gate.enter("https://c.example/", asker(0), by);
        let leaves = async {
            tokio::task::yield_now().await;
            drop(one);
        };
        let (entered, ()) = tokio::join!(waits, leaves);
        assert!(entered.is_some());
    }
}
