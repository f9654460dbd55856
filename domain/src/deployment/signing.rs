//! The keys that sign access tokens, as far as everybody may know them.
//!
//! ```text
//!   (none) --add--> next --activate--> active --(a successor is activated)--> retiring --retire--> retired
//!                    |                   `--------retire in an emergency----------------------------^
//!                    `-------------------------------retire-----------------------------------------^
//! ```
//! There is at most one active key: where another algorithm is chosen, its first key takes the place of the one before. A retiring key is retired when
//! nobody can hold a token of it any more, unless it is an emergency. Private keys never come near here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{DeploymentError, DeploymentEvent};
use crate::grant::ACCESS_TOKEN_SECONDS;
use crate::value::{KeyThumbprint, PublicJwk, SigningAlgorithm, Timestamp};

/// Keys that are published at a time.
pub const SIGNING_KEYS_MAX: usize = 16;
/// How long others may keep what they were told of the keys.
pub const JWKS_CACHE_SECONDS: i64 = 300;
/// How far the clocks of those who sign and verify may be apart.
pub const CLOCK_SKEW_SECONDS: i64 = 60;
/// How long a key is published after its successor began to sign.
pub const SIGNING_KEY_OVERLAP_SECONDS: i64 = ACCESS_TOKEN_SECONDS + JWKS_CACHE_SECONDS + CLOCK_SKEW_SECONDS;

/// Every key there was: what is retired stays known, so that it never comes back.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct SigningKeys(BTreeMap<KeyThumbprint, Standing>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Standing {
    Next,
    Active,
    Retiring { since: Timestamp },
    Retired,
}

impl SigningKeys {
    pub(super) fn add(
        &self,
        kid: &KeyThumbprint,
        algorithm: SigningAlgorithm,
        public_jwk: &PublicJwk,
        at: Timestamp,
    ) -> Result<Vec<DeploymentEvent>, DeploymentError> {
        match self.0.get(kid).copied() {
            Some(Standing::Next) => return Ok(vec![]),
            Some(Standing::Active | Standing::Retiring { .. } | Standing::Retired) => {
                return Err(DeploymentError::SigningKeySpent);
            }
            None => {}
        }
        let is_published = |standing: &&Standing| **standing != Standing::Retired;
        if self.0.values().filter(is_published).count() >= SIGNING_KEYS_MAX {
            return Err(DeploymentError::TooManySigningKeys);
        }
        let (kid, public_jwk) = (kid.clone(), public_jwk.clone());
        Ok(vec![DeploymentEvent::SigningKeyAdded { kid, algorithm, public_jwk, at }])
    }

    pub(super) fn activate(
        &self,
        kid: &KeyThumbprint,
        at: Timestamp,
    ) -> Result<Vec<DeploymentEvent>, DeploymentError> {
        match self.0.get(kid).copied() {
            None => Err(DeploymentError::UnknownSigningKey),
            Some(Standing::Active) => Ok(vec![]),
            Some(Standing::Retiring { .. } | Standing::Retired) => Err(DeploymentError::SigningKeySpent),
            Some(Standing::Next) => Ok(vec![DeploymentEvent::SigningKeyActivated { kid: kid.clone(), at }]),
        }
    }

    pub(super) fn retire(
        &self,
        kid: &KeyThumbprint,
        at: Timestamp,
        emergency: bool,
    ) -> Result<Vec<DeploymentEvent>, DeploymentError> {
        match self.0.get(kid).copied() {
            None => return Err(DeploymentError::UnknownSigningKey),
            Some(Standing::Retired) => return Ok(vec![]),
            Some(Standing::Next) => {}
            Some(Standing::Active | Standing::Retiring { .. }) if emergency => {}
            Some(Standing::Active) => return Err(DeploymentError::SigningKeyActive),
            Some(Standing::Retiring { since }) => {
                if at < since.plus_seconds(SIGNING_KEY_OVERLAP_SECONDS) {
                    return Err(DeploymentError::SigningKeyInUse);
                }
            }
        }
        Ok(vec![DeploymentEvent::SigningKeyRetired { kid: kid.clone(), emergency }])
    }

    pub(super) fn added(&mut self, kid: KeyThumbprint) {
        self.0.insert(kid, Standing::Next);
    }

    /// The one that signed until now begins to retire.
    pub(super) fn activated(&mut self, kid: &KeyThumbprint, at: Timestamp) {
        if !self.0.contains_key(kid) {
            return;
        }
        for (other, standing) in &mut self.0 {
            if other == kid {
                *standing = Standing::Active;
            } else if *standing == Standing::Active {
                *standing = Standing::Retiring { since: at };
            }
        }
    }

    pub(super) fn retired(&mut self, kid: &KeyThumbprint) {
        if let Some(standing) = self.0.get_mut(kid) {
            *standing = Standing::Retired;
        }
    }
}
