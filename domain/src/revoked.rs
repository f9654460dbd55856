//! Access tokens of one grant, or of one client in its own name, that were given back before their time: remembered while that matters, and no longer.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::grant::ACCESS_TOKEN_SECONDS;
use crate::value::{Timestamp, TokenId};

/// The tokens, those that end first first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RevokedTokens(BTreeSet<(Timestamp, TokenId)>);

impl RevokedTokens {
    /// Whether this one was given back.
    pub(crate) fn contains(&self, token: TokenId, expires_at: Timestamp) -> bool {
        self.0.contains(&(expires_at, token))
    }

    /// Remembers one. State has no clock: a token is given back before it ends, and lives no longer than `ACCESS_TOKEN_SECONDS`, so whatever ends so much
    /// earlier than this one has ended. Twice as long, since clocks differ.
    pub(crate) fn insert(&mut self, token: TokenId, expires_at: Timestamp) {
        let over = expires_at.plus_seconds(-2 * ACCESS_TOKEN_SECONDS);
        self.0 = self.0.split_off(&(over, TokenId::new(Uuid::nil())));
        self.0.insert((expires_at, token));
    }

    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(number: u64) -> TokenId {
        TokenId::new(Uuid::from_u128(u128::from(number)))
    }

    #[test]
    fn attack_31_of_tokens_that_were_given_back_only_those_are_remembered_that_could_still_be_good() {
        let mut revoked = RevokedTokens::default();
        let lasts = u64::try_from(2 * ACCESS_TOKEN_SECONDS).unwrap();
        let ends = |number: u64| Timestamp::EPOCH.plus_seconds(i64::try_from(number).unwrap());
        for number in 0..3 * lasts {
            revoked.insert(token(number), ends(number));
            assert!(revoked.contains(token(number), ends(number)));
        }
        assert_eq!(revoked.len(), usize::try_from(lasts + 1).unwrap());
        let first_kept = 2 * lasts - 1;
        assert!(revoked.contains(token(first_kept), ends(first_kept)));
        assert!(!revoked.contains(token(first_kept - 1), ends(first_kept - 1)));
    }
}
