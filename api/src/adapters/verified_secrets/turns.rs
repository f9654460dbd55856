//! One at a time for each of many, and so many who wait: whoever comes beyond them is refused at once.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use commands::HashError;

/// Whoever is at it, and who waits, for each; nobody is remembered of whom there is none.
pub(super) struct Turns<K> {
    of_each: Mutex<HashMap<K, Weak<tokio::sync::Mutex<()>>>>,
    /// How many may be there for each: one at it, the others waiting.
    inside_max: usize,
}

impl<K: Eq + Hash> Turns<K> {
    pub(super) fn new(inside_max: usize) -> Self {
        Self { of_each: Mutex::default(), inside_max }
    }

    /// What is to be locked for a turn of this one; a refusal when too many wait for it.
    pub(super) fn of(&self, key: K) -> Result<Arc<tokio::sync::Mutex<()>>, HashError> {
        let mut of_each = self.of_each.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turn) = of_each.get(&key).and_then(Weak::upgrade) {
            return if Arc::strong_count(&turn) > self.inside_max { Err(HashError::Busy) } else { Ok(turn) };
        }
        of_each.retain(|_, turn| turn.strong_count() > 0);
        let turn = Arc::new(tokio::sync::Mutex::new(()));
        of_each.insert(key, Arc::downgrade(&turn));
        Ok(turn)
    }

    /// How many are there for this one.
    #[cfg(test)]
    pub(super) fn inside(&self, key: &K) -> usize {
        self.of_each.lock().unwrap().get(key).map_or(0, Weak::strong_count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_when_enough_wait_is_refused_and_nobody_else_is() {
        let turns = Turns::new(2);
        let (one, two) = (turns.of("a").unwrap(), turns.of("a").unwrap());
        assert!(matches!(turns.of("a"), Err(HashError::Busy)));
        assert!(Arc::ptr_eq(&one, &two));
        let _other = turns.of("b").expect("theirs is another");
        drop(one);
        turns.of("a").expect("there is room again");
        drop(two);
        turns.of("c").expect("theirs is another");
        assert_eq!(turns.inside(&"a"), 0);
        assert_eq!(turns.of_each.lock().unwrap().len(), 2, "nobody is remembered of whom there is none");
    }
}
